"""G5: the bucket is down, slow, silent, refusing, and breaks off its answers."""

from __future__ import annotations

import asyncio

from tests.faults.proxy import Mode
from tests.faults.scenarios.load import steady_load
from tests.faults.trial import Trial

_BROKEN_S = 5.0


async def broken(trial: Trial) -> None:
    """Each way for some seconds under load; then the server itself is killed."""
    for mode in (Mode.DOWN, Mode.SLOW, Mode.SILENT, Mode.REFUSING, Mode.TRUNCATING):
        load = asyncio.create_task(steady_load(trial, count=6, over_s=2.0))
        await asyncio.sleep(trial.rng.uniform(0.5, 1.5))
        trial.world.wire.set_mode(trial.world.s3, mode)
        trial.fault()
        await asyncio.sleep(_BROKEN_S)
        trial.world.wire.set_mode(trial.world.s3, Mode.OPEN)
        trial.world.wire.hang_up(trial.world.s3)
        trial.healed()
        await load
        trial.healed()
        await trial.settle()
    load = asyncio.create_task(steady_load(trial, count=6, over_s=2.0))
    await asyncio.sleep(1.0)
    trial.world.crew["seaweedfs"].kill(down_s=2.0)
    trial.fault()
    await load
    trial.healed()
    await trial.settle()
