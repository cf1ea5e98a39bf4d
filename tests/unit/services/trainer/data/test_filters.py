from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trainer.data.filters import Fate, Thresholds, balanced, fate, verdict_counts

LIMITS = Thresholds(fall=1.0, low=3.0, variance=1.0)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([8.0], Fate.SFT),  # one attempt has no spread
        ([7.0, 7.5], Fate.SFT),  # variance 0.0625
        ([4.0, 9.0], Fate.RL),  # variance 6.25
        ([5.0, 7.0], Fate.RL),  # variance 1 exactly
        ([9.0, 4.0], Fate.FALLING),
        ([7.0, 6.0], Fate.FALLING),  # a fall of 1 exactly
        ([7.0, 6.1], Fate.SFT),  # a fall of 0.9, variance 0.2025
        ([5.0, 9.0, 5.0], Fate.RL),  # it rose meanwhile, but ends where it began
        ([2.0, 3.0, 2.5], Fate.LOW),
        ([3.0], Fate.LOW),
        ([2.0, 3.1], Fate.SFT),
        ([8.0, None], Fate.UNSCORED),
        ([], Fate.UNSCORED),
    ],
)
def test_a_step_goes_where_its_scores_say(scores: list[float | None], expected: Fate) -> None:
    assert fate(scores, LIMITS) is expected


def test_without_filter_only_variance_divides() -> None:
    unfiltered = LIMITS.model_copy(update={"filtered": False})

    assert fate([9.0, 4.0], unfiltered) is Fate.RL
    assert fate([1.0], unfiltered) is Fate.SFT


ROWS = [(1, True), (1, True), (1, True), (1, False), (2, False), (2, True), (3, False)]


def test_verdicts_are_balanced_within_each_attempt_number() -> None:
    kept = balanced(ROWS, number=lambda r: r[0], verdict=lambda r: r[1], rng=Random(0))

    counts = verdict_counts(kept, number=lambda r: r[0], verdict=lambda r: r[1])
    assert counts == {"1 false": 1, "1 true": 1, "2 false": 1, "2 true": 1}


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=40), st.integers(0, 9))
def test_balancing_loses_as_little_as_it_can(rows: list[tuple[int, bool]], seed: int) -> None:
    kept = balanced(rows, number=lambda r: r[0], verdict=lambda r: r[1], rng=Random(seed))

    for number in {row[0] for row in rows}:
        fewer = min(rows.count((number, True)), rows.count((number, False)))
        assert kept.count((number, True)) == kept.count((number, False)) == fewer
