"""Which attempt of a step counts when none was accepted."""

from __future__ import annotations

from shared.contracts.profiles import OnExhausted
from shared.contracts.trajectories import Attempt, StepState


def best_attempt(step: StepState, rule: OnExhausted) -> Attempt | None:
    """The attempt to keep, or None if the rule or the lack of pictures forbids it.

    The critic gives no scores. ``keep_best`` takes an attempt it passed, else the last whose
    verdict could be read (each is drawn from a better prompt than the one before), else the
    last picture.
    """
    drawn = [
        attempt
        for attempt in step.attempts
        if attempt.image is not None
        and attempt.number >= step.first_attempt
        and not attempt.speculative
    ]
    if not drawn or rule is OnExhausted.FAIL:
        return None
    if rule is OnExhausted.KEEP_LAST:
        return drawn[-1]
    passed = [a for a in drawn if a.verdict is not None and a.verdict.success]
    judged = [a for a in drawn if a.verdict is not None]
    return (passed or judged or drawn)[-1]
