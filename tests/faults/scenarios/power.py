"""G1, G2: everything dies at the same moment, servers included, as when the power goes."""

from __future__ import annotations

import asyncio

from tests.faults.scenarios.load import steady_load
from tests.faults.trial import Trial

_CUTS = 3
_OVER_S = 8.0
_BOUND_S = 60.0
_COUNT = 16


async def cut(trial: Trial) -> None:
    """SIGKILL to every process at once, three times under load; what was accepted must be there.

    The operating system's cache survives this; that the state store writes through before it
    answers is a setting, and asserted here.
    """
    client = trial.world.redis()
    if client.config_get("appendfsync").get("appendfsync") != "always":  # type: ignore[union-attr]
        trial.lost.append("the state store answers before it has written to the disk")
    client.close()
    for _ in range(_CUTS):
        load = asyncio.create_task(steady_load(trial, count=_COUNT, over_s=_OVER_S))
        await asyncio.sleep(trial.rng.uniform(0.3, 0.9) * _OVER_S)
        for member in trial.world.crew.members.values():
            member.kill(down_s=1.0)
        trial.fault()
        await load
        trial.healed()
        await trial.settle(bound_s=_BOUND_S)
    trial.recheck()
    await trial.settle()
