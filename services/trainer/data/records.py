"""What the data pipeline keeps: prompts, trajectories with every attempt, scores of attempts.

All of it is written as JSON lines; pictures are named by their file relative to the data folder.
Not here: reading and writing them (``journal``, ``store``).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from pydantic import Field

from services.trainer.rewards import Marks
from shared.contracts.plans import PlanStep
from shared.contracts.wire import Wire
from shared.errors import ServiceTimeoutError, ServiceUnavailableError, StoreUnavailableError

_OUTAGES = {
    ServiceUnavailableError.code, ServiceTimeoutError.code, StoreUnavailableError.code,
}  # fmt: skip


def trajectory_name(prompt_id: str, generator: str) -> str:
    """What a request with one generator is called."""
    return f"{prompt_id}-{generator}"


class PromptRecord(Wire):
    """A request to be answered; ``world_seed`` is set where Sketchbook can make it again."""

    id: str
    category: str
    subcategory: str
    text: str
    images: tuple[str, ...] = ()
    steps: int | None = None
    world_seed: int | None = None


class AttemptRecord(Wire):
    """One picture for a step and the teacher's verdict on it (None: none was given)."""

    number: int
    prompt: str
    seed: int = 0
    file: str | None = None
    verdict: bool | None = None
    refine_prompt: str = ""
    reasoning: str = ""


class StepRecord(Wire):
    """A step of a plan as it went; ``source`` is the picture that it edits."""

    plan: PlanStep
    source: str | None = None
    chosen: int | None = None
    attempts: tuple[AttemptRecord, ...] = ()

    @property
    def file(self) -> str | None:
        """The picture that counts."""
        return next((a.file for a in self.attempts if a.number == self.chosen), None)

    @property
    def accepted(self) -> bool:
        """Whether the teacher passed the picture that counts, or there is none to pass."""
        chosen = (a.verdict for a in self.attempts if a.number == self.chosen)
        return not self.plan.draws or next(chosen, None) is True


class TrajectoryRecord(Wire):
    """A whole trajectory; ``problem`` says why there is none."""

    id: str
    prompt_id: str
    generator: str
    status: str
    steps: tuple[StepRecord, ...] = ()
    problem: str = ""
    """Begins with the problem's code."""

    @property
    def name(self) -> str:
        """The same for every try of one request with one generator; ``id`` is the try's own."""
        return trajectory_name(self.prompt_id, self.generator)

    @property
    def interrupted(self) -> bool:
        """Whether a service failed it and not the request: a later try may do better."""
        return self.problem.partition(":")[0] in _OUTAGES

    @property
    def usable(self) -> bool:
        """Whether it ended with every step done."""
        return self.status in {"succeeded", "partially_succeeded"} and bool(self.steps)


class Score(Wire):
    """Marks of 0 to 10 for one attempt; ``success`` only where that is known exactly."""

    semantics: float = Field(ge=0, le=10)
    quality: float = Field(ge=0, le=10)
    success: bool | None = None

    @property
    def overall(self) -> float:
        """One mark of 0 to 10.

        Source: VIEScore, the geometric mean of semantic consistency and perceptual quality.
        """
        return sqrt(self.semantics * self.quality)

    @property
    def marks(self) -> Marks:
        """The same as the rewards take it."""
        return Marks(self.semantics, self.quality)


class ScoreRecord(Wire):
    """The score of an attempt; None with the reason where it could not be scored."""

    trajectory_id: str
    step: int
    attempt: int
    score: Score | None
    problem: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        """Which attempt it belongs to."""
        return (self.trajectory_id, self.step, self.attempt)


Scores = dict[tuple[str, int, int], Score | None]


def drawn_attempts(
    trajectory: TrajectoryRecord,
) -> Iterator[tuple[int, StepRecord, AttemptRecord]]:
    """Every attempt that gave a picture, with its step and the step's index."""
    for index, step in enumerate(trajectory.steps):
        for attempt in step.attempts:
            if attempt.file is not None and step.plan.prompt is not None:
                yield index, step, attempt
