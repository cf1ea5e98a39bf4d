"""The benchmarks' published formulas, as pure and total functions.

Nothing here asks a judge, reads a file or fills a gap: what was not judged is None and stays
None. Not here: means over items with their intervals (``intervals``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import sqrt


def mean(values: Sequence[float]) -> float | None:
    """The mean, or None of nothing."""
    return sum(values) / len(values) if values else None


def weighted(values: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """Sum of value x weight; None unless every weight has its value."""
    found = {name: values.get(name) for name in weights}
    if not weights or any(value is None for value in found.values()):
        return None
    return sum((found[name] or 0.0) * weight for name, weight in weights.items())


# --- UEval. Source: arXiv 2601.22155; overall also as the mean over items.


class Met(StrEnum):
    """A judge's answer to one rubric."""

    YES = "yes"
    NO = "no"
    NOT_SURE = "not sure"


def met_rate(answers: Sequence[Met | None]) -> float | None:
    """Share of rubrics met; only ``YES`` counts.

    None without rubrics, and when any rubric has no answer: it might have been met.
    """
    if not answers or any(answer is None for answer in answers):
        return None
    return sum(answer is Met.YES for answer in answers) / len(answers)


def ueval_item(text_rate: float | None, image_rate: float | None) -> float | None:
    """Mean of the two rates; None when either is missing."""
    if text_rate is None or image_rate is None:
        return None
    return (text_rate + image_rate) / 2


# --- WISE. Source: arXiv 2503.07265 and the verified edition of 2026-04.


class WiseEdition(StrEnum):
    """Which list of items, id ranges, scale and weights."""

    LEGACY = "legacy"
    VERIFIED = "verified"


WISE_DOMAINS = ("culture", "time", "space", "biology", "physics", "chemistry")
_WISE_LAST_IDS = {
    WiseEdition.LEGACY: (400, 567, 700, 800, 900, 1000),
    WiseEdition.VERIFIED: (400, 520, 640, 760, 880, 1000),
}
_WISE_WEIGHTS = {
    WiseEdition.LEGACY: (0.4, 0.167, 0.133, 0.1, 0.1, 0.1),
    WiseEdition.VERIFIED: (0.4, 0.12, 0.12, 0.12, 0.12, 0.12),
}


def wise_domain(prompt_id: int, edition: WiseEdition) -> str | None:
    """The domain an id lies in; None outside 1 to 1000."""
    if prompt_id < 1:
        return None
    ends = zip(WISE_DOMAINS, _WISE_LAST_IDS[edition], strict=True)
    return next((domain for domain, last in ends if prompt_id <= last), None)


def wise_weights(edition: WiseEdition) -> dict[str, float]:
    """Weight of each domain in the overall score; they add up to 1."""
    return dict(zip(WISE_DOMAINS, _WISE_WEIGHTS[edition], strict=True))


def wiscore(consistency: float, realism: float, aesthetics: float) -> float:
    """0 to 1, from three marks of 0 to 2."""
    return (0.7 * consistency + 0.2 * realism + 0.1 * aesthetics) / 2


# --- RISEBench. Source: arXiv 2504.02826.

LOGICAL = "logical_reasoning"
_FULL = 5.0
_FLOOR = 1.0


def rise_logical_mark(answer: float) -> float:
    """A logical item's 0 or 1 as a mark of 1 or 5."""
    return 4 * min(answer, 1) + 1


def rise_consistency_free(value: object) -> bool:
    """Whether the field is present and true; a missing number (NaN) is neither."""
    if isinstance(value, str):
        return value.strip().lower() in {"true", "yes", "1", "1.0"}
    return isinstance(value, bool | int | float) and value == 1


def rise_weights(category: str, *, consistency_free: bool) -> dict[str, float]:
    """The dimensions that apply to an item and their weights; they add up to 1.

    No source says what a consistency-free logical item is scored by: by reasoning alone.
    """
    if category == LOGICAL:
        return {"reasoning": 1.0} if consistency_free else {"consistency": 0.3, "reasoning": 0.7}
    if consistency_free:
        return {"reasoning": 0.8, "plausibility": 0.2}
    return {"consistency": 0.3, "reasoning": 0.5, "plausibility": 0.2}


def rise_item(marks: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    """1 to 5; halved, but never under 1, where reasoning got a 1."""
    score = weighted(marks, weights)
    if score is not None and marks.get("reasoning") == _FLOOR:
        return max(_FLOOR, score / 2)
    return score


def rise_percent(score: float) -> float:
    """1 to 5 as 0 to 100."""
    return 25 * (score - 1)


def rise_accurate(marks: Mapping[str, float | None], weights: Mapping[str, float]) -> bool | None:
    """Whether every dimension that applies got a 5; None when one was not judged."""
    found = [marks.get(name) for name in weights]
    if not found or any(mark is None for mark in found):
        return None
    return all(mark == _FULL for mark in found)


# --- CoMM (arXiv 2406.10462), OpenING (CVPR 2025), VIEScore (arXiv 2312.14867).

COMM_SCORES = (
    "style", "entity", "trend", "completeness", "image_quality", "illustration_relevance",
)  # fmt: skip
OPENING_SCORES = (
    "correctness", "image_text_coherency", "multi_step_consistency", "content_quality",
    "human_preference_alignment", "completeness", "content_richness",
)  # fmt: skip


def mean_of_all(marks: Mapping[str, float | None], names: Sequence[str]) -> float | None:
    """Mean of the named marks; None unless all of them are there."""
    return weighted(marks, {name: 1 / len(names) for name in names}) if names else None


def viescore_semantics(edit_success: float, no_overediting: float | None = None) -> float:
    """0 to 10: the worse of the two for edits; a text-to-image picture has only the first."""
    return edit_success if no_overediting is None else min(edit_success, no_overediting)


def viescore_quality(naturalness: float, artefacts: float) -> float:
    """0 to 10: the worse of naturalness and freedom from artefacts."""
    return min(naturalness, artefacts)


def viescore_overall(semantics: float, quality: float) -> float:
    """0 to 10: the geometric mean of both; 0 where either is not positive."""
    return sqrt(max(0.0, semantics) * max(0.0, quality))
