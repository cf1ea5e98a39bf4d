"""G2: Valkey is killed, and loses everything, under load."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress

import redis

from tests.faults.scenarios.load import steady_load
from tests.faults.trial import Trial

_OVER_S = 9.0


async def killed(trial: Trial) -> None:
    """Killed three times while requests come in; what it had said yes to must be there."""
    load = asyncio.create_task(steady_load(trial, count=30, over_s=_OVER_S))
    for down_s in (0.0, 0.5, 2.0):
        await asyncio.sleep(trial.rng.uniform(1.5, 3.0))
        trial.world.crew["valkey"].kill(down_s=down_s)
        trial.fault()
    await load
    trial.healed()
    await trial.settle()


async def wiped(trial: Trial) -> None:
    """FLUSHALL, then a restart without its files: both times under load."""
    await trial.start_many(6)
    await trial.settle()
    for lose in (_flush, _lose_files):
        load = asyncio.create_task(steady_load(trial, count=16, over_s=_OVER_S))
        await asyncio.sleep(trial.rng.uniform(2.0, 5.0))
        await lose(trial)
        # A gateway that starts puts the installation's key back; other keys are lost with Redis.
        trial.world.crew["gateway"].kill()
        trial.fault()
        await load
        trial.healed()
        for made in trial.accepted:
            made.rebuilt = True
        await trial.settle()
    # Those that were over before must be there still.
    trial.recheck()
    await trial.settle()


async def _flush(trial: Trial) -> None:
    client = trial.world.redis()
    with suppress(redis.RedisError):
        await asyncio.to_thread(client.flushall)
    client.close()


async def _lose_files(trial: Trial) -> None:
    valkey = trial.world.crew["valkey"]
    valkey.kill(down_s=2.0)
    await asyncio.sleep(0.5)
    folder = trial.world.folder.path / "valkey" / "appendonlydir"
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
