"""Events: what happened to a trajectory.

``Happening`` types go into the state machine; ``PublicEvent`` goes out to SSE clients,
webhooks and the log. Their names are in the past tense, except what a caller asks for.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from shared.contracts.generation import Picture
from shared.contracts.plans import Plan, PlanStep
from shared.contracts.problems import Problem
from shared.contracts.trajectories import Status
from shared.contracts.verdicts import Verdict
from shared.contracts.wire import Wire


class PlanStarted(Wire):
    """A worker took up the plan command."""

    type: Literal["plan_started"] = "plan_started"
    command_id: str


class PlanStepArrived(Wire):
    """The planner wrote one more step; ``index`` counts from 0 and makes repeats harmless."""

    type: Literal["plan_step_arrived"] = "plan_step_arrived"
    command_id: str
    index: int
    step: PlanStep


class PlanArrived(Wire):
    """The plan is complete and valid."""

    type: Literal["plan_arrived"] = "plan_arrived"
    command_id: str
    plan: Plan
    model: str = ""
    model_version: str = ""


class PictureArrived(Wire):
    """The generator drew an attempt."""

    type: Literal["picture_arrived"] = "picture_arrived"
    command_id: str
    picture: Picture


class VerdictArrived(Wire):
    """The critic judged an attempt; ``verdict`` None means its answer could not be read."""

    type: Literal["verdict_arrived"] = "verdict_arrived"
    command_id: str
    verdict: Verdict | None
    detail: str = ""


class CommandFailed(Wire):
    """A command will not succeed: retries are used up, or the service refused for good."""

    type: Literal["command_failed"] = "command_failed"
    command_id: str
    problem: Problem


class CancelRequested(Wire):
    """The caller wants it stopped."""

    type: Literal["cancel_requested"] = "cancel_requested"


class DeadlinePassed(Wire):
    """The trajectory's time is up."""

    type: Literal["deadline_passed"] = "deadline_passed"


class PlanEdited(Wire):
    """The caller replaced the plan while it awaited approval."""

    type: Literal["plan_edited"] = "plan_edited"
    plan: Plan
    revision: int
    """One more than the ``plan_revision`` the caller edited; any other number changes nothing."""


class PlanApproved(Wire):
    """The caller approved the plan."""

    type: Literal["plan_approved"] = "plan_approved"


class StepRetryRequested(Wire):
    """The caller wants step ``step`` (index from 0) and what follows drawn again."""

    type: Literal["step_retry_requested"] = "step_retry_requested"
    step: int
    prompt: str | None = None
    """Replaces the plan's prompt of that step; None keeps it."""
    seed: int | None = None
    """Seed of the first new attempt; None derives it as usual."""
    after_attempt: int | None = None
    """How many attempts the step had when the caller asked: a repeat then changes nothing."""


Happening = Annotated[
    PlanStarted
    | PlanStepArrived
    | PlanArrived
    | PictureArrived
    | VerdictArrived
    | CommandFailed
    | CancelRequested
    | DeadlinePassed
    | PlanEdited
    | PlanApproved
    | StepRetryRequested,
    Field(discriminator="type"),
]
HAPPENING: TypeAdapter[Happening] = TypeAdapter(Happening)


EVENT_TYPES = (
    *(f"trajectory.{status}" for status in Status),
    "plan.step",
    "plan.completed",
    "step.started",
    "attempt.drawn",
    "attempt.judged",
    "attempt.failed",
    "step.finished",
)
"""Every type that a ``PublicEvent`` may have."""


class PublicEvent(Wire):
    """One entry of a trajectory's public history.

    ``type`` is one of ``trajectory.<status>``, ``plan.step``, ``plan.completed``,
    ``step.started``, ``attempt.drawn``, ``attempt.judged``, ``attempt.failed``,
    ``step.finished``. ``step`` is the plan's ``step_number``.
    """

    sequence: Annotated[int, Field(ge=1)]
    type: str
    trajectory_id: str
    at: AwareDatetime
    step: int | None = None
    attempt: int | None = None
    text: str | None = None
    """Step text, verdict reasoning or problem detail, whichever the type is about."""
    success: bool | None = None
    image_sha256: str | None = None
    plan_step: PlanStep | None = None
    problem: Problem | None = None
