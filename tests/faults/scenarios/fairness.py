"""G12: one key's thousand jobs beside another's single ones, and what a kill does to the line."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, cast

from shared.stores import redis_keys as keys
from shared.stores.trajectories import BATCH_EVERY
from tests.faults.admission_log import AdmissionLog, listening
from tests.faults.api import Api
from tests.faults.scenarios.load import until
from tests.faults.script import Script
from tests.faults.trial import Accepted, Trial
from tests.faults.tuning import tuned
from tests.faults.world import WORKERS, World

_MANY = 1000
_BATCH = 100
_CAPPED = 40
_CAP = 2
_SINGLES = 8
_AT_ONCE = 24
_IN_FLIGHT = 8
_KILLS = (*WORKERS, "reaper", *WORKERS, "gateway")
_BOUND_S = 240.0
_ONE_STEP = Script(steps=1)
_EMPTY_WITHIN_S = 20.0
_TUNED = {
    "ORCHESTRATOR_MAX_IN_FLIGHT": str(_IN_FLIGHT),
    "GATEWAY_MAX_IN_FLIGHT": str(_IN_FLIGHT),
}


async def admitted(trial: Trial) -> None:
    """Eight in flight; 1,000 of one key, 100 batch jobs, 40 of a key with a limit, single ones.

    The bound: a single job waits for at most one trajectory of every other key of its lane, and
    for the batch lane's every eighth turn.
    """
    world = trial.world
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(tuned(world, _TUNED, ("gateway", *WORKERS, "reaper")))
        log = stack.enter_context(listening(world.redis_url))
        greedy, modest, batch, capped = [
            await stack.enter_async_context(Api(world.url, world.new_key(name, *limits)))
            for name, limits in (
                ("greedy", ()),
                ("modest", ()),
                ("batch", ()),
                ("capped", ("--max-in-flight", str(_CAP))),
            )
        ]
        await _fill(trial, greedy, batch, capped)
        calm = [await _single(trial, modest) for _ in range(_SINGLES)]
        trial.fault()  # the thousand themselves
        if not any("ring:interactive" in name for name in _left(world)):
            trial.lost.append("the thousand were through before the single jobs were: no proof")
        stormy = await _storm(trial, modest)
        trial.healed()
        await trial.settle(bound_s=_BOUND_S)
        await _check(trial, log, [*calm, *stormy])
        waits = [log.waited_s[made.id] for made in calm if made.id in log.waited_s]
        trial.worst_recovery_s = max(waits)
        _tell(trial, log, waits)


async def _fill(trial: Trial, greedy: Api, batch: Api, capped: Api) -> None:
    """Queue everything while nothing is carried out."""
    for name in WORKERS:
        trial.world.crew[name].stop()
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(api: Api, priority: str) -> None:
        async with slots:
            await trial.start(_ONE_STEP, api=api, priority=priority)

    await asyncio.gather(
        *(one(batch, "batch") for _ in range(_BATCH)),
        *(one(capped, "interactive") for _ in range(_CAPPED)),
        *(one(greedy, "interactive") for _ in range(_MANY)),
    )
    for name in WORKERS:
        trial.world.crew[name].go_on()


async def _single(trial: Trial, api: Api) -> Accepted:
    made = await trial.start(_ONE_STEP, api=api)
    await trial.api.until_final(made.id, still_s=_BOUND_S)
    return made


async def _storm(trial: Trial, api: Api) -> list[Accepted]:
    """Processes die while the line moves; a single job comes each time."""
    made: list[Accepted] = []
    for name in _KILLS:
        await asyncio.sleep(trial.rng.uniform(0.5, 2.0))
        trial.world.crew[name].kill()
        trial.fault()
        made.append(await trial.start(_ONE_STEP, api=api))
    return made


async def _check(trial: Trial, log: AdmissionLog, singles: Sequence[Accepted]) -> None:
    if log.most_in_flight > _IN_FLIGHT:
        trial.doubled.append(f"{log.most_in_flight} in flight, the limit is {_IN_FLIGHT}")
    for made in singles[:_SINGLES]:  # later ones may find one of their own key before them
        check_turns(trial, log, made.id)
    if not await until(lambda: not _left(trial.world), within_s=_EMPTY_WITHIN_S):
        trial.doubled.append(f"after everything ended the line still holds {_left(trial.world)}")


def check_turns(trial: Trial, log: AdmissionLog, trajectory_id: str) -> None:
    """At most one of every other key in the lane, and the batch lane's share of turns."""
    if trajectory_id not in log.waited_s:
        trial.lost.append(f"{trajectory_id}: was never seen in the line")
        return
    before = Counter(log.lines[each] for each in log.before(trajectory_id))
    for line, count in before.items():
        lane = line.partition(":")[0]
        most = 1 if lane == "interactive" else math.ceil((sum(before.values()) + 1) / BATCH_EVERY)
        if count > most:
            trial.stuck.append(f"{trajectory_id}: {count} of {line} went first, at most {most} may")


def _left(world: World) -> dict[str, int]:
    """What the line's own books still hold: nothing, when everything has ended."""
    client = cast("Any", world.redis())
    sizes: dict[str, int] = {}
    for name in client.scan_iter(f"{keys.ADMISSION}admitted*"):
        sizes[name.decode()] = int(client.scard(name))
    for pattern in ("waiting", "ring"):
        for name in client.scan_iter(f"{keys.ADMISSION}{pattern}*"):
            sizes[name.decode()] = int(client.zcard(name))
    client.close()
    return {name: size for name, size in sizes.items() if size}


def _tell(trial: Trial, log: AdmissionLog, waits: Sequence[float]) -> None:
    trial.note(
        f"single jobs beside {_MANY}: waited {statistics.median(waits):.2f} s (median),"
        f" {max(waits):.2f} s (worst) for their turn, {_IN_FLIGHT} in flight"
    )
    longest = max(log.waited_s.values())
    trial.note(f"the last of the {_MANY} waited {longest:.1f} s; {len(log.order)} were let in")
