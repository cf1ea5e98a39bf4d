"""Where the time of one command goes: the real workflow in this process, its parts timed.

The queue is left out here (commands are run one after the other by hand) and measured alone.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import httpx
import redis

from services.orchestrator.celery_app import Parts
from services.orchestrator.ports import Engines
from services.orchestrator.settings import OrchestratorSettings
from shared.contracts.trajectories import Command
from shared.queue import make_celery
from tests.benchmarks.stack import BenchStack

ROUNDS = 30
_MS = 1000.0


class Timed:
    """Passes every call on and notes how long it took, under the label of the part."""

    def __init__(self, part: object, label: str, spent: dict[str, float]) -> None:
        self._part = part
        self._label = label
        self._spent = spent

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._part, name)
        label = f"{self._label}.{name}"

        def timed(*args: object, **kwargs: object) -> object:
            began = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                # Snapshots and leases are looked after by threads of their own.
                if threading.current_thread() is threading.main_thread():
                    self._spent[label] += time.perf_counter() - began

        return timed


class _HandDispatcher:
    """Keeps commands instead of sending them."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def send_commands(self, _trajectory_id: str, commands: Sequence[Command]) -> None:
        self.waiting += [command.id for command in commands]

    def send_deliveries(self, _delivery_ids: Sequence[str]) -> None:
        """There are none."""


def per_pair_ms(stack: BenchStack) -> dict[str, float]:
    """Mean milliseconds per generate-and-critique pair, by part; ``rest`` is our own Python."""
    spent: dict[str, float] = defaultdict(float)
    hand = _HandDispatcher()
    with _settings(stack) as settings:
        parts = Parts(settings)
    _time_parts(parts, hand, spent)
    pairs, whole_s = 0, 0.0
    for _ in range(ROUNDS):
        pairs += _run_by_hand(stack, parts, hand)
        whole_s += spent.pop("whole", 0.0)
    parts.snapshots.flush(5.0)
    table = {label: seconds / pairs * _MS for label, seconds in sorted(spent.items())}
    table["rest (state machine, JSON, threads)"] = whole_s / pairs * _MS - sum(table.values())
    return {label: round(value, 3) for label, value in table.items()}


def _time_parts(parts: Parts, hand: _HandDispatcher, spent: dict[str, float]) -> None:
    cache = vars(parts)
    cache["_store"] = Timed(parts._store, "store", spent)
    cache["_leases"] = Timed(parts._leases, "leases", spent)
    cache["_dispatcher"] = hand
    engines = parts._engines
    cache["_engines"] = Engines(
        planner=engines.planner,
        critic=Timed(engines.critic, "critic http", spent),  # pyright: ignore[reportArgumentType]
        generators={
            name: Timed(each, "generator http", spent)  # pyright: ignore[reportArgumentType]
            for name, each in engines.generators.items()
        },
    )
    cache["spent"] = spent


def _run_by_hand(stack: BenchStack, parts: Parts, hand: _HandDispatcher) -> int:
    """One trajectory that no worker sees: its plan first, then pair after pair; gives pairs."""
    trajectory_id = _created(stack)
    spent: dict[str, float] = vars(parts)["spent"]
    before = dict(spent)
    parts.workflow.run_command(trajectory_id, "plan")
    spent.clear()
    spent.update(before)
    began = time.perf_counter()
    done = 0
    while hand.waiting:
        parts.workflow.run_command(trajectory_id, hand.waiting.pop(0))
        done += 1
    spent["whole"] += time.perf_counter() - began
    return done // 2


def _created(stack: BenchStack) -> str:
    """A new trajectory; the worker was stopped, so nobody else takes its commands."""
    headers = {"Authorization": f"Bearer {stack.key}"}
    body = {"prompt": "measure", "steps": 4, "speculation": "off"}
    answer = httpx.post(f"{stack.url}/v1/trajectories", json=body, headers=headers)
    return str(answer.raise_for_status().json()["id"])


def queue_hop_ms(stack: BenchStack) -> float:
    """Median time from sending a message to having it, without a worker's own work."""
    app = make_celery(stack.redis_url)
    client = redis.Redis.from_url(stack.redis_url)
    hops: list[float] = []
    for number in range(ROUNDS * 5):
        began = time.perf_counter()
        app.send_task("benchmark.nothing", args=[number], queue="benchmark", retry=False)
        client.brpop(["benchmark"], timeout=5)
        hops.append((time.perf_counter() - began) * _MS)
    client.close()
    app.close()
    return round(statistics.median(hops), 3)


@contextmanager
def _settings(stack: BenchStack) -> Generator[OrchestratorSettings]:
    before = dict(os.environ)
    os.environ.update(stack.environment)
    try:
        yield OrchestratorSettings()
    finally:
        os.environ.clear()
        os.environ.update(before)
