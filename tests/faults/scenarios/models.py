"""G6: each model service is down, slow, hanging, wrong, or dies; then it comes back."""

from __future__ import annotations

from collections import Counter

from tests.faults.ledger import of
from tests.faults.scenarios.load import until
from tests.faults.script import (
    CUT,
    DIE,
    DIE_IN_SETUP,
    FOR_EVER,
    HANG,
    OPERATIONS,
    RUBBISH,
    Script,
    slow,
    status,
)
from tests.faults.trial import Accepted, Trial
from tests.faults.world import RETRY_WINDOW_S, SILENCE_S

_PASSING = (slow(1.0), HANG, status(500), status(503), RUBBISH, CUT, DIE)
_LASTING = (HANG, status(500), RUBBISH, CUT, status(400))
_AFTER = {"plan": ("failed",), "draw": ("failed",), "judge": ("partially_succeeded",)}
_MAX_TRIES = 3
_CLEAR = {"service_timeout", "service_unavailable", "service_rejected", "bad_reply"}
_BOUND_S = RETRY_WINDOW_S + _MAX_TRIES * SILENCE_S + 40.0
_WAITING = 40
_DOWN_S = 6.0
_WINDOW_S = 0.25


async def faulty(trial: Trial) -> None:
    """Every service in every way: once, all at the same time; then for ever."""
    # A service that dies in set-up is away for two starts: not at the same time as the others.
    for answers in (_PASSING, (DIE_IN_SETUP,)):
        for operation in OPERATIONS:
            for answer in answers:
                await trial.start(_script(trial, operation, answer))
                trial.fault()
        await trial.settle(bound_s=_BOUND_S)
    lasting: list[tuple[str, Accepted]] = []
    for operation in OPERATIONS:
        for answer in _LASTING:
            script = _script(trial, operation, FOR_EVER + answer)
            lasting.append((answer, await trial.start(script, expected=_AFTER[operation])))
            trial.fault()
    await trial.settle(bound_s=_BOUND_S)
    for answer, made in lasting:
        _check_end(trial, made, answer)


async def returning(trial: Trial) -> None:
    """The generator is away while many wait for it; they must not all come at once."""
    slots = [Script(judge=(slow(0.2),), salt=trial.rng.getrandbits(31)) for _ in range(_WAITING)]
    trial.world.crew["generator"].kill(down_s=_DOWN_S)
    trial.fault()
    for script in slots:
        await trial.start(script)
    generator = trial.world.crew["generator"]
    await until(generator.spec.ready, within_s=30.0)
    trial.healed()
    await trial.settle()
    ids = {made.id for made in trial.accepted}
    began = sorted(
        e.at_s
        for e in trial.world.ledger()
        if e.trajectory_id in ids and e.what == "began" and "/steps/0/" in e.key
    )
    peak = max(sum(at <= each < at + _WINDOW_S for each in began) for at in began)
    trial.note(f"most calls within {_WINDOW_S} s of its return: {peak} of {_WAITING} waiting")
    if peak > _WAITING // 2:
        trial.stuck.append(f"a herd: {peak} of {_WAITING} calls within {_WINDOW_S} s")


def _script(trial: Trial, operation: str, answer: str) -> Script:
    answers = {operation: (answer,), "steps_hit": (0,), "salt": trial.rng.getrandbits(31)}
    return Script.model_validate(answers)


def _check_end(trial: Trial, made: Accepted, answer: str) -> None:
    """The problem says what it was, and the service was asked a bounded number of times."""
    problem = ((made.record or {}).get("problem") or {}).get("code")
    if problem not in _CLEAR:
        trial.lost.append(f"{made.id}: ended with problem {problem}")
    calls = Counter(e.key for e in of(trial.world.ledger(), made.id) if e.what == "began")
    most = max(calls.values(), default=0)
    # One execution may have been handed over when something else was killed.
    bound = 2 * _MAX_TRIES if answer in {HANG, RUBBISH} else 60
    if most > bound:
        trial.doubled.append(f"{made.id}: asked {most} times ({answer})")
