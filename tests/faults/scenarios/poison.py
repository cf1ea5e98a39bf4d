"""G10: commands that kill whoever carries them out stop, and harm no others."""

from __future__ import annotations

from tests.faults.ledger import of
from tests.faults.points import Reached
from tests.faults.script import FOR_EVER, POISON, Script, slow
from tests.faults.trial import Trial
from tests.faults.world import WORKERS

_MAX_EXECUTIONS = 5
_BYSTANDERS = 10
_BOUND_S = 120.0


async def poisoned(trial: Trial) -> None:
    """Two poisonous trajectories beside ten whose calls take longer than the poison lets live.

    One worker only: with every death all commands come to their end together and are sent again
    together, so that the innocent die with the guilty as often as possible.
    """
    spare = trial.world.crew[WORKERS[1]]
    spare.kill(down_s=_BOUND_S)

    def kill(reached: Reached) -> None:
        trial.world.kill_caller(reached.worker)
        trial.fault()

    poison = []
    for _ in range(2):
        script = Script(draw=(FOR_EVER + POISON,), steps_hit=(0,), salt=trial.rng.getrandbits(31))
        made = await trial.start(script, expected={"failed"})
        trial.world.points.arm(POISON, made.id, kill, times=1000)
        poison.append(made)
    calls = tuple([slow(2.5)] * 20)
    for _ in range(_BYSTANDERS):
        script = Script(draw=calls, judge=calls, steps_hit=(0, 1), salt=trial.rng.getrandbits(31))
        await trial.start(script)
    await trial.settle(bound_s=_BOUND_S)
    for made in poison:
        code = ((made.record or {}).get("problem") or {}).get("code")
        if code != "poison_command":
            trial.lost.append(f"{made.id}: ended with problem {code}")
        entries = of(trial.world.ledger(), made.id)
        calls_made = sum(e.what == "began" and e.operation == "draw" for e in entries)
        if calls_made > _MAX_EXECUTIONS:
            trial.doubled.append(f"{made.id}: the poison was taken {calls_made} times")
