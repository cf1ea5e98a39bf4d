"""UEval: questions answered in text and pictures, judged rubric by rubric.

Source: arXiv 2601.22155. Not here: its formulas (``scores``), its output file (``layouts``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from services.trainer.benchmarks.judge import Judge, Question
from services.trainer.benchmarks.loading import (
    Row,
    absent,
    find_files,
    identifier,
    read_rows,
    require,
    text,
    unlike,
)
from services.trainer.benchmarks.pictures import for_judge
from services.trainer.benchmarks.records import (
    BenchmarkDataError,
    Item,
    ItemScore,
    Line,
    Produced,
    pictures_like,
)
from services.trainer.benchmarks.scores import Met, met_rate, ueval_item
from services.trainer.benchmarks.scoring import (
    Failures,
    grouped_line,
    item_score,
    lacks_pictures,
    line,
    lines_by_group,
)
from services.trainer.benchmarks.ueval_asking import PICTURE_RULE, SYSTEM, Answer
from shared.llm.engine import ImagePart, Part, TextPart

HUB = "zlab-princeton/UEval"
OPEN_TASKS = ("art", "life", "tech", "exercise")
CLOSED_TASKS = ("space", "textbook", "diagram", "paper")
TASKS: tuple[str, ...] = OPEN_TASKS + CLOSED_TASKS
_STRIPPED = " both visually and textually"


class UEval:
    """The benchmark over a local copy (``.json``, ``.jsonl`` or ``.parquet``)."""

    name = "ueval"
    key = "item"
    deviations = (
        "judge prompts are our own wording; the published judge is Gemini 2.5 Pro",
        "headline: mean of the eight tasks; the mean over items (the published 66.3) is given too",
        "a missing picture or answer meets no rubric; an item with an unanswered rubric is not "
        "scored",
    )

    def __init__(self, data: Path) -> None:
        files = find_files(data, "*.parquet", "*.jsonl", "*.json")
        self._items = unlike((_item(row) for path in files for row in read_rows(path)), "UEval")

    def items(self) -> tuple[Item, ...]:
        """See ``Benchmark``."""
        return self._items

    def judge_calls(self, item: Item) -> int:
        """One call per rubric."""
        return len(_rubrics(item, "text_rubrics")) + len(_rubrics(item, "image_rubrics"))

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        """See ``Benchmark``."""
        failures = Failures()
        answer = "\n\n".join(produced.texts)
        said = _rates_parts(item, answer, with_text=True, pictures=())
        shown = _rates_parts(item, answer, with_text=item.group in OPEN_TASKS, pictures=pictures)
        text_rubrics = _rubrics(item, "text_rubrics")
        image_rubrics = _rubrics(item, "image_rubrics")
        texts = await _rate(judge, said, text_rubrics, failures, possible=bool(answer))
        images = await _rate(
            judge, shown, image_rubrics, failures, possible=bool(pictures), rule=PICTURE_RULE
        )
        values = {"text": texts, "image": images, self.key: ueval_item(texts, images)}
        missing = lacks_pictures(produced, pictures)
        return item_score(item, produced, values, missing_picture=missing, failures=failures.found)

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """Both averages, both rates, every task."""
        equal = dict.fromkeys(TASKS, 1 / len(TASKS))
        unit = "%"
        return (
            grouped_line("mean of tasks", scores, self.key, equal, unit=unit, scale=100,
                         headline=True),
            line("mean of items", scores, self.key, unit=unit, scale=100),
            line("text rate", scores, "text", unit=unit, scale=100),
            line("image rate", scores, "image", unit=unit, scale=100),
            *lines_by_group(scores, self.key, unit=unit, scale=100),
        )  # fmt: skip


def _item(row: Row) -> Item:
    task = require(row, "task", "task_type", where="UEval")
    if task not in TASKS:
        raise BenchmarkDataError(f"UEval: unknown task {task!r}; known are {', '.join(TASKS)}")
    prompt = require(row, "prompt", where="UEval")
    rubrics = {name: rubric_texts(row.get(name)) for name in ("text_rubrics", "image_rubrics")}
    empty = tuple(name for name, found in rubrics.items() if name in row and not found)
    return Item(
        id=identifier(row, "id", where="UEval"),
        prompt=prompt.replace(_STRIPPED, ""),
        group=task,
        pictures=pictures_like(_count(row.get("image_ref"))),
        fields={"question": prompt, "question_type": text(row, "question_type"), **rubrics},
        missing_fields=(*absent(row, "text_rubrics", "image_rubrics"), *empty),
    )


def _count(value: object) -> int:
    """How many pictures a reference has: a list of them, or one."""
    return len(value) if isinstance(value, list) else int(bool(value))


def rubric_texts(value: object) -> tuple[str, ...]:
    """Rubrics as texts: plain ones, or the older ``{criterion, tags}``."""
    if not isinstance(value, list):
        return ()
    found = (rubric.get("criterion") if isinstance(rubric, dict) else rubric for rubric in value)
    return tuple(str(rubric) for rubric in found if rubric)


def _rubrics(item: Item, name: str) -> tuple[str, ...]:
    found = item.fields.get(name)
    return tuple(map(str, found)) if isinstance(found, tuple) else ()


def _rates_parts(
    item: Item, answer: str, *, with_text: bool, pictures: Sequence[Path]
) -> tuple[Part, ...]:
    parts: list[Part] = [TextPart(f"Question: {item.text('question')}")]
    if with_text:
        parts.append(TextPart(f"Answer in text: {answer}"))
    parts.extend(ImagePart(for_judge(path)) for path in pictures)
    return tuple(parts)


async def _rate(
    judge: Judge,
    parts: tuple[Part, ...],
    rubrics: Sequence[str],
    failures: Failures,
    *,
    possible: bool,
    rule: str = "",
) -> float | None:
    """Share of rubrics met; nothing is met where there is nothing to look at."""
    if not possible:
        return met_rate([Met.NO] * len(rubrics))
    system = f"{SYSTEM} {rule}".strip()
    questions = [Question(system, (*parts, TextPart(f"Criterion: {r}")), 256) for r in rubrics]
    got = await asyncio.gather(*(judge.ask(question, Answer) for question in questions))
    answers = [failures.answer("rubric", answer) for answer in got]
    return met_rate([None if answer is None else answer.met for answer in answers])
