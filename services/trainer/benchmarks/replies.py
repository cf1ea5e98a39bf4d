"""The parts of the service's answers that a run needs; whatever else they hold is passed over.

Not here: asking for them (``service``).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from services.trainer.benchmarks.records import Produced, ProducedPart, ProducedStep
from shared.contracts.problems import Problem
from shared.contracts.trajectories import Usage


class Reply(BaseModel):
    """An answer read in part."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ImageReply(Reply):
    """Where a picture can be fetched."""

    url: str
    sha256: str


class VerdictReply(Reply):
    """The critic's judgement of an attempt."""

    success: bool
    reasoning: str = ""
    refine_prompt: str = ""


class AttemptReply(Reply):
    """One attempt of a step."""

    number: int
    prompt: str
    seed: int = 0
    image: ImageReply | None = None
    verdict: VerdictReply | None = None
    speculative: bool = False


class StepReply(Reply):
    """One step."""

    step_number: int
    step_name: str = ""
    instruction: str | None = None
    auxiliary_text: str | None = None
    text: str
    prompt: str | None
    status: str
    chosen: int | None
    image: ImageReply | None
    attempts: tuple[AttemptReply, ...]


class PartReply(Reply):
    """One piece of the result."""

    type: str
    step: int
    text: str | None = None
    image: ImageReply | None = None


class TrajectoryReply(Reply):
    """A trajectory."""

    id: str
    status: str
    final: bool
    plan_revision: int = 0
    steps: tuple[StepReply, ...] = ()
    output: tuple[PartReply, ...] = ()
    usage: Usage = Usage()
    problem: Problem | None = None

    @property
    def first_step(self) -> int:
        """The number the plan begins with."""
        return self.steps[0].step_number if self.steps else 1

    def images(self) -> dict[str, ImageReply]:
        """Every picture of the output by the file name it is kept under."""
        return {file_name(part): part.image for part in self.output if part.image is not None}


class CallsReply(Reply):
    """How many calls are expected."""

    expected: float


class SecondsReply(Reply):
    """How long it is expected to take."""

    expected: float


class EstimateReply(Reply):
    """What a request will probably take."""

    generator_calls: CallsReply
    seconds: SecondsReply | None = None


def file_name(part: PartReply) -> str:
    """The name a picture of the output is kept under."""
    return f"{part.step}.png"


def produced(item_id: str, reply: TrajectoryReply, *, seconds: float) -> Produced:
    """What came out of a finished trajectory."""
    return Produced(
        item_id=item_id,
        status=reply.status,
        trajectory_id=reply.id,
        steps=tuple(_step(step) for step in reply.steps),
        parts=tuple(_part(part) for part in reply.output),
        planner_calls=reply.usage.planner_calls,
        generator_calls=reply.usage.generator_calls,
        critic_calls=reply.usage.critic_calls,
        seconds=seconds,
        problem=None if reply.problem is None else reply.problem.code,
    )


def _step(step: StepReply) -> ProducedStep:
    chosen = (attempt.prompt for attempt in step.attempts if attempt.number == step.chosen)
    drawn = step.image is not None
    return ProducedStep(
        step_number=step.step_number,
        text=step.text,
        prompt=step.prompt,
        used_prompt=next(chosen, None),
        file=f"{step.step_number}.png" if drawn else None,
        accepted=step.status == "accepted" if drawn else None,
        attempts=len(step.attempts),
    )


def _part(part: PartReply) -> ProducedPart:
    if part.image is None:
        return ProducedPart(type="text", step=part.step, text=part.text or "")
    return ProducedPart(type="image", step=part.step, file=file_name(part))
