"""G1, G2: everything dies at the same moment, servers included, as when the power goes."""

from __future__ import annotations

import asyncio
import json

from tests.faults.scenarios.load import steady_load, until
from tests.faults.trial import Trial

_CUTS = 3
_OVER_S = 8.0
_BOUND_S = 60.0
_COUNT = 16
_HOOKED = 4
_ALL_WITHIN_S = 40.0


async def cut(trial: Trial) -> None:
    """SIGKILL to every process at once, three times under load; what was accepted must be there.

    The operating system's cache survives this; that the state store writes through before it
    answers is a setting, and asserted here.
    """
    client = trial.world.redis()
    if client.config_get("appendfsync").get("appendfsync") != "always":  # type: ignore[union-attr]
        trial.lost.append("the state store answers before it has written to the disk")
    client.close()
    name = f"power-{trial.rng.getrandbits(32):x}"
    hook = {"url": f"{trial.world.wire.url}/hooks/{name}"}
    for _ in range(_CUTS):
        hooked = asyncio.create_task(trial.start_many(_HOOKED, webhook=hook))
        load = asyncio.create_task(steady_load(trial, count=_COUNT, over_s=_OVER_S))
        await asyncio.sleep(trial.rng.uniform(0.3, 0.9) * _OVER_S)
        for member in trial.world.crew.members.values():
            member.kill(down_s=1.0)
        trial.fault()
        await load
        await hooked
        trial.healed()
        await trial.settle(bound_s=_BOUND_S)
    await _check_webhooks(trial, name)
    trial.recheck()
    await trial.settle()


async def _check_webhooks(trial: Trial, name: str) -> None:
    """Every end is told, under one id each."""

    def told() -> dict[str, set[str]]:
        ids: dict[str, set[str]] = {}
        for each in trial.world.wire.received:
            if each.name == name:
                about = json.loads(each.body)["data"]["trajectory_id"]
                ids.setdefault(about, set()).add(each.headers["webhook-id"])
        return ids

    await until(lambda: len(told()) >= _CUTS * _HOOKED, within_s=_ALL_WITHIN_S)
    if len(told()) < _CUTS * _HOOKED:
        trial.lost.append(f"{_CUTS * _HOOKED - len(told())} webhooks never came")
    trial.doubled += [f"{about}: ids {ids}" for about, ids in told().items() if len(ids) > 1]
