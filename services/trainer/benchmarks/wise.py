"""WISE: pictures that need world knowledge; the legacy and the verified edition.

Source: arXiv 2503.07265. Not here: formulas and id ranges (``scores``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from services.trainer.benchmarks.answers import NUMBER
from services.trainer.benchmarks.judge import Judge, Question
from services.trainer.benchmarks.loading import (
    Row,
    absent,
    find_files,
    read_rows,
    require,
    text,
    unlike,
)
from services.trainer.benchmarks.pictures import for_judge
from services.trainer.benchmarks.records import BenchmarkDataError, Item, ItemScore, Line, Produced
from services.trainer.benchmarks.scores import (
    WiseEdition,
    wiscore,
    wise_domain,
    wise_weights,
)
from services.trainer.benchmarks.scoring import (
    Failures,
    grouped_line,
    item_score,
    last_picture,
    line,
    lines_by_group,
)
from shared.llm.engine import ImagePart, TextPart

_LEGACY_SYSTEM = (
    "You mark a picture that was drawn for a prompt; what the prompt means is explained. Give "
    "whole marks from 0 to 2. consistency: does it show what is meant, not only what is "
    "written? realism: could it be so, in light, matter and number? aesthetics: is it well "
    "made? Reply with one JSON object: "
    '{"consistency": 0, "realism": 0, "aesthetics": 0}.'
)
_VERIFIED_SYSTEM = (
    "You check whether a picture shows what a prompt means; the meaning is explained. Reply "
    'with one JSON object: {"correct": 1} if it is shown rightly, {"correct": 0} if not.'
)

_STEMS = ("cultural_common_sense", "spatio-temporal_reasoning", "natural_science")

Mark = Annotated[int, NUMBER, Field(ge=0, le=2)]


class LegacyMarks(BaseModel):
    """Three marks of 0 to 2."""

    consistency: Mark
    realism: Mark
    aesthetics: Mark


class VerifiedMark(BaseModel):
    """Right or not."""

    correct: Annotated[int, Field(ge=0, le=1)]


class Wise:
    """The benchmark over a local copy: one ``.json`` or a folder of them."""

    key = "score"

    def __init__(self, data: Path, edition: WiseEdition) -> None:
        self._edition = edition
        rows = (row for path in _files(data, edition) for row in read_rows(path))
        self._items = unlike((_item(row, edition) for row in rows), "WISE")

    @property
    def name(self) -> str:
        """See ``Benchmark``."""
        return f"wise-{self._edition}"

    @property
    def deviations(self) -> tuple[str, ...]:
        """See ``Benchmark``."""
        usual = "GPT-4o" if self._edition is WiseEdition.LEGACY else "Qwen3.5-35B-A3B"
        return (
            f"judge prompts are our own wording; the published judge is {usual}",
            "the picture judged is the last one of the sequence",
            "a missing picture scores 0 (the public script refuses to add up)",
        )

    def items(self) -> tuple[Item, ...]:
        """See ``Benchmark``."""
        return self._items

    def judge_calls(self, item: Item) -> int:  # noqa: ARG002
        """One call per picture."""
        return 1

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        """See ``Benchmark``."""
        picture = last_picture(produced, pictures)
        if picture is None:
            return item_score(item, produced, {self.key: 0.0}, missing_picture=True)
        failures = Failures()
        asked = (
            TextPart(f"Prompt: {item.text('question')}"),
            TextPart(f"What is meant: {item.text('explanation') or 'not given'}"),
            ImagePart(for_judge(picture)),
        )
        values = await self._values(judge, asked, failures)
        return item_score(item, produced, values, failures=failures.found)

    async def _values(
        self, judge: Judge, asked: tuple[TextPart | ImagePart, ...], failures: Failures
    ) -> dict[str, float | None]:
        if self._edition is WiseEdition.VERIFIED:
            got = await judge.ask(Question(_VERIFIED_SYSTEM, asked, 512), VerifiedMark)
            mark = failures.answer("picture", got)
            return {self.key: None if mark is None else float(mark.correct)}
        marks = failures.answer(
            "picture", await judge.ask(Question(_LEGACY_SYSTEM, asked, 512), LegacyMarks)
        )
        if marks is None:
            return {}
        score = wiscore(marks.consistency, marks.realism, marks.aesthetics)
        return {self.key: score, **{k: float(v) for k, v in marks.model_dump().items()}}

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """The weighted overall, every domain, the single marks."""
        weights = wise_weights(self._edition)
        overall = grouped_line("overall", scores, self.key, weights, unit="0-1", headline=True)
        legacy = ("consistency", "realism", "aesthetics")
        marks = legacy if self._edition is WiseEdition.LEGACY else ()
        drawn = [score for score in scores if not score.missing_picture]
        return (
            overall,
            *lines_by_group(scores, self.key, unit="0-1"),
            grouped_line("overall, drawn pictures only", drawn, self.key, weights, unit="0-1"),
            *(line(mark, scores, mark, unit="0-2") for mark in marks),
        )


def _files(data: Path, edition: WiseEdition) -> list[Path]:
    """The edition's three files by name, else whatever is there.

    The public repository holds both editions, a merged copy and rewritten prompts side by side.
    """
    ending = "_verified" if edition is WiseEdition.VERIFIED else ""
    names = {f"{stem}{ending}.json" for stem in _STEMS}
    found = find_files(data, "*.json", "*.jsonl")
    return [path for path in found if path.name in names] or found


def _item(row: Row, edition: WiseEdition) -> Item:
    number = require(row, "prompt_id", where="WISE")
    domain = wise_domain(int(number), edition) if number.isdigit() else None
    if domain is None:
        raise BenchmarkDataError(f"WISE: prompt_id {number!r} is not in 1 to 1000")
    prompt = require(row, "Prompt", "prompt", where="WISE")
    names = ("Explanation", "explanation")
    missing = () if any(name in row for name in names) else absent(row, "Explanation")
    return Item(
        id=number,
        prompt=prompt,
        group=domain,
        fields={"question": prompt, "explanation": text(row, *names),
                "category": text(row, "Category"), "subcategory": text(row, "Subcategory")},
        missing_fields=missing,
    )  # fmt: skip
