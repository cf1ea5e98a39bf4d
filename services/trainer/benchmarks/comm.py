"""CoMM: step-by-step documents, in four tasks.

Source: arXiv 2406.10462. Not here: its prediction folders (``layouts``), reading its documents
(``comm_documents``).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, create_model

from services.trainer.benchmarks.answers import NUMBER
from services.trainer.benchmarks.comm_documents import TASKS, Task, comm_items
from services.trainer.benchmarks.interleaved import asked_parts, joined, output_parts
from services.trainer.benchmarks.judge import Judge, Question
from services.trainer.benchmarks.pictures import for_judge
from services.trainer.benchmarks.records import Item, ItemScore, Line, Produced
from services.trainer.benchmarks.scores import COMM_SCORES, mean_of_all
from services.trainer.benchmarks.scoring import (
    Failures,
    item_score,
    lacks_pictures,
    line,
    lines_by_group,
)
from shared.llm.engine import ImagePart, Part, TextPart

_SCALE = "Give marks from 0 (worst) to 10 (best). Reply with one JSON object: "
_ASPECTS = {
    "style": "are the pictures of one style?",
    "entity": "do the same things look the same throughout?",
    "trend": "do the pictures progress as the steps do?",
    "completeness": "is everything there that the request needs?",
    "image_quality": "are the pictures sharp, natural and whole?",
}
_IMAGINE = (
    "You read a document whose pictures were taken out; [picture 1] and so on mark their places. "
    'Say for each what it should show. Reply with one JSON object: {"pictures": ["...", "..."]}, '
    "one text per picture, in order."
)
_COMPARE = (
    "Each picture comes after a text that says what it should show. How well do the pictures "
    f'show it, over all? {_SCALE}{{"illustration_relevance": 0}}.'
)
_TEXTS = (
    "You mark texts written for the given pictures. completeness: is every picture covered, with "
    "all that matters? illustration_relevance: do the texts say what the pictures show? "
    f'{_SCALE}{{"completeness": 0, "illustration_relevance": 0}}.'
)
Mark = Annotated[float, NUMBER, Field(ge=0, le=10)]


class PictureMarks(BaseModel):
    """The first call's marks of task 2, where the texts are given."""

    style: Mark
    entity: Mark
    trend: Mark
    image_quality: Mark


class DocumentMarks(PictureMarks):
    """The first call's marks."""

    completeness: Mark


class Imagined(BaseModel):
    """The second call's answer: what each picture should show."""

    pictures: tuple[str, ...]


class Relevance(BaseModel):
    """The third call's mark."""

    illustration_relevance: Mark


class TextMarks(BaseModel):
    """Marks of task 1, where no picture is made."""

    completeness: Mark
    illustration_relevance: Mark


class CoMM:
    """The benchmark over a local copy: documents in CoMM's layout with their pictures."""

    name = "comm"
    key = "mean"

    def __init__(
        self, data: Path, *, pictures: Path | None = None, tasks: Collection[Task] = TASKS
    ) -> None:
        self._items, self._left_out = comm_items(data, pictures=pictures, tasks=tasks)

    @property
    def deviations(self) -> tuple[str, ...]:
        """See ``Benchmark``."""
        usual = (
            "request and judge wording are our own; the published judge is GPT-4o",
            "no public code makes one figure of the six: mean is their plain mean",
            "task 1 makes no pictures: completeness and illustration relevance alone; task 2 is "
            "given its texts: no completeness (both as in the public script)",
            "where pictures were wanted and none came, all marks are 0",
        )
        left_out = f"{self._left_out} requests left out: a given picture is not in the local copy"
        return (*usual, left_out) if self._left_out else usual

    def items(self) -> tuple[Item, ...]:
        """See ``Benchmark``."""
        return self._items

    def judge_calls(self, item: Item) -> int:
        """One for task 1, else three."""
        return 1 if item.group == "task1" else 3

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        """See ``Benchmark``."""
        failures = Failures()
        if item.group == "task1":
            values = await self._texts(item, produced, judge, failures)
            found = failures.found
            return item_score(item, produced, values, failures=found, complete=not found)
        if not pictures:
            worst = dict.fromkeys((*_names(item), self.key), 0.0)
            return item_score(item, produced, worst, missing_picture=True)
        marks = await self._document(item, produced, pictures, judge, failures)
        marks["illustration_relevance"] = await _relevance(produced, pictures, judge, failures)
        values = {**marks, self.key: mean_of_all(marks, _names(item))}
        missing = lacks_pictures(produced, pictures)
        return item_score(item, produced, values, missing_picture=missing, failures=failures.found)

    async def _texts(
        self, item: Item, produced: Produced, judge: Judge, failures: Failures
    ) -> dict[str, float | None]:
        if not produced.texts:
            return {"completeness": 0.0, "illustration_relevance": 0.0}
        parts = joined(asked_parts(item), output_parts(produced, ()))
        got = failures.answer("texts", await judge.ask(Question(_TEXTS, parts), TextMarks))
        return {} if got is None else dict(got)

    async def _document(
        self,
        item: Item,
        produced: Produced,
        pictures: Sequence[Path],
        judge: Judge,
        failures: Failures,
    ) -> dict[str, float | None]:
        parts = joined(asked_parts(item), output_parts(produced, pictures))
        wanted = PictureMarks if item.group == "task2" else DocumentMarks
        got = await judge.ask(Question(_document_question(wanted), parts), wanted)
        marks = failures.answer("document", got)
        return {} if marks is None else dict(marks)

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """The mean, the six, and the mean by task."""
        return (
            line("mean of the six (task 2: five)", scores, self.key, unit="0-10", headline=True),
            *(line(name, scores, name, unit="0-10") for name in COMM_SCORES),
            *lines_by_group(scores, self.key, unit="0-10"),
        )


def _names(item: Item) -> tuple[str, ...]:
    """What the mean is made of."""
    return tuple(n for n in COMM_SCORES if item.group != "task2" or n != "completeness")


def _document_question(wanted: type[PictureMarks]) -> str:
    asked = " ".join(f"{n}: {_ASPECTS[n]}" for n in _ASPECTS if n in wanted.model_fields)
    shape = json.dumps(dict.fromkeys((n for n in _ASPECTS if n in wanted.model_fields), 0))
    return (
        f"You mark a document of text and pictures that answers a request. {asked} {_SCALE}{shape}."
    )


def _imagined(count: int) -> type[Imagined]:
    """An answer with one text for each of so many pictures; any other is no answer."""
    texts = Annotated[tuple[str, ...], Field(min_length=count, max_length=count)]
    return create_model("Imagined", __base__=Imagined, pictures=(texts, ...))


async def _relevance(
    produced: Produced, pictures: Sequence[Path], judge: Judge, failures: Failures
) -> float | None:
    """How well the pictures show what their text lets one expect (two calls)."""
    reading = tuple(output_parts(produced, pictures, with_pictures=False))
    asked = Question(_IMAGINE, reading)
    imagined = failures.answer("imagine", await judge.ask(asked, _imagined(len(pictures))))
    if imagined is None:
        return None
    parts: list[Part] = []
    for text, path in zip(imagined.pictures, pictures, strict=True):
        parts.extend((TextPart(text), ImagePart(for_judge(path))))
    got = await judge.ask(Question(_COMPARE, tuple(parts)), Relevance)
    relevance = failures.answer("compare", got)
    return None if relevance is None else relevance.illustration_relevance
