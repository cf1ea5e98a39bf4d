"""How long orchestration takes per generator call, and how many trajectories a minute it bears."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import httpx

from tests.benchmarks.stack import BenchStack

STEPS = 4
IN_FLIGHT = (1, 8, 64)
TRAJECTORIES = {1: 20, 8: 64, 64: 192}
_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Load:
    """What was seen with so many trajectories in flight; times in milliseconds."""

    in_flight: int
    trajectories: int
    seconds: float
    per_minute: float
    per_call_p50_ms: float
    per_call_p99_ms: float
    trajectory_p50_ms: float
    create_p50_ms: float
    model_ms: float
    """Mean time inside the model services per call, already taken off ``per_call``."""
    cpu_ms: dict[str, float]
    """Processor time of each process per generator call: hardly depends on what else runs."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One finished trajectory."""

    create_ms: float
    whole_ms: float
    gaps_ms: tuple[float, ...]
    """From one picture to the next: one critique and one picture lie between."""


async def measure(stack: BenchStack) -> list[Load]:
    """Every load, one after the other; a small one first to warm up."""
    headers = {"Authorization": f"Bearer {stack.key}"}
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(
        base_url=stack.url, headers=headers, timeout=120, limits=limits, trust_env=False
    ) as client:
        await _load(client, stack, in_flight=4, count=12)
        return [await _load(client, stack, in_flight=n, count=TRAJECTORIES[n]) for n in IN_FLIGHT]


async def _load(
    client: httpx.AsyncClient, stack: BenchStack, *, in_flight: int, count: int
) -> Load:
    await client.get(f"{stack.models_url}/seconds")
    slots = asyncio.Semaphore(in_flight)
    cpu_before = stack.cpu_seconds()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_one(client, slots)) for _ in range(count)]
    seconds = time.perf_counter() - began
    calls = count * STEPS
    cpu_ms = {
        name: round((used - cpu_before[name]) / calls * _MS, 2)
        for name, used in stack.cpu_seconds().items()
    }
    seen = [await _seen(client, *task.result()) for task in tasks]
    spent: list[float] = (await client.get(f"{stack.models_url}/seconds")).json()
    return _summary(
        seen, in_flight=in_flight, seconds=seconds, model_s=statistics.mean(spent), cpu_ms=cpu_ms
    )


async def _one(client: httpx.AsyncClient, slots: asyncio.Semaphore) -> tuple[str, float]:
    """Run one trajectory to its end; gives its id and how long its creation took."""
    body = {"prompt": "measure", "steps": STEPS, "speculation": "off"}
    async with slots:
        began = time.perf_counter()
        answer = (await client.post("/v1/trajectories", json=body)).raise_for_status()
        create_ms = (time.perf_counter() - began) * _MS
        trajectory = answer.json()
        while not trajectory["final"]:
            url = f"/v1/trajectories/{trajectory['id']}"
            trajectory = (await client.get(url, params={"wait": 30})).raise_for_status().json()
        if trajectory["status"] != "succeeded":
            raise RuntimeError(f"a trajectory ended {trajectory['status']}")
        return trajectory["id"], create_ms


async def _seen(client: httpx.AsyncClient, trajectory_id: str, create_ms: float) -> _Seen:
    answer = await client.get(f"/v1/trajectories/{trajectory_id}/events")
    lines = answer.raise_for_status().text.splitlines()
    events = [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    at = [datetime.fromisoformat(event["at"]) for event in events]
    drawn = [t for t, event in zip(at, events, strict=True) if event["type"] == "attempt.drawn"]
    gaps = tuple((later - earlier).total_seconds() * _MS for earlier, later in pairwise(drawn))
    return _Seen(create_ms, (at[-1] - at[0]).total_seconds() * _MS, gaps)


def _summary(
    seen: Sequence[_Seen],
    *,
    in_flight: int,
    seconds: float,
    model_s: float,
    cpu_ms: dict[str, float],
) -> Load:
    # Between two pictures lie one critic call and one generator call.
    model_ms = 2 * model_s * _MS
    gaps = sorted(gap - model_ms for each in seen for gap in each.gaps_ms)
    return Load(
        in_flight=in_flight,
        trajectories=len(seen),
        seconds=round(seconds, 2),
        per_minute=round(60 * len(seen) / seconds, 1),
        per_call_p50_ms=round(statistics.median(gaps), 2),
        per_call_p99_ms=round(gaps[int(0.99 * (len(gaps) - 1))], 2),
        trajectory_p50_ms=round(statistics.median(each.whole_ms for each in seen), 1),
        create_p50_ms=round(statistics.median(each.create_ms for each in seen), 1),
        model_ms=round(model_ms, 3),
        cpu_ms=cpu_ms,
    )
