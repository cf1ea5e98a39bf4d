"""Requests that keep coming while something is broken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.faults.script import Script, slow
from tests.faults.trial import Trial

_WAIT_S = 20.0


async def steady_load(trial: Trial, *, count: int, over_s: float) -> None:
    """``count`` trajectories, evenly over the time, with calls of different length."""
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            script = Script(
                draw=(slow(trial.rng.choice((0.0, 0.1, 1.0))),),
                judge=(slow(trial.rng.choice((0.0, 0.1, 1.0))),),
                salt=trial.rng.getrandbits(31),
            )
            group.create_task(trial.start(script))
            await asyncio.sleep(over_s / count)


async def until(condition: Callable[[], bool], *, within_s: float = _WAIT_S) -> bool:
    """Whether it becomes true in this time."""
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False
