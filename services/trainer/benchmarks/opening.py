"""OpenING: 56 kinds of interleaved requests, each answer marked in seven respects.

Source: OpenING, CVPR 2025. Not here: its output folder (``layouts``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from services.trainer.benchmarks.answers import NUMBER
from services.trainer.benchmarks.interleaved import asked_parts, joined, output_parts
from services.trainer.benchmarks.judge import Judge, Question
from services.trainer.benchmarks.loading import (
    Row,
    find_files,
    identifier,
    picture_path,
    read_rows,
    require,
    unlike,
)
from services.trainer.benchmarks.records import (
    IMAGE_MARK,
    BenchmarkDataError,
    Item,
    ItemScore,
    Line,
    Produced,
    pictures_like,
)
from services.trainer.benchmarks.scores import OPENING_SCORES, mean_of_all
from services.trainer.benchmarks.scoring import (
    Failures,
    item_score,
    lacks_pictures,
    line,
    lines_by_group,
)

_SYSTEM = (
    "You mark an answer of text and pictures to a request, with marks from 0 (worst) to 10 "
    "(best). correctness: is it right? image_text_coherency: do pictures and texts fit? "
    "multi_step_consistency: does each step fit the others in look and content? "
    "content_quality: are texts and pictures well made? human_preference_alignment: would "
    "people like and accept it? completeness: is every step there, none without its picture? "
    "content_richness: is it varied and rich? Reply with one JSON object that has these seven "
    "keys and a number for each."
)
Mark = Annotated[float, NUMBER, Field(ge=0, le=10)]


class Marks(BaseModel):
    """The seven marks."""

    correctness: Mark
    image_text_coherency: Mark
    multi_step_consistency: Mark
    content_quality: Mark
    human_preference_alignment: Mark
    completeness: Mark
    content_richness: Mark


class Opening:
    """The benchmark over a local copy: ``test_data.jsonl`` with its ``images`` beside it."""

    name = "opening"
    key = "mean"
    deviations = (
        "judge prompts are our own wording; the scale is the public script's 0 to 10",
        "scored answer by answer; the arena of pairs is not run",
        "an empty answer gets 0 in all seven (the public script leaves it out)",
    )

    def __init__(self, data: Path) -> None:
        path = find_files(data, "test_data.jsonl", "*.jsonl", "*.json")[0]
        self._items = unlike((_item(row, path.parent) for row in read_rows(path)), "OpenING")

    def items(self) -> tuple[Item, ...]:
        """See ``Benchmark``."""
        return self._items

    def judge_calls(self, item: Item) -> int:  # noqa: ARG002
        """One call per answer."""
        return 1

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        """See ``Benchmark``."""
        if not produced.delivered:
            worst = dict.fromkeys((*OPENING_SCORES, self.key), 0.0)
            return item_score(item, produced, worst, missing_picture=True)
        failures = Failures()
        parts = joined(asked_parts(item), output_parts(produced, pictures))
        got = failures.answer("answer", await judge.ask(Question(_SYSTEM, parts), Marks))
        marks: dict[str, float | None] = {} if got is None else dict(got)
        values = {**marks, self.key: mean_of_all(marks, OPENING_SCORES)}
        return item_score(
            item,
            produced,
            values,
            missing_picture=lacks_pictures(produced, pictures),
            failures=failures.found,
        )

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """The mean, the seven, and the mean by meta task."""
        return (
            line("mean of the seven", scores, self.key, unit="0-10", headline=True),
            *(line(name, scores, name, unit="0-10") for name in OPENING_SCORES),
            *lines_by_group(scores, self.key, unit="0-10"),
        )


def conversation(row: Row, side: str) -> tuple[Mapping[str, object], ...]:
    """The entries of the conversation's ``input`` or ``output``; empty when it has none."""
    turns = row.get("conversations")
    for turn in turns if isinstance(turns, list) else ():
        entries = turn.get(side) if isinstance(turn, dict) else None
        if isinstance(entries, list):
            return tuple(entry for entry in entries if isinstance(entry, dict))
    return ()


def _item(row: Row, root: Path) -> Item:
    uid = identifier(row, "total_uid", where="OpenING")
    entries = conversation(row, "input")
    if not entries:
        raise BenchmarkDataError(f"OpenING: {uid} has no input")
    return Item(
        id=uid,
        prompt=" ".join(_asked(entries)),
        group=require(row, "meta_task_name", "subtask_name", where="OpenING"),
        images=tuple(picture_path(root, str(e["image"])) for e in entries if e.get("image")),
        fields={"row": dict(row)},
        pictures=pictures_like(
            sum(bool(entry.get("image")) for entry in conversation(row, "output"))
        ),
        missing_fields=tuple(n for n in ("subtask_name",) if n not in row),
    )


def _asked(entries: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Each entry's text, with exactly one mark where it has a picture."""
    for entry in entries:
        text = str(entry.get("text") or "").replace("<BEGIN>", " ")
        before, _, after = text.partition(IMAGE_MARK)
        shown = IMAGE_MARK if entry.get("image") else " "
        yield " ".join(f"{before} {shown} {after.replace(IMAGE_MARK, ' ')}".split())
