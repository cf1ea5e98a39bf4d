"""CoMM: step-by-step documents, in four tasks.

Source: arXiv 2406.10462. Not here: its prediction folders (``layouts``), reading its documents
(``comm_documents``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from services.trainer.benchmarks.comm_asking import (
    COMPARE,
    IMAGINE,
    TEXTS,
    DocumentMarks,
    PictureMarks,
    Relevance,
    TextMarks,
    document_question,
    imagined_texts,
)
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
        got = failures.answer("texts", await judge.ask(Question(TEXTS, parts), TextMarks))
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
        got = await judge.ask(Question(document_question(wanted), parts), wanted)
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


async def _relevance(
    produced: Produced, pictures: Sequence[Path], judge: Judge, failures: Failures
) -> float | None:
    """How well the pictures show what their text lets one expect (two calls)."""
    reading = tuple(output_parts(produced, pictures, with_pictures=False))
    asked = Question(IMAGINE, reading)
    imagined = failures.answer("imagine", await judge.ask(asked, imagined_texts(len(pictures))))
    if imagined is None:
        return None
    parts: list[Part] = []
    for text, path in zip(imagined.pictures, pictures, strict=True):
        parts.extend((TextPart(text), ImagePart(for_judge(path))))
    got = await judge.ask(Question(COMPARE, tuple(parts)), Relevance)
    relevance = failures.answer("compare", got)
    return None if relevance is None else relevance.illustration_relevance
