"""What the launcher reads of the public API's answers; fields it does not use are skipped."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FieldProblemView(View):
    """One invalid field."""

    pointer: str = ""
    detail: str = ""


class ProblemView(View):
    """A problem document (RFC 9457) or the problem of a trajectory."""

    title: str = "Unknown problem"
    detail: str = ""
    errors: tuple[FieldProblemView, ...] = ()

    def text(self) -> str:
        """The problem for a person to read."""
        lines = [f"{self.title}: {self.detail}" if self.detail != self.title else self.title]
        lines += [f"  {each.pointer or '/'}: {each.detail}" for each in self.errors]
        return "\n".join(lines)


class PlanStepView(View):
    """A planned step, as the planner wrote it."""

    step_number: int
    prompt: str | None = None
    instruction: str | None = None
    auxiliary_text: str | None = None


class ImageView(View):
    """A stored image."""

    id: str
    url: str
    sha256: str


class VerdictView(View):
    """What the critic said."""

    success: bool
    reasoning: str = ""


class AttemptView(View):
    """One picture for a step."""

    number: int
    prompt: str
    image: ImageView | None = None
    verdict: VerdictView | None = None


class StepView(View):
    """A step with its attempts."""

    step_number: int
    text: str = ""
    prompt: str | None = None
    status: str
    chosen: int | None = None
    image: ImageView | None = None
    attempts: tuple[AttemptView, ...] = ()


class RequestView(View):
    """What was asked."""

    prompt: str
    images: tuple[ImageView, ...] = ()


class TrajectoryView(View):
    """A trajectory as the API shows it."""

    id: str
    status: str
    final: bool
    sequence: int
    request: RequestView
    steps: tuple[StepView, ...] = ()
    problem: ProblemView | None = None


class EventView(View):
    """One event of a trajectory's history."""

    sequence: int
    type: str
    step: int | None = None
    attempt: int | None = None
    text: str | None = None
    success: bool | None = None
    plan_step: PlanStepView | None = None
    problem: ProblemView | None = None

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return self.type in FINAL_TYPES


class GapView(View):
    """Some events are no longer kept; the snapshot says how things stand."""

    sequence: int
    snapshot: TrajectoryView


FINAL_STATUSES = ("succeeded", "partially_succeeded", "failed", "cancelled", "expired")
FINAL_TYPES = frozenset(f"trajectory.{status}" for status in FINAL_STATUSES)
