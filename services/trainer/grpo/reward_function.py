"""The reward as TRL calls it: columns of a batch in, one number for each reply out.

Not here: the formulas (``rewards``), drawing and marking (``assessing``).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from PIL import Image

from services.trainer.grpo.assessing import Assessed, Assessor, Case
from services.trainer.rewards import (
    FULL_MARK,
    Marking,
    Marks,
    Outcome,
    Reward,
    RewardForm,
    Weights,
    reward,
)

_NO_SPREAD = 1e-6
LogMetric = Callable[[str, float], None]


class CriticReward:
    """Format, accuracy and step-wise reward together, in the form that the settings name."""

    __name__ = "critic_reward"

    def __init__(
        self, assessor: Assessor, form: RewardForm, weights: Weights, *,
        marking: Marking = Marking.GRADED, seed: int = 0,
    ) -> None:  # fmt: skip
        self._assessor = assessor
        self._form = form
        self._weights = weights
        self._marking = marking
        self._seed = seed
        self._calls = 0

    async def __call__(
        self,
        *,
        completions: Sequence[Any],
        log_metric: LogMetric | None = None,
        **columns: Any,  # noqa: ANN401 - whatever columns the data set has
    ) -> list[float]:
        """One reward for each completion."""
        cases = cases_of(columns)
        replies = [reply_of(completion) for completion in completions]
        self._calls += 1
        seed = hash((self._seed, self._calls))
        work = self._assessor.submit(self._assessor.assess_all(cases, replies, seed=seed))
        assessed = await asyncio.wrap_future(work)
        outcomes = [marked(each, self._marking) for each in assessed]
        rewards = [reward(each, self._form, self._weights) for each in outcomes]
        if log_metric is not None:
            found = summary(assessed, rewards) | spread([each.id for each in cases], rewards)
            for name, value in found.items():
                log_metric(name, value)
        return [each.total for each in rewards]


def marked(each: Assessed, marking: Marking) -> Outcome:
    """The outcome with the marks that count; graded ones where nothing is known exactly."""
    outcome, score = each.outcome, each.score
    if marking is Marking.GRADED or score is None or score.success is None:
        return outcome
    return replace(outcome, old=_all_or_none(outcome.truth), new=_all_or_none(score.success))


def _all_or_none(right: bool) -> Marks:  # noqa: FBT001 - it is the whole question
    mark = FULL_MARK if right else 0.0
    return Marks(mark, mark)


def reply_of(completion: Any) -> str:  # noqa: ANN401 - a text or messages, as TRL has it
    """The text of a completion."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or "" for part in content)


def cases_of(columns: Mapping[str, Sequence[Any]]) -> list[Case]:
    """The judged pictures of a batch; replies to the same one share it."""
    known: dict[str, Case] = {}
    for n, name in enumerate(columns["id"]):
        if name not in known:
            known[name] = case_of({column: columns[column][n] for column in _COLUMNS})
    return [known[name] for name in columns["id"]]


_COLUMNS = (
    "id", "images", "first", "plan_prompt", "used_prompt", "truth", "semantics", "quality",
)  # fmt: skip


def case_of(row: Mapping[str, Any]) -> Case:
    """The judged picture of a row."""
    before, after = row["images"]
    return Case(
        id=str(row["id"]),
        before=None if row["first"] else _png(before),
        after=_png(after),
        plan_prompt=str(row["plan_prompt"]),
        used_prompt=str(row["used_prompt"]),
        truth=bool(row["truth"]),
        old=Marks(float(row["semantics"]), float(row["quality"])),
    )


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG", compress_level=1)
    return file.getvalue()


def summary(assessed: Sequence[Assessed], rewards: Sequence[Reward]) -> dict[str, float]:
    """Means over a batch, for the metrics."""
    if not assessed:
        return {}
    failed = [each.outcome for each in assessed if not each.outcome.truth]
    wanted = [each for each in assessed if not each.outcome.truth and each.said is not None]
    found = {
        "parts/format": fmean(each.format for each in rewards),
        "parts/accuracy": fmean(each.accuracy for each in rewards),
        "parts/semantics": fmean(each.semantics for each in rewards),
        "parts/quality": fmean(each.quality for each in rewards),
        "train/verdict_accuracy": fmean(_is_right(each.outcome) for each in assessed),
        "train/neutral_share": fmean(not each.outcome.redrawn for each in assessed),
        "train/failures_share": len(failed) / len(assessed),
    }
    if wanted:
        found["train/repair_rate"] = fmean(each.repaired for each in wanted)
        found["train/redrawing_failed"] = fmean(bool(each.problem) for each in wanted)
    return found


def spread(cases: Sequence[str], rewards: Sequence[Reward]) -> dict[str, float]:
    """Which share of the groups can teach nothing, as all replies to one case got the same.

    Counted here because the trainer's own figure takes the whole batch for a group where advantages
    are divided by the batch's spread.
    """
    groups: dict[str, list[float]] = {}
    for case, each in zip(cases, rewards, strict=True):
        groups.setdefault(case, []).append(each.total)
    alike = [max(totals) - min(totals) < _NO_SPREAD for totals in groups.values()]
    return {"train/groups_without_spread": fmean(alike)} if alike else {}


def _is_right(outcome: Outcome) -> bool:
    return outcome.verdict == outcome.truth
