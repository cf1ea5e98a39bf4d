"""RISEBench: edits that need temporal, causal, spatial or logical reasoning.

Source: arXiv 2504.02826. Not here: its formulas (``scores``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.trainer.benchmarks.judge import Judge, Question
from services.trainer.benchmarks.loading import (
    Row,
    absent,
    find_files,
    identifier,
    picture_path,
    present,
    read_rows,
    require,
    text,
    unlike,
)
from services.trainer.benchmarks.records import (
    IMAGE_MARK,
    BenchmarkDataError,
    Item,
    ItemScore,
    Line,
    Produced,
)
from services.trainer.benchmarks.rise_asking import ASK, LogicalMark, Mark, question
from services.trainer.benchmarks.scores import (
    LOGICAL,
    rise_accurate,
    rise_consistency_free,
    rise_item,
    rise_logical_mark,
    rise_percent,
    rise_weights,
)
from services.trainer.benchmarks.scoring import Failures, item_score, last_picture, line

CATEGORIES = ("temporal_reasoning", "causal_reasoning", "spatial_reasoning", LOGICAL)
TOLERATED = ("subtask", "consistency_free", "reasoning_img", "reasoning_wo_ins")
"""Fields the full set has and a public file of 64 items has not."""


class Rise:
    """The benchmark over a local copy: the data's ``.json`` and the pictures beside it."""

    name = "rise"
    key = "accuracy"
    deviations = (
        "judge prompts are our own wording; the published judge is GPT-4.1",
        "consistency-free means present and true (the public script weighs every item of a file "
        "that has the field as if it were)",
        "a consistency-free item whose other dimensions are 5 is accurate (the public script "
        "counts none)",
        "a consistency-free logical item is scored by reasoning alone (the public script fails)",
        "consistency compares with the input (the public script compares spatial and logical "
        "items that have a reference picture with that picture)",
        "an item without a readable judgement is not scored (the public script counts it as not "
        "accurate)",
        "the picture judged is the last one of the sequence",
        "a missing picture scores 1 of 5 and is not accurate (the public script stops)",
    )

    def __init__(self, data: Path) -> None:
        path = find_files(data, "data*.json", "*.json", "*.jsonl")[0]
        root = _pictures_root(path)
        self._items = unlike((_item(row, root) for row in read_rows(path)), "RISE")

    def items(self) -> tuple[Item, ...]:
        """See ``Benchmark``."""
        return self._items

    def judge_calls(self, item: Item) -> int:
        """One call per dimension that applies."""
        return len(_weights(item))

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        """See ``Benchmark``."""
        picture = last_picture(produced, pictures)
        if picture is None:
            values = {self.key: 0.0, "score": 1.0, "percent": 0.0}
            return item_score(item, produced, values, missing_picture=True)
        failures = Failures()
        weights = _weights(item)
        asked = {name: question(item, name, picture) for name in weights}
        got = await asyncio.gather(*(_mark(judge, item, q) for q in asked.values()))
        marks = {
            name: failures.answer(name, answer) for name, answer in zip(asked, got, strict=True)
        }
        values = _values(item, {name: m and float(m.score) for name, m in marks.items()})
        return item_score(item, produced, values, failures=failures.found)

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """Accuracy (the published "RISE") and percent, for all and by category."""
        rows = [
            line("accuracy", scores, self.key, unit="%", scale=100, headline=True),
            line("percent", scores, "percent", unit="%"),
        ]
        for category in CATEGORIES:
            chosen = [score for score in scores if score.group == category]
            rows.append(line(f"accuracy, {category}", chosen, self.key, unit="%", scale=100))
            rows.append(line(f"percent, {category}", chosen, "percent", unit="%"))
        dimensions = (line(name, scores, name, unit="1-5") for name in ASK)
        return (*rows, *dimensions)


def _pictures_root(path: Path) -> Path:
    """Beside the file, or in the folder ``data`` beside it (where the hub's archive unpacks)."""
    inside = path.parent / "data"
    return inside if any(inside.glob("*_images")) else path.parent


def _item(row: Row, root: Path) -> Item:
    index = identifier(row, "index", where="RISE")
    category = require(row, "category", where="RISE")
    if category not in CATEGORIES:
        raise BenchmarkDataError(f"RISE: item {index} has the unknown category {category!r}")
    instruction = require(row, "instruction", where="RISE")
    reference = text(row, "reference_img")
    return Item(
        id=index,
        prompt=f"{IMAGE_MARK} {instruction}",
        group=category,
        images=(picture_path(root, require(row, "image", where="RISE")),),
        fields={
            "instruction": instruction,
            "reference": text(row, "reference_txt", "reference"),
            "written": present(row, "reference_txt"),
            "reference_picture": picture_path(root, reference) if reference else None,
            "consistency_free": rise_consistency_free(row.get("consistency_free")),
            "with_input": present(row, "reasoning_img"),
            "without_instruction": present(row, "reasoning_wo_ins"),
        },
        missing_fields=absent(row, *TOLERATED),
    )


def _weights(item: Item) -> dict[str, float]:
    free = bool(item.fields.get("consistency_free"))
    return rise_weights(item.group, consistency_free=free)


async def _mark(judge: Judge, item: Item, question: Question):  # noqa: ANN202
    return await judge.ask(question, LogicalMark if item.group == LOGICAL else Mark)


def _values(item: Item, answers: Mapping[str, float | None]) -> dict[str, float | None]:
    logical = item.group == LOGICAL
    marks = {
        name: rise_logical_mark(answer) if logical and answer is not None else answer
        for name, answer in answers.items()
    }
    weights = _weights(item)
    score, accurate = rise_item(marks, weights), rise_accurate(marks, weights)
    return {
        **marks,
        "score": score,
        "percent": None if score is None else rise_percent(score),
        "accuracy": None if accurate is None else float(accurate),
    }
