"""All scenarios, and running them one after the other on one stack."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from tests.faults.api import Api, Unanswered
from tests.faults.proxy import Mode
from tests.faults.scenarios import (
    cancels,
    changes,
    fairness,
    kills,
    limits,
    models,
    poison,
    pools,
    power,
    queues,
    storage,
    stores,
    streams,
    webhooks,
)
from tests.faults.trial import Outcome, Trial
from tests.faults.world import MODELS, WORKERS, World

Scenario = Callable[[Trial], Awaitable[None]]
_TICK_S = 0.1
_CALM_S = 60.0

SCENARIOS: Mapping[str, tuple[str, Scenario]] = {
    "kills_at_points": ("G1 worker killed at named points", kills.at_points),
    "kills_at_random": ("G1 processes killed and stopped at random", kills.at_random),
    "valkey_killed": ("G2 Valkey killed and restarted", stores.killed),
    "valkey_wiped": ("G2 Valkey wiped, rebuilt from the journal", stores.wiped),
    "power_cut": ("G1, G2 every process killed at once, servers too", power.cut),
    "messages_tripled": ("G3, G13 messages delivered three times, shuffled", queues.tripled),
    "limits": ("G4, G8 deadlines, budgets, random verdicts", limits.reached),
    "changes": ("G1, G4 plans edited, steps redone, forks, kills", changes.made_by_people),
    "storage_broken": ("G5 bucket down, slow, silent, refusing, truncating", storage.broken),
    "models_faulty": ("G6 model services slow, hanging, wrong, dying", models.faulty),
    "model_returns": ("G6 generator away, no herd when it returns", models.returning),
    "pools": ("G6 a service away holds up no other work", pools.kept_apart),
    "cancels": ("G7 cancel raced against every transition", cancels.raced),
    "webhooks": ("G9 webhook receiver away, worker killed", webhooks.receiver_away),
    "poison": ("G10 commands that kill their worker", poison.poisoned),
    "poisons": ("G10 seven commands that kill their worker at once", poison.poisoned_by_many),
    "streams": ("G11 event streams dropped at every index", streams.dropped),
    "fair_admission": ("G12 1000 jobs of one key (worst: wait of a single job)", fairness.admitted),
}
"""Name (for ``ONLY``) -> promise as the table says it, and the scenario."""
SMALL: Mapping[str, tuple[str, Scenario]] = {"smoke": ("G1 workers killed (smoke)", kills.smoke)}
"""Only run when asked for."""


async def run_one(world: World, name: str, *, seed: int, tell: Callable[[str], None]) -> Outcome:
    """One scenario on a healthy stack; gives its row and tells what is wrong."""
    promise, scenario = {**SCENARIOS, **SMALL}[name]
    began = time.monotonic()
    tell(f"{name} (seed {seed}) ...")
    async with tended(world), Api(world.url, world.key) as api:
        await _calm(world)
        trial = Trial(
            world, api, random.Random(f"{seed}:{name}"), f"{name}-{seed}-{time.time_ns()}"
        )
        try:
            await scenario(trial)
        except Unanswered as error:
            trial.stuck.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 - the other scenarios are still to be run
            trial.lost.append(f"{name}: {error!r}")
        _heal(world)
    outcome = trial.outcome(promise)
    if api.conflicts:
        trial.note(f"{api.conflicts} times an idempotency key was still busy (409)")
    for note in trial.notes:
        tell(f"  {note}")
    for complaint in (*trial.lost, *trial.doubled, *trial.stuck):
        tell(f"  ! {complaint}")
    tell(
        f"  {outcome.trajectories} trajectories, {outcome.faults} faults,"
        f" worst recovery {outcome.worst_recovery_s} s, took {time.monotonic() - began:.0f} s"
    )
    return outcome


@asynccontextmanager
async def tended(world: World) -> AsyncGenerator[None]:
    """Whatever dies is started again for the length of the block."""

    async def tend() -> None:
        while True:
            world.crew.tend()
            await asyncio.sleep(_TICK_S)

    task = asyncio.create_task(tend())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _calm(world: World) -> None:
    """Wait until every process answers, as after the scenario before."""
    _heal(world)
    give_up_at = time.monotonic() + _CALM_S
    names = ("valkey", "seaweedfs", *MODELS, *WORKERS, "gateway")
    while time.monotonic() < give_up_at:
        ready = [await asyncio.to_thread(world.crew[name].spec.ready) for name in names]
        if all(ready):
            return
        await asyncio.sleep(_TICK_S)


def _heal(world: World) -> None:
    """Take every fault back."""
    world.points.disarm()
    world.messages.tripling = False
    world.wire.set_mode(world.s3, Mode.OPEN)
    world.wire.statuses.clear()
    for member in world.crew.members.values():
        member.held_until_s = 0.0
        member.go_on()
