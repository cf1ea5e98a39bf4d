"""G11: an event stream is dropped at every index and resumed."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx

from tests.faults.api import Json
from tests.faults.script import Script, slow
from tests.faults.trial import Accepted, Trial

_LIVE = 4
_GIVE_UP_S = 60.0


async def dropped(trial: Trial) -> None:
    """Live, after every single event; and afterwards from every index; the gateway dies too."""
    script = Script(plan=(slow(0.3),), draw=(slow(0.3),), judge=(slow(0.3),), steps_hit=(0, 1))
    made = [
        await trial.start(script.model_copy(update={"salt": trial.rng.getrandbits(31)}))
        for _ in range(_LIVE)
    ]
    listening = [asyncio.create_task(_listen(trial, each)) for each in made]
    await asyncio.sleep(0.8)
    trial.world.crew["gateway"].kill()
    trial.fault()
    heard = await asyncio.gather(*listening)
    await trial.settle()
    for each, events in zip(made, heard, strict=True):
        await _compare(trial, each, events)


async def _listen(trial: Trial, made: Accepted) -> list[Json]:
    """One event for every connection."""
    heard: list[Json] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(_GIVE_UP_S):
            while not (heard and heard[-1]["type"] == "trajectory.succeeded"):
                after = heard[-1]["sequence"] if heard else 0
                try:
                    heard += await trial.api.events(made.id, after=after, at_most=1)
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
                trial.fault()
    return heard


async def _compare(trial: Trial, made: Accepted, heard: list[Json]) -> None:
    whole = await trial.api.events(made.id)
    if heard != whole:
        mine, all_ = ([e["sequence"] for e in events] for events in (heard, whole))
        about = trial.doubled if len(mine) > len(set(mine)) else trial.lost
        about.append(f"{made.id}: heard {mine} of {all_}")
    for after in range(len(whole)):
        trial.fault()
        if await trial.api.events(made.id, after=after) != whole[after:]:
            trial.lost.append(f"{made.id}: resuming after {after} gave other events")
