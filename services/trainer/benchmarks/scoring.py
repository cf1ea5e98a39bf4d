"""What every benchmark does, and how its scores become a report's lines and counts.

Not here: what one benchmark asks its judge (its own module), formulas (``scores``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from services.trainer.benchmarks.answers import Reply
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.intervals import Estimate, estimate, stratified
from services.trainer.benchmarks.judge import Judge, JudgeFailure
from services.trainer.benchmarks.records import Item, ItemScore, Line, Produced

_ITEMS_PER_QUESTION = 2
"""Items begun for each question that the judge is asked at a time; enough to keep it busy."""


class Benchmark(Protocol):
    """A benchmark: its items, how one is judged, what is reported."""

    @property
    def name(self) -> str:
        """Its name, with the edition if there are several."""
        ...

    @property
    def deviations(self) -> tuple[str, ...]:
        """Where this scoring is not the published one."""
        ...

    def items(self) -> tuple[Item, ...]:
        """Every item."""
        ...

    def judge_calls(self, item: Item) -> int:
        """How many questions judging the item takes at most."""
        ...

    async def judged(
        self, item: Item, produced: Produced, pictures: Sequence[Path], judge: Judge
    ) -> ItemScore:
        """The item's scores."""
        ...

    def lines(self, scores: Sequence[ItemScore]) -> tuple[Line, ...]:
        """What is reported."""
        ...


class Failures:
    """Collects what the judge did not answer while one item is judged."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def answer(self, what: str, got: Reply | JudgeFailure) -> Reply | None:
        """The answer, or None and one more failure."""
        if isinstance(got, JudgeFailure):
            self.found.append(f"{what}: {got.kind}")
            return None
        return got


def item_score(
    item: Item,
    produced: Produced,
    values: Mapping[str, float | None],
    *,
    missing_picture: bool = False,
    failures: Sequence[str] = (),
    complete: bool = False,
) -> ItemScore:
    """An item's scores; what is None is left out. ``complete``: no value of it is to come."""
    return ItemScore(
        item_id=item.id,
        group=item.group,
        values={name: value for name, value in values.items() if value is not None},
        run_failed=not produced.delivered,
        missing_picture=missing_picture,
        missing_fields=item.missing_fields,
        judge_failures=tuple(failures),
        complete=complete,
    )


def lacks_pictures(produced: Produced, pictures: Sequence[Path]) -> bool:
    """Whether there is no picture, or the file of one is gone."""
    return not pictures or len(pictures) < len(produced.files)


def last_picture(produced: Produced, pictures: Sequence[Path]) -> Path | None:
    """The picture that an answer ends with; None also when only earlier ones are there."""
    ends = bool(pictures) and pictures[-1].name == Path(produced.files[-1]).name
    return pictures[-1] if ends else None


async def score_all(
    benchmark: Benchmark, items: Iterable[Item], folder: ResultsFolder, judge: Judge
) -> tuple[ItemScore, ...]:
    """Judge every item that has a result; items without one are left out (and counted).

    A few at a time: each one's pictures are in memory until the judge has seen them.
    """
    slots = asyncio.Semaphore(_ITEMS_PER_QUESTION * judge.concurrency)

    async def one(item: Item, produced: Produced) -> ItemScore:
        async with slots:
            return await benchmark.judged(item, produced, folder.pictures(produced), judge)

    pairs = [(item, got) for item, got in folder.results(items) if got is not None]
    return tuple(await asyncio.gather(*(one(item, got) for item, got in pairs)))


def line(
    name: str,
    scores: Iterable[ItemScore],
    key: str,
    *,
    unit: str,
    scale: float = 1.0,
    headline: bool = False,
) -> Line:
    """Mean of one value over the items that have it."""
    values = [score.values[key] * scale for score in scores if key in score.values]
    return _shown(Line(name=name, unit=unit, headline=headline), [values], estimate(values))


def grouped_line(
    name: str,
    scores: Iterable[ItemScore],
    key: str,
    weights: Mapping[str, float],
    *,
    unit: str,
    scale: float = 1.0,
    headline: bool = False,
) -> Line:
    """Weighted sum of the groups' means; without a mean unless every group has items."""
    strata: dict[str, list[float]] = {group: [] for group in weights}
    for score in scores:
        if key in score.values and score.group in strata:
            strata[score.group].append(score.values[key] * scale)
    found = list(strata.values())
    got = stratified(found, list(weights.values()))
    return _shown(Line(name=name, unit=unit, headline=headline), found, got)


def _shown(empty: Line, strata: Sequence[Sequence[float]], got: Estimate | None) -> Line:
    """The line with its mean; a stratum of one value does not tell how far values spread."""
    if got is None:
        return empty.model_copy(update={"n": sum(map(len, strata))})
    spread = min(map(len, strata)) > 1
    low, high = (got.low, got.high) if spread else (None, None)
    return empty.model_copy(update={"n": got.n, "mean": got.mean, "low": low, "high": high})


def lines_by_group(
    scores: Sequence[ItemScore], key: str, *, unit: str, scale: float = 1.0
) -> tuple[Line, ...]:
    """One line for each group, by name."""
    groups = sorted({score.group for score in scores})
    return tuple(
        line(group, [s for s in scores if s.group == group], key, unit=unit, scale=scale)
        for group in groups
    )


def counts(items: Sequence[Item], scores: Sequence[ItemScore], key: str) -> dict[str, int]:
    """What was left out and why; ``key`` is the value the headline is made of."""
    fields = Counter(name for score in scores for name in score.missing_fields)
    unanswered = [what for score in scores for what in score.judge_failures]
    kinds = Counter(what.rsplit(": ", 1)[-1] for what in unanswered)
    found = {
        "items": len(items),
        "not run": len(items) - len(scores),
        "run failed": sum(score.run_failed for score in scores),
        "missing pictures": sum(score.missing_picture for score in scores),
        "judge failures": len(unanswered),
        **{f"judge failures, {kind}": count for kind, count in sorted(kinds.items())},
        "items not scored": sum(key not in score.values and not score.complete for score in scores),
    }
    return found | {f"missing field {name}": count for name, count in sorted(fields.items())}
