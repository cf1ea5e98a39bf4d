"""G1: any process is killed or stopped, at named points of a trajectory's life and at random."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.faults import redis_tap
from tests.faults.points import Reached
from tests.faults.scenarios.load import steady_load, until
from tests.faults.script import Script, slow
from tests.faults.trial import Trial
from tests.faults.wire import DELIVERED
from tests.faults.world import LEASE_S, MODELS, WORKERS

_AT_CALLS = (
    "before_plan",
    "after_plan",
    "before_draw",
    "after_draw",
    "before_judge",
    "after_judge",
)
_AT_REDIS = (
    redis_tap.POPPED,
    redis_tap.BEFORE_ACK,
    redis_tap.BEFORE_SAVE,
    redis_tap.AFTER_SAVE,
    redis_tap.BEFORE_FINAL_SAVE,
    redis_tap.AFTER_FINAL_SAVE,
)
_RANDOM_KILLS = 14
_VICTIMS = (*WORKERS, *WORKERS, *MODELS, "reaper", "gateway")


async def at_points(trial: Trial) -> None:
    """A worker dies at every named point; two bystanders must not notice."""
    await _after_accept(trial)
    for point in _AT_CALLS:
        await _at(trial, point, lambda r: trial.world.kill_caller(r.worker))
    for point in _AT_REDIS:
        await _at(trial, point, lambda r: trial.world.crew[r.worker].kill())
    await _at_delivery(trial)


async def at_random(trial: Trial) -> None:
    """Random processes are killed, or stopped for longer than a lease, under load."""
    load = asyncio.create_task(steady_load(trial, count=60, over_s=25.0))
    for _ in range(_RANDOM_KILLS):
        await asyncio.sleep(trial.rng.uniform(0.8, 2.4))
        member = trial.world.crew[trial.rng.choice(_VICTIMS)]
        if trial.rng.random() < 0.7:
            member.kill(down_s=trial.rng.choice((0.0, 0.0, 2.0)))
        else:
            member.stop()
            await asyncio.sleep(trial.rng.choice((0.5, LEASE_S + 1.5)))
            member.go_on()
        trial.fault()
    await load
    trial.healed()
    await trial.settle()


async def smoke(trial: Trial) -> None:
    """A quarter of a minute: three workers killed under a little load."""
    load = asyncio.create_task(steady_load(trial, count=8, over_s=4.0))
    for worker in (*WORKERS, WORKERS[0]):
        await asyncio.sleep(trial.rng.uniform(0.5, 1.5))
        trial.world.crew[worker].kill()
        trial.fault()
    await load
    trial.healed()
    await trial.settle()


async def _after_accept(trial: Trial) -> None:
    """Everything that could have heard of it dies the moment the caller has the 202."""
    await trial.start_many(3)
    for name in ("gateway", *WORKERS, "reaper"):
        trial.world.crew[name].kill()
    trial.fault()
    await trial.settle()


async def _at(trial: Trial, point: str, action: Callable[[Reached], None]) -> None:
    script = Script(stops=True, plan=(slow(0.2),), salt=trial.rng.getrandbits(31))
    victim = await trial.start(script)
    done = trial.world.points.arm(point, victim.id, action)
    await trial.start_many(2)
    if await until(done.is_set):
        trial.fault()
    else:
        trial.stuck.append(f"{victim.id}: {point} was never reached")
    trial.world.points.disarm()
    await trial.settle()


async def _at_delivery(trial: Trial) -> None:
    """The receiver has the webhook, and both workers die before its answer is written down."""
    name = f"kills-{trial.rng.getrandbits(32):x}"
    crew = trial.world.crew

    def kill_both(_: Reached) -> None:
        for worker in WORKERS:
            crew[worker].kill()

    done = trial.world.points.arm(DELIVERED, name, kill_both)
    await trial.start(webhook={"url": f"{trial.world.wire.url}/hooks/{name}"})
    if await until(done.is_set):
        trial.fault()
    await trial.settle()
    received = trial.world.wire.received
    again = await until(lambda: sum(r.name == name for r in received) > 1)
    ids = {r.headers["webhook-id"] for r in received if r.name == name}
    if not again or len(ids) != 1:
        trial.lost.append(f"webhook {name}: {len(ids)} ids, delivered again: {again}")
