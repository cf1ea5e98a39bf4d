"""Marks every attempt, 0 to 10 for semantics and for quality, by the grader or by a judge.

What cannot be marked is kept as such with its reason, never guessed. Not here: what follows from
the marks (``filters``).

Source of the judge's scale: VIEScore (semantic consistency, perceptual quality).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from services.trainer.benchmarks.judge import FailureKind, Judge, JudgeFailure, Question
from services.trainer.benchmarks.pictures import for_judge
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import Score, ScoreRecord, TrajectoryRecord, drawn_attempts
from services.trainer.sketchbook.grader import decode, grade
from services.trainer.sketchbook.language import UnknownWordingError, outcomes_of
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.world import ImpossibleEditError
from shared.errors import ServiceUnavailableError
from shared.llm.engine import ImagePart, Part, TextPart

_JUDGE = "judge"
"""How the problem begins where a judge is to blame."""


class UnscorableError(ValueError):
    """There is no score; the message says why."""


class Scorer(Protocol):
    """Marks a picture."""

    async def score(self, before: Path | None, prompt: str, after: Path) -> Score:
        """Marks of a picture that the prompt asked for, drawn from the one before.

        Raises:
            UnscorableError: It cannot be marked.
        """
        ...


class GraderScorer:
    """Exact marks of Sketchbook pictures."""

    async def score(self, before: Path | None, prompt: str, after: Path) -> Score:
        """See ``Scorer``."""
        return await asyncio.to_thread(graded, before, prompt, after)

    async def score_pictures(self, before: bytes | None, prompt: str, after: bytes) -> Score:
        """The same for PNG files in memory."""
        was = None if before is None else decoded(before)
        return await asyncio.to_thread(grade_picture, was, prompt, decoded(after))


def graded(before: Path | None, prompt: str, after: Path) -> Score:
    """The grader's marks.

    Raises:
        UnscorableError: The prompt is not in the world's words or cannot be carried out.
    """
    return grade_picture(None if before is None else opened(before), prompt, opened(after))


def grade_picture(before: Picture | None, prompt: str, after: Picture) -> Score:
    """The same for pictures in memory; raises as ``graded`` does."""
    scene = None if before is None else decode(before).scene
    try:
        accepted = outcomes_of(scene, prompt)
    except (UnknownWordingError, ImpossibleEditError) as error:
        raise UnscorableError(f"{type(error).__name__}: {error}") from error
    if not accepted:
        raise UnscorableError("the prompt cannot be carried out on this picture")
    marked = grade(scene, accepted, after)
    return Score(semantics=marked.semantics, quality=marked.quality, success=marked.success)


def opened(path: Path) -> Picture:
    """A picture as (height, width, 3) uint8 RGB."""
    return decoded(path.read_bytes())


def decoded(content: bytes) -> Picture:
    """The same of a file in memory."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)


class _Said(BaseModel):
    """What a judge answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    success: float = Field(ge=0, le=10)
    restraint: float = Field(ge=0, le=10)
    naturalness: float = Field(ge=0, le=10)
    artifacts: float = Field(ge=0, le=10)


_SYSTEM = """\
You mark pictures made by an image generator. Mark strictly and use the whole scale of 0 to 10.
Answer with one JSON object and nothing else."""
_TASK = """\
The instruction was: {prompt}

Give four marks:
- "success": how far the last picture does what the instruction asks (10: entirely).
- "restraint": how far everything that was not to change has stayed as it was (10: untouched;
  also 10 if there is no picture before).
- "naturalness": how believable the last picture is as a whole (light, anatomy, perspective).
- "artifacts": how free it is of drawing faults (10: none).
{"success": ..., "restraint": ..., "naturalness": ..., "artifacts": ...}"""


@dataclass(frozen=True, slots=True)
class JudgeScorer:
    """Marks by a vision model; the worst aspect of each pair counts, as in VIEScore."""

    judge: Judge

    async def score(self, before: Path | None, prompt: str, after: Path) -> Score:
        """See ``Scorer``."""
        return await self.score_pictures(
            None if before is None else for_judge(before), prompt, for_judge(after)
        )

    async def score_pictures(self, before: bytes | None, prompt: str, after: bytes) -> Score:
        """The same for PNG files in memory."""
        shown: list[Part] = []
        if before is not None:
            shown += [TextPart("The picture before:"), ImagePart(before)]
        shown += [TextPart("The picture to mark:"), ImagePart(after)]
        # Braces in the task are JSON, so the prompt is put in by hand.
        shown.append(TextPart(_TASK.replace("{prompt}", prompt)))
        answer = await self.judge.ask(Question(_SYSTEM, tuple(shown)), _Said)
        if isinstance(answer, JudgeFailure):
            if answer.kind is FailureKind.NOT_ASKED:
                raise ServiceUnavailableError(self._why_not())
            raise UnscorableError(f"{_JUDGE} {answer.kind}: {answer.detail}")
        return Score(
            semantics=min(answer.success, answer.restraint),
            quality=min(answer.naturalness, answer.artifacts),
        )

    def _why_not(self) -> str:
        told = "; ".join(f"{kind}: {why}" for kind, why in self.judge.reasons.items())
        return f"the judge {self.judge.model} left too many questions unanswered ({told})"


async def score_attempts(
    trajectories: Sequence[TrajectoryRecord],
    folder: DataFolder,
    scorer: Scorer,
    *,
    concurrency: int = 8,
    on_done: Callable[[ScoreRecord], None],
) -> None:
    """Mark every drawn attempt that has no score yet; failures of a judge are tried again.

    Raises:
        ServiceUnavailableError: The judge answers nobody any more; what was done is kept.
        ResultsFolderError: Nothing can be written; what was done is kept.
    """
    known = settled(folder)
    slots = asyncio.Semaphore(concurrency)

    async def one(record: ScoreRecord, before: Path | None, prompt: str, after: Path) -> None:
        async with slots:
            try:
                score = await scorer.score(before, prompt, after)
            except UnscorableError as error:
                record = record.model_copy(update={"problem": str(error)})
            else:
                record = record.model_copy(update={"score": score})
            folder.score_records.append(record)
            on_done(record)

    try:
        async with asyncio.TaskGroup() as group:
            for trajectory in trajectories:
                for step, found, attempt in drawn_attempts(trajectory):
                    empty = ScoreRecord(
                        trajectory_id=trajectory.id, step=step, attempt=attempt.number, score=None
                    )
                    if empty.key in known or attempt.file is None or found.plan.prompt is None:
                        continue
                    before = None if found.source is None else folder.path(found.source)
                    after = folder.path(attempt.file)
                    group.create_task(one(empty, before, found.plan.prompt, after))
    except BaseExceptionGroup as error:
        raise error.exceptions[0] from error


def settled(folder: DataFolder) -> set[tuple[str, int, int]]:
    """The attempts that need no other try: a judge may do better the next time, a grader not."""
    return {
        record.key
        for record in folder.score_records
        if record.score is not None or not record.problem.startswith(_JUDGE)
    }
