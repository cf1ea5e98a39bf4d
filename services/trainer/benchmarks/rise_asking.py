"""What RISEBench's judge is asked and shown, and the answers that count.

Not here: which dimensions apply (``scores``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from services.trainer.benchmarks.answers import NUMBER
from services.trainer.benchmarks.judge import Question
from services.trainer.benchmarks.pictures import for_judge
from services.trainer.benchmarks.records import Item
from services.trainer.benchmarks.scores import LOGICAL
from shared.llm.engine import ImagePart, Part, TextPart

_REFERENCE_PICTURE = ("spatial_reasoning", LOGICAL)

ASK = {
    "consistency": "The first picture was edited as instructed; the second is the result. Does "
    "everything the instruction leaves alone look the same in both?",
    "reasoning": "A picture was edited as instructed. Does the result show what the "
    "instruction leads to, as the reference says or shows?",
    "plausibility": "Is this picture free of defects, and could it be real or well drawn?",
}
_MARKS = "Give a whole mark from 1 (not at all) to 5 (wholly)."
_LOGICAL_MARKS = "Give 1 if it is wholly so, else 0."


class Mark(BaseModel):
    """1 to 5."""

    score: Annotated[int, NUMBER, Field(ge=1, le=5)]


class LogicalMark(BaseModel):
    """0 or 1."""

    score: Annotated[int, Field(ge=0, le=1)]


def question(item: Item, dimension: str, output: Path) -> Question:
    """What is asked about one dimension of an item."""
    scale = _LOGICAL_MARKS if item.group == LOGICAL else _MARKS
    system = f'{ASK[dimension]} {scale} Reply with one JSON object: {{"score": 1}}.'
    parts: list[Part] = []
    if dimension != "plausibility" and not _unexplained(item, dimension):
        parts.append(TextPart(f"Instruction: {item.text('instruction')}"))
    if dimension == "consistency":
        parts.append(ImagePart(for_judge(item.images[0])))
    if dimension == "reasoning":
        parts.extend(_reference(item))
    parts.extend((TextPart("The result:"), ImagePart(for_judge(output))))
    return Question(system, tuple(parts), 512)


def _unexplained(item: Item, dimension: str) -> bool:
    """Only a logical item's result can be compared with a picture without more words."""
    without = item.group == LOGICAL and bool(item.fields.get("without_instruction"))
    return dimension == "reasoning" and without and _shown_reference(item) is not None


def _shown_reference(item: Item) -> Path | None:
    """The reference picture, where it counts; a logical item's written answer comes first."""
    picture = item.fields.get("reference_picture")
    written = item.group == LOGICAL and bool(item.fields.get("written"))
    if written or item.group not in _REFERENCE_PICTURE or not isinstance(picture, Path):
        return None
    return picture


def _reference(item: Item) -> list[Part]:
    """What the result's reasoning is compared with."""
    picture = _shown_reference(item)
    if picture is not None:
        return [TextPart("The reference:"), ImagePart(for_judge(picture))]
    parts: list[Part] = [TextPart(f"The reference: {item.text('reference') or 'not given'}")]
    if item.fields.get("with_input"):
        parts.extend((TextPart("Before:"), ImagePart(for_judge(item.images[0]))))
    return parts
