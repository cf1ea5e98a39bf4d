"""G4, G8: deadlines and budgets end with the best so far; verdicts are random."""

from __future__ import annotations

import asyncio
from datetime import datetime

from tests.faults.script import HANG, Script, slow
from tests.faults.trial import Accepted, Trial

_LATE_S = 3.0
_RANDOM = 30
_ALL = (1, 2, 3, 4, 5)


async def reached(trial: Trial) -> None:
    """Deadlines with and without a picture, budgets, and random mixtures of both."""
    part, none = {"partially_succeeded"}, {"expired"}
    made: list[Accepted] = []
    for _ in range(4):
        script = Script(steps=4, draw=(slow(1.0),), steps_hit=(0, 1, 2, 3), salt=_salt(trial))
        made.append(await trial.start(script, expected=part, deadline_s=2.5))
        hanging = Script(draw=(f"*{HANG}",), steps_hit=(0,), salt=_salt(trial))
        made.append(await trial.start(hanging, expected=none, deadline_s=2.0))
        refused = Script(refused=_ALL, steps_hit=(0, 1), salt=_salt(trial))
        made.append(await trial.start(refused, expected=part, max_generator_calls=2))
        made.append(await trial.start(refused, expected=part))
        trial.fault(4)
    await asyncio.gather(*(_random(trial) for _ in range(_RANDOM)))
    await trial.settle()
    for each in made:
        _check_deadline(trial, each)


async def _random(trial: Trial) -> None:
    rng = trial.rng
    refused = tuple(attempt for attempt in _ALL if rng.random() < 0.5)
    steps = rng.choice((1, 2, 3))
    script = Script(steps=steps, refused=refused, steps_hit=(0, 1, 2), salt=_salt(trial))
    ends = {"succeeded", "partially_succeeded", "failed", "expired"}
    await trial.start(
        script,
        expected=ends,
        max_generator_calls=rng.choice((1, 3, 6, 100)),
        max_attempts=rng.choice((1, 2, 3)),
        profile=rng.choice(("default", "paper", "strict")),
        deadline_s=rng.choice((0.5, 60.0, 60.0)),
    )
    trial.fault()


def _check_deadline(trial: Trial, made: Accepted) -> None:
    record = made.record or {}
    if record.get("finished_at") and record.get("deadline_at"):
        late = datetime.fromisoformat(record["finished_at"]) - datetime.fromisoformat(
            record["deadline_at"]
        )
        if late.total_seconds() > _LATE_S:
            trial.stuck.append(f"{made.id}: ended {late.total_seconds():.1f} s after its deadline")


def _salt(trial: Trial) -> int:
    return trial.rng.getrandbits(31)
