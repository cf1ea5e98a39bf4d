"""A trajectory's record: request, plan, steps, attempts, pending commands.

This is both what the state machine works on and what is saved. Only
``services.orchestrator.machine`` makes new versions of it, except the first one
(``new_trajectory``), which the gateway saves when it accepts a request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.admission import Ticket
from shared.contracts.images import ImageRef, Sha256
from shared.contracts.plans import Plan, PlanStep
from shared.contracts.problems import Problem
from shared.contracts.profiles import Approval, Profile
from shared.contracts.verdicts import Verdict
from shared.contracts.wire import Wire


class Status(StrEnum):
    """Where a trajectory is in its life."""

    QUEUED = "queued"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing will happen any more."""
        return self in _FINAL


_FINAL = frozenset(
    {
        Status.SUCCEEDED,
        Status.PARTIALLY_SUCCEEDED,
        Status.FAILED,
        Status.CANCELLED,
        Status.EXPIRED,
    }
)


class StepStatus(StrEnum):
    """Where a step is."""

    WAITING = "waiting"
    DRAWING = "drawing"
    JUDGING = "judging"
    ACCEPTED = "accepted"
    """The critic passed a picture, or there was no critic to ask."""
    KEPT = "kept"
    """Attempts ran out; a picture nobody passed was kept."""
    TEXT = "text"
    """Text only, nothing drawn."""
    FAILED = "failed"

    @property
    def done(self) -> bool:
        """Whether the next step may start."""
        return self in {StepStatus.ACCEPTED, StepStatus.KEPT, StepStatus.TEXT}


class WebhookTarget(Wire):
    """Where a trajectory's events are sent; ``events`` empty means every final state."""

    url: str
    events: tuple[str, ...] = ()


class TrajectoryRequest(Wire):
    """A request as accepted: images stored, profile resolved, every default filled in."""

    prompt: str
    images: tuple[ImageRef, ...] = ()
    generator: str
    profile: str
    settings: Profile
    """The profile with the request's overrides applied."""
    max_steps: int = 20
    steps: int | None = None
    width_px: int
    height_px: int
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    approval: Approval = Approval.NONE
    deadline_s: float | None = None
    max_generator_calls: int = 100
    webhook: WebhookTarget | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class Attempt(Wire):
    """One picture for a step, and what became of it."""

    number: Annotated[int, Field(ge=1)]
    prompt: str
    seed: int
    sources: tuple[ImageRef, ...] = ()
    image: ImageRef | None = None
    verdict: Verdict | None = None
    problem: Problem | None = None
    """Set when no picture came (refused), or the verdict could not be read."""
    speculative: bool = False
    model: str = ""
    model_version: str = ""


class StepState(Wire):
    """A step of the plan as it runs."""

    plan: PlanStep
    status: StepStatus = StepStatus.WAITING
    attempts: tuple[Attempt, ...] = ()
    chosen: int | None = None
    """Number of the attempt whose picture counts."""
    first_attempt: int = 1
    """Number of the present round's first attempt; a retry asked for starts a new round."""

    @property
    def image(self) -> ImageRef | None:
        """The step's picture, if one was chosen."""
        return next((a.image for a in self.attempts if a.number == self.chosen), None)


class PlanCommand(Wire):
    """Ask the planner, unless the plan is given already."""

    type: Literal["plan"] = "plan"
    id: str
    given: Plan | None = None
    """A fork's plan: it takes the place of the planner's answer, and no planner is called."""


class GenerateCommand(Wire):
    """Ask the generator for one attempt's picture."""

    type: Literal["generate"] = "generate"
    id: str
    step: int
    """Index into ``Trajectory.steps``, from 0."""
    attempt: int
    speculative: bool = False
    after: int | None = None
    """Drawn ahead of a verdict: from this attempt of the step before."""


class CritiqueCommand(Wire):
    """Ask the critic about one attempt's picture."""

    type: Literal["critique"] = "critique"
    id: str
    step: int
    attempt: int


Command = Annotated[PlanCommand | GenerateCommand | CritiqueCommand, Field(discriminator="type")]


class ForkOrigin(Wire):
    """Where the steps of a fork come from that it did not do itself."""

    trajectory_id: str
    step: int
    """The ``step_number`` that the fork begins with; what came before is kept."""
    kept_steps: Annotated[int, Field(ge=0)]
    replanned: bool = False
    """The planner writes the rest anew; otherwise the plan was given."""
    sha256: Sha256
    """Of what was kept: the request before it and the kept steps, without ids and times."""


class Usage(Wire):
    """What a trajectory has cost so far."""

    planner_calls: int = 0
    generator_calls: int = 0
    critic_calls: int = 0
    discarded_calls: int = 0
    """Speculative generator calls that came to nothing; not among ``generator_calls``."""


class Trajectory(Wire):
    """The whole record. ``version`` grows by one with every save."""

    id: str
    tenant: str
    """Id of the API key's owner."""
    ticket: Ticket | None = None
    """Its place in line while it is queued; None: it need not wait."""
    version: int = 0
    status: Status = Status.QUEUED
    request: TrajectoryRequest
    created_at: AwareDatetime
    updated_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    deadline_at: AwareDatetime | None = None
    forked_from: ForkOrigin | None = None
    planner_model: str = ""
    planner_version: str = ""
    plan_complete: bool = False
    plan_revision: int = 0
    steps: tuple[StepState, ...] = ()
    pending: tuple[Command, ...] = ()
    usage: Usage = Usage()
    sequence: int = 0
    """Number of the newest public event."""
    problem: Problem | None = None
    trace: dict[str, str] = Field(default_factory=dict)
    """W3C trace context of the request that made it."""
