"""The problems that the machine itself finds; service failures bring their own."""

from __future__ import annotations

from shared.contracts.problems import Problem
from shared.errors import PlanUnusableError

DEADLINE = Problem(
    code="deadline_passed",
    title="The deadline passed",
    detail="Time ran out before every step was done; what was ready is in the output.",
    status=504,
)
BUDGET = Problem(
    code="budget_exhausted",
    title="The budget is used up",
    detail="max_generator_calls was reached before every step was done.",
    status=409,
)
NOT_ACCEPTED = Problem(
    code="step_not_accepted",
    title="A step was not accepted",
    detail="No attempt of at least one step passed the critic.",
    status=422,
)


def unreadable_verdict(detail: str) -> Problem:
    """The critic answered, but not in its format."""
    return Problem(
        code="verdict_unreadable",
        title="The critic's answer could not be read",
        detail=detail or "No verdict was found in the answer.",
        status=502,
    )


def unusable_plan(detail: str) -> Problem:
    """The plan breaks what the request asked for."""
    return PlanUnusableError(detail).problem()
