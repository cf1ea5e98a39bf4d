"""The plan, and what the planner service is asked and answers.

``POST /v1/plans`` takes a ``PlanTask`` and answers newline-delimited JSON: one
``PlanStepWritten`` per step as soon as it parses, then exactly one ``PlanFinished`` or
``PlanRefused``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.contracts.images import ImageRef
from shared.contracts.wire import Wire


class PlanStep(Wire):
    """One step of a plan. ``prompt`` None means text only: nothing is drawn.

    Source: InterleaveThinker, planner output format.
    """

    step_number: Annotated[int, Field(ge=1)]
    step_name: str = ""
    instruction: str | None = None
    prompt: str | None = None
    auxiliary_text: str | None = None

    @property
    def draws(self) -> bool:
        """Whether the step makes a picture."""
        return self.prompt is not None

    @property
    def text(self) -> str:
        """What the reader sees beside the step's picture (or instead of it)."""
        return self.auxiliary_text or self.instruction or ""


class Plan(Wire):
    """All steps of a trajectory, in order."""

    steps: tuple[PlanStep, ...]


class PlanTask(Wire):
    """What the planner service needs to write one plan."""

    trajectory_id: str
    prompt: str
    images: tuple[ImageRef, ...] = ()
    steps: int | None = None
    """Exact number of steps the caller asked for, or None."""
    max_steps: int = 20
    seed: int = 0


class PlanCheck(Wire):
    """Asked before a trajectory is accepted: can this request be planned at all?"""

    prompt: str
    image_count: int = 0


class PlanCheckResult(Wire):
    """Answer to ``POST /v1/plans:check``; ``code`` and ``detail`` say why not."""

    ok: bool
    code: str = ""
    detail: str = ""


class PlanStepWritten(Wire):
    """A step parsed while the planner still writes."""

    type: Literal["step"] = "step"
    step: PlanStep


class PlanFinished(Wire):
    """The whole validated plan."""

    type: Literal["plan"] = "plan"
    plan: Plan
    model: str = ""
    model_version: str = ""
    output_tokens: int = 0


class PlanRefused(Wire):
    """No valid plan came out; ``code`` is a problem code (see ``shared.errors``)."""

    type: Literal["refused"] = "refused"
    code: str
    detail: str


PlanMessage = Annotated[PlanStepWritten | PlanFinished | PlanRefused, Field(discriminator="type")]
PLAN_MESSAGE: TypeAdapter[PlanStepWritten | PlanFinished | PlanRefused] = TypeAdapter(PlanMessage)
