"""G3, G13: every queue message is delivered three times, late and shuffled."""

from __future__ import annotations

import asyncio
import random

from tests.faults.scenarios.load import until
from tests.faults.script import Script, slow
from tests.faults.trial import Accepted, Trial

_COUNT = 24
_EVENTS = ["step.finished", "trajectory.running", "trajectory.succeeded"]
_TICK_S = 0.05


async def tripled(trial: Trial) -> None:
    """The same requests once in peace and once with every message thrice: the same results."""
    peace = await _run(trial, "peace")
    await trial.settle()
    trial.world.messages.begin(trial.rng.getrandbits(30))
    pump = asyncio.create_task(_pump(trial))
    try:
        storm = await _run(trial, "storm")
        await trial.settle()
        await asyncio.sleep(3.0)  # the last copies come after the end
        pairs = list(zip(peace, storm, strict=True))
        await until(lambda: all(len(_ids(trial, s)) >= len(_ids(trial, p)) for p, s in pairs))
    finally:
        trial.world.messages.tripling = False
        pump.cancel()
    trial.fault(trial.world.messages.copies)
    for one, other in zip(peace, storm, strict=True):
        before, after = await _traces(trial, one), await _traces(trial, other)
        trial.doubled += [
            f"{other.id}: {name} differ from {one.id}"
            for name in before
            if before[name] != after[name]
        ]


async def _run(trial: Trial, name: str) -> list[Accepted]:
    made: list[Accepted] = []
    rng = random.Random(f"{trial.name}")
    for number in range(_COUNT):
        script = Script(
            judge=(slow(rng.choice((0.0, 0.2))),),
            refused=rng.choice(((), (), (1,))),
            draw=(slow(rng.choice((0.0, 0.2))),),
            steps_hit=(0, 1),
            salt=number,
        )
        hook = f"{trial.world.wire.url}/hooks/{trial.name}-{name}"
        made.append(
            await trial.start(
                script, steps=2, seed=number, webhook={"url": hook, "events": _EVENTS}
            )
        )
    trial.healed()
    return made


async def _traces(trial: Trial, made: Accepted) -> dict[str, object]:
    """What must be equal; ids and times aside."""
    events = await trial.api.events(made.id)
    kept = ("sequence", "type", "step", "attempt", "success", "text")
    sha = [(event.get("image") or {}).get("sha256") for event in events]
    return {
        "manifests": await trial.api.manifest(made.id),
        "events": ([tuple(event.get(name) for name in kept) for event in events], sha),
        "webhook ids": sorted(each.rsplit("_", 1)[1] for each in _ids(trial, made)),
    }


def _ids(trial: Trial, made: Accepted) -> set[str]:
    """Of the webhooks that told of this one."""
    own = made.id.removeprefix("trj_")
    received = list(trial.world.wire.received)
    return {r.headers["webhook-id"] for r in received if own in r.headers["webhook-id"]}


async def _pump(trial: Trial) -> None:
    client = trial.world.redis()
    while True:
        await asyncio.to_thread(trial.world.messages.send_due, client)
        await asyncio.sleep(_TICK_S)
