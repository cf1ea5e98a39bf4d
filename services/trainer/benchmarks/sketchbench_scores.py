"""Exact scores of what was made of a Sketchbook request.

The pictures are read back into scenes and compared with the request's goal, the plan's prompts
and the texts. Not here: which requests are asked (``sketchbench``).

    goal       1 if every picture is legible and the request's goal is reached
    checks     share of the goal's conditions that hold
    steps      share of the drawn steps whose picture is a right outcome of the plan's prompt
    clean      share of the drawn steps that changed nothing they should have left alone
    structure  1 if texts and pictures come in the order and number that was asked
    text       share of the texts that are there and say nothing wrong

``steps`` and ``clean`` are absent where no step's prompt can be understood (the generator alone
is given the request itself), ``clean`` also where a picture's prompt has no possible outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.trainer.benchmarks.records import ItemScore, Produced, ProducedStep
from services.trainer.benchmarks.scores import mean
from services.trainer.benchmarks.structure import follows
from services.trainer.sketchbook.captions import read_sentence, sentence_is_right
from services.trainer.sketchbook.grader import Grade, grade_reading
from services.trainer.sketchbook.parsing import UnknownWordingError, outcomes_of
from services.trainer.sketchbook.reading import Picture, PictureShapeError, Reading, decode
from services.trainer.sketchbook.requests.model import SketchRequest, Use
from services.trainer.sketchbook.world import ImpossibleEditError, Scene

VALUES = ("goal", "checks", "steps", "clean", "structure", "text")
_BEGINNING = "We begin: "


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A drawn step: what was before it, what its picture shows (None: no readable picture)."""

    step: ProducedStep
    before: Scene | None
    reading: Reading | None


def score(
    item_id: str, request: SketchRequest, produced: Produced, pictures: Mapping[str, Picture]
) -> ItemScore:
    """Score a result; ``pictures`` holds its pictures by file name."""
    drawn = tuple(_drawn(request, produced, pictures))
    readings = [one.reading for one in drawn]
    scenes = [reading.scene for reading in readings if reading is not None]
    legible = all(reading is not None and reading.legible for reading in readings)
    texts = [step.text or None for step in produced.steps]
    missed = request.goal.missed(scenes, texts)
    grades = [_grade(one) for one in drawn]
    values = {
        "goal": float(produced.delivered and legible and not missed),
        "checks": _checks(request, len(missed)) if produced.delivered else 0.0,
        "steps": _steps(drawn, grades),
        "clean": mean([float(grade.collateral == 0) for grade in grades if grade is not None]),
        "structure": float(structure_is_right(request, produced)),
        "text": _texts(request, produced, drawn),
    }
    return ItemScore(
        item_id=item_id,
        group="implicit" if request.implicit else str(request.use),
        values={name: value for name, value in values.items() if value is not None},
        run_failed=not produced.delivered,
        missing_picture=request.use is not Use.ANNOTATION and not scenes,
    )


def structure_is_right(request: SketchRequest, produced: Produced) -> bool:
    """Whether texts and pictures alternate as asked. Source: ISG's structure check."""
    shown = [part.type for part in produced.parts]
    if request.use is Use.ANNOTATION:
        return follows(shown, ("text",), times=len(request.images))
    return follows(shown, ("text", "image"), times=request.asked_steps)


def _checks(request: SketchRequest, missed: int) -> float:
    count = len(request.goal.checks)
    return 1 - missed / count if count else 1.0


def _drawn(
    request: SketchRequest, produced: Produced, pictures: Mapping[str, Picture]
) -> Iterator[_Drawn]:
    before = request.source
    for step in produced.steps:
        if step.prompt is None:
            continue
        reading = _read(pictures.get(step.file or ""))
        yield _Drawn(step, before, reading)
        before = reading.scene if reading is not None else before


def _read(picture: Picture | None) -> Reading | None:
    if picture is None:
        return None
    try:
        return decode(picture)
    except PictureShapeError:
        return None


def _outcomes(before: Scene | None, prompt: str) -> Collection[Scene] | None:
    """What a prompt may give; None when it is not in the world's words."""
    try:
        return outcomes_of(before, prompt)
    except UnknownWordingError:
        return None
    except ImpossibleEditError:
        return ()


def _grade(drawn: _Drawn) -> Grade | None:
    accepted = _outcomes(drawn.before, drawn.step.prompt or "")
    if not accepted or drawn.reading is None:
        return None
    return grade_reading(drawn.before, accepted, drawn.reading)


def _steps(drawn: Sequence[_Drawn], grades: Sequence[Grade | None]) -> float | None:
    understood = [_outcomes(one.before, one.step.prompt or "") is not None for one in drawn]
    if not any(understood):
        return None
    return mean([float(grade is not None and grade.success) for grade in grades])


def _texts(request: SketchRequest, produced: Produced, drawn: Sequence[_Drawn]) -> float | None:
    if request.use is Use.ANNOTATION:
        texts = [step.text for step in produced.steps]
        right = [sentence_is_right(scene, text)
                 for scene, text in zip(request.images, texts, strict=False)]  # fmt: skip
        return sum(right) / max(len(texts), len(request.images), 1)
    if not drawn:
        return 0.0
    return mean([float(_is_true(one)) for one in drawn])


def _is_true(drawn: _Drawn) -> bool:
    """Whether a step's text is there, and its picture agrees where it says something exact."""
    text = drawn.step.text
    if not text or drawn.reading is None:
        return False
    scene = drawn.reading.scene
    try:
        read_sentence(text.removeprefix(_BEGINNING))
    except UnknownWordingError:
        accepted = _outcomes(drawn.before, text)
        return accepted is None or scene in accepted
    return sentence_is_right(scene, text.removeprefix(_BEGINNING))
