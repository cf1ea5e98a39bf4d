from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.trainer.benchmarks.intervals import estimate, stratified

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_nothing_has_no_estimate() -> None:
    assert estimate([]) is None
    assert stratified([[1.0], []], [0.5, 0.5]) is None
    assert stratified([], []) is None


def test_one_value_has_an_interval_of_no_width() -> None:
    found = estimate([0.25])
    assert found is not None
    assert (found.n, found.mean, found.low, found.high) == (1, 0.25, 0.25, 0.25)


def test_the_interval_of_a_fair_coin_is_that_of_the_binomial() -> None:
    found = estimate([0.0, 1.0] * 200)
    assert found is not None
    half_width = 1.96 * (0.25 / 400) ** 0.5
    assert found.low == pytest.approx(0.5 - half_width, abs=0.006)
    assert found.high == pytest.approx(0.5 + half_width, abs=0.006)


def test_strata_are_weighted_not_pooled() -> None:
    found = stratified([[1.0] * 9, [0.0]], [0.5, 0.5])
    assert found is not None
    assert found.mean == pytest.approx(0.5)
    assert found.n == 10


def test_each_stratum_needs_a_weight() -> None:
    with pytest.raises(ValueError, match="weight"):
        stratified([[1.0]], [])


@settings(max_examples=30, deadline=None)
@given(VALUES, st.randoms(use_true_random=False), st.integers(0, 9))
def test_an_estimate_is_bounded_repeatable_and_knows_no_order(
    values: list[float], rng: Random, seed: int
) -> None:
    found = estimate(values, seed=seed)
    shuffled = list(values)
    rng.shuffle(shuffled)
    assert found is not None
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    again = estimate(shuffled, seed=seed)
    assert again is not None
    assert (again.mean, again.low, again.high) == pytest.approx((found.mean, found.low, found.high))
