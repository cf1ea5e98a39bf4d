"""G10: commands that kill whoever carries them out stop, and harm no others."""

from __future__ import annotations

import asyncio

from tests.faults.ledger import of
from tests.faults.points import Reached
from tests.faults.script import FOR_EVER, POISON, Script, slow
from tests.faults.trial import Accepted, Trial
from tests.faults.world import WORKERS

_MAX_EXECUTIONS = 5
_BYSTANDERS = 10
_AT_ONCE = 4
_LATER = 3
_PAUSE_S = 2.0
_BOUND_S = 120.0
_LONG = tuple([slow(2.5)] * 20)
_OPERATIONS = ("draw", "judge", "plan")


async def poisoned(trial: Trial) -> None:
    """Two poisonous trajectories beside ten whose calls take longer than the poison lets live.

    One worker only: with every death all commands come to their end together and are sent again
    together, so that the innocent die with the guilty as often as possible.
    """
    _one_worker_only(trial)
    poison = [await _poison(trial, "draw") for _ in range(2)]
    await _bystanders(trial)
    await trial.settle(bound_s=_BOUND_S)
    _check(trial, poison)


async def poisoned_by_many(trial: Trial) -> None:
    """Four poisons at once, and more of every kind while the innocent recover."""
    _one_worker_only(trial)
    poison = [await _poison(trial, "draw") for _ in range(_AT_ONCE)]
    await _bystanders(trial)
    for number in range(_LATER):
        await asyncio.sleep(_PAUSE_S)
        poison.append(await _poison(trial, _OPERATIONS[number % len(_OPERATIONS)]))
    await trial.settle(bound_s=_BOUND_S)
    _check(trial, poison)


def _one_worker_only(trial: Trial) -> None:
    trial.world.crew[WORKERS[1]].kill(down_s=2 * _BOUND_S)


async def _poison(trial: Trial, operation: str) -> Accepted:
    def kill(reached: Reached) -> None:
        trial.world.kill_caller(reached.worker)
        trial.fault()

    answers = {operation: (FOR_EVER + POISON,), "steps_hit": (0,)}
    script = Script.model_validate({**answers, "salt": trial.rng.getrandbits(31)})
    # A judge that never answers costs a verdict, not the picture: that is the best so far.
    ends = {"failed", "partially_succeeded"} if operation == "judge" else {"failed"}
    made = await trial.start(script, expected=ends)
    trial.world.points.arm(POISON, made.id, kill, times=1000)
    return made


async def _bystanders(trial: Trial) -> None:
    for _ in range(_BYSTANDERS):
        script = Script(draw=_LONG, judge=_LONG, steps_hit=(0, 1), salt=trial.rng.getrandbits(31))
        await trial.start(script)


def _check(trial: Trial, poison: list[Accepted]) -> None:
    """Each ended with a clear problem, after its own five ends.

    Another poison's two unsuspected ends may take the worker away while this one is in a cell,
    where its end then goes unseen.
    """
    allowed = _MAX_EXECUTIONS + 2 * (len(poison) - 1)
    entries = trial.world.ledger()
    for made in poison:
        code = ((made.record or {}).get("problem") or {}).get("code")
        if code != "poison_command":
            trial.lost.append(f"{made.id}: ended with problem {code}")
        calls: dict[str, int] = {}
        for entry in of(entries, made.id):
            calls[entry.key] = calls.get(entry.key, 0) + (entry.what == "began")
        most = max(calls.values(), default=0)
        if most > allowed:
            trial.doubled.append(f"{made.id}: the poison was taken {most} times")
