"""G6: while one model service is away, work that needs another goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from tests.faults.script import Script, slow
from tests.faults.trial import Accepted, Trial

_WAITING = 60
"""More than all workers together have threads for one kind of work."""
_OTHERS = 6
_DOWN_S = 40.0
_SETTLES_S = 4.0
_PLANNED_WITHIN_S = 15.0
_DRAWN_WITHIN_S = 25.0
_BOUND_S = 90.0


async def kept_apart(trial: Trial) -> None:
    """Without a generator plans are written; without a planner pictures are drawn and judged."""
    await _without_generator(trial)
    await _without_planner(trial)


async def _without_generator(trial: Trial) -> None:
    await _many(trial, 1)  # a generator that was never heard of is refused at the door
    await trial.settle()
    trial.world.crew["generator"].kill(down_s=_DOWN_S)
    trial.fault()
    await _many(trial, _WAITING)
    await asyncio.sleep(_SETTLES_S)  # until their pictures hold every thread they can get
    others = await _many(trial, _OTHERS)
    worst_s = await _worst(others, lambda made: _planned(trial, made))
    trial.note(f"without a generator, {_WAITING} waiting: a plan after {worst_s:.2f} s at worst")
    if worst_s > _PLANNED_WITHIN_S:
        trial.stuck.append(f"plans waited {worst_s:.1f} s for a generator they do not need")
    trial.world.crew["generator"].held_until_s = 0.0
    trial.healed()
    await trial.settle(bound_s=_BOUND_S)


async def _without_planner(trial: Trial) -> None:
    script = Script(steps=4, judge=(slow(0.5),), draw=(slow(0.5),), steps_hit=(0, 1, 2, 3))
    drawing = [await trial.start(script) for _ in range(_OTHERS)]
    await _worst(drawing, lambda made: _planned(trial, made))
    trial.world.crew["planner"].kill(down_s=_DOWN_S)
    trial.fault()
    waiting = asyncio.create_task(_many(trial, _WAITING))
    worst_s = await _worst(drawing, lambda made: _ended(trial, made))
    trial.note(f"without a planner: four steps drawn and judged after {worst_s:.2f} s at worst")
    if worst_s > _DRAWN_WITHIN_S:
        trial.stuck.append(f"pictures took {worst_s:.1f} s because of a planner they do not need")
    await waiting
    trial.world.crew["planner"].held_until_s = 0.0
    trial.healed()
    await trial.settle(bound_s=_BOUND_S)


async def _many(trial: Trial, count: int) -> list[Accepted]:
    made = [trial.start(Script(salt=trial.rng.getrandbits(31))) for _ in range(count)]
    return list(await asyncio.gather(*made))


async def _worst(made: Sequence[Accepted], reached: Callable[[Accepted], Awaitable[bool]]) -> float:
    """Seconds until the last of them has."""
    began = time.monotonic()

    async def one(each: Accepted) -> None:
        while time.monotonic() < began + _BOUND_S:
            if await reached(each):
                return
            await asyncio.sleep(0.05)

    await asyncio.gather(*(one(each) for each in made))
    return time.monotonic() - began


async def _planned(trial: Trial, made: Accepted) -> bool:
    record = await trial.api.trajectory(made.id)
    return record is not None and bool(record["steps"])


async def _ended(trial: Trial, made: Accepted) -> bool:
    record = await trial.api.trajectory(made.id)
    return record is not None and bool(record["final"])
