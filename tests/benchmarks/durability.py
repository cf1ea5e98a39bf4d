"""What it costs that nothing is answered before it is on the disk.

The launcher's server writes its log through to the disk at every command (``appendfsync
always``). Measured here beside ``everysec``, on the same server: one save of a record, and
accepting a request as a caller sees it (the journal in the bucket included).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import httpx
import redis

from tests.benchmarks.stack import BenchStack

MODES = ("everysec", "always")
_WRITES = 200
_CREATIONS = 30
_RECORD = b"x" * 8192
_KEY = "benchmark:durability"
_MS = 1000.0


def durability_ms(stack: BenchStack) -> dict[str, dict[str, float]]:
    """Median milliseconds per mode: ``save`` and ``accept``."""
    client = redis.Redis.from_url(stack.redis_url)
    before = client.config_get("appendfsync")["appendfsync"]  # pyright: ignore
    found: dict[str, dict[str, float]] = {}
    try:
        for mode in MODES:
            client.config_set("appendfsync", mode)
            found[mode] = {
                "save": _median_ms(_WRITES, lambda: client.set(_KEY, _RECORD)),
                "accept": _median_ms(_CREATIONS, lambda: _create(stack)),
            }
    finally:
        client.config_set("appendfsync", str(before))
        client.delete(_KEY)
        client.close()
    return found


def _create(stack: BenchStack) -> None:
    headers = {"Authorization": f"Bearer {stack.key}"}
    body = {"prompt": "measure", "steps": 1, "speculation": "off"}
    httpx.post(f"{stack.url}/v1/trajectories", json=body, headers=headers).raise_for_status()


def _median_ms(times: int, act: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * _MS)
    return round(statistics.median(taken), 3)
