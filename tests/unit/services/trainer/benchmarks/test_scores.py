"""Every formula against a value worked by hand, and its bounds and monotony for all inputs."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trainer.benchmarks.scores import (
    COMM_SCORES,
    LOGICAL,
    OPENING_SCORES,
    WISE_DOMAINS,
    Met,
    WiseEdition,
    mean,
    mean_of_all,
    met_rate,
    rise_accurate,
    rise_consistency_free,
    rise_item,
    rise_logical_mark,
    rise_percent,
    rise_weights,
    ueval_item,
    viescore_overall,
    viescore_quality,
    viescore_semantics,
    weighted,
    wiscore,
    wise_domain,
    wise_weights,
)

MARKS_0_2 = st.floats(0, 2)
MARKS_1_5 = st.integers(1, 5).map(float)
MARKS_0_10 = st.floats(0, 10)
CATEGORY = st.sampled_from(["temporal_reasoning", "causal_reasoning", "spatial_reasoning", LOGICAL])
WEIGHTS = st.builds(rise_weights, CATEGORY, consistency_free=st.booleans())
DIMENSIONS = ("consistency", "reasoning", "plausibility")
ALL_MARKS = st.fixed_dictionaries(dict.fromkeys(DIMENSIONS, MARKS_1_5))


# UEval


def test_only_a_clear_yes_meets_a_rubric() -> None:
    assert met_rate([Met.YES, Met.NOT_SURE, Met.NO, Met.YES]) == 0.5


def test_a_rubric_without_an_answer_leaves_the_rate_unknown() -> None:
    assert met_rate([Met.YES, None]) is None


def test_no_rubrics_give_no_rate() -> None:
    assert met_rate([]) is None


def test_an_item_is_the_mean_of_its_text_and_image_rates() -> None:
    assert ueval_item(0.75, 0.25) == 0.5
    assert ueval_item(None, 0.5) is None
    assert ueval_item(0.5, None) is None


@given(st.lists(st.sampled_from(Met), min_size=1), st.randoms(use_true_random=False))
def test_a_rate_is_a_share_and_knows_no_order(answers: list[Met], rng: Random) -> None:
    rate = met_rate(answers)
    shuffled = list(answers)
    rng.shuffle(shuffled)
    assert rate is not None
    assert 0 <= rate <= 1
    assert met_rate(shuffled) == rate


@given(st.lists(st.sampled_from(Met), min_size=1), st.integers(0, 50))
def test_meeting_one_more_rubric_never_lowers_the_rate(answers: list[Met], at: int) -> None:
    better = list(answers)
    better[at % len(better)] = Met.YES
    assert (met_rate(better) or 0.0) >= (met_rate(answers) or 0.0)


# WISE


def test_wiscore_weighs_seven_two_one_and_halves() -> None:
    assert wiscore(2, 2, 2) == pytest.approx(1.0)
    assert wiscore(2, 1, 0) == pytest.approx((1.4 + 0.2) / 2)
    assert wiscore(0, 0, 1) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("number", "legacy", "verified"),
    [
        (1, "culture", "culture"),
        (400, "culture", "culture"),
        (401, "time", "time"),
        (520, "time", "time"),
        (521, "time", "space"),
        (567, "time", "space"),
        (568, "space", "space"),
        (640, "space", "space"),
        (641, "space", "biology"),
        (700, "space", "biology"),
        (701, "biology", "biology"),
        (761, "biology", "physics"),
        (800, "biology", "physics"),
        (801, "physics", "physics"),
        (881, "physics", "chemistry"),
        (901, "chemistry", "chemistry"),
        (1000, "chemistry", "chemistry"),
    ],
)
def test_the_same_id_can_lie_in_other_domains_of_the_two_editions(
    number: int, legacy: str, verified: str
) -> None:
    assert wise_domain(number, WiseEdition.LEGACY) == legacy
    assert wise_domain(number, WiseEdition.VERIFIED) == verified


@pytest.mark.parametrize("edition", list(WiseEdition))
def test_ids_outside_the_benchmark_have_no_domain(edition: WiseEdition) -> None:
    assert wise_domain(0, edition) is None
    assert wise_domain(1001, edition) is None


def test_wise_weights_are_the_published_ones() -> None:
    legacy, verified = wise_weights(WiseEdition.LEGACY), wise_weights(WiseEdition.VERIFIED)
    assert legacy["time"] == 0.167
    assert legacy["space"] == 0.133
    assert verified["time"] == verified["chemistry"] == 0.12
    assert sum(legacy.values()) == pytest.approx(1.0)
    assert sum(verified.values()) == pytest.approx(1.0)


def test_overall_wise_by_hand() -> None:
    means: dict[str, float | None] = dict(zip(WISE_DOMAINS, (0.5, 0.6, 0.7, 0.4, 0.3, 0.2),
                                              strict=True))  # fmt: skip
    legacy = weighted(means, wise_weights(WiseEdition.LEGACY))
    verified = weighted(means, wise_weights(WiseEdition.VERIFIED))
    assert legacy == pytest.approx(0.2 + 0.1002 + 0.0931 + 0.04 + 0.03 + 0.02)
    assert verified == pytest.approx(0.2 + 0.12 * 2.2)


def test_an_overall_without_one_of_its_domains_is_unknown() -> None:
    means: dict[str, float | None] = dict.fromkeys(WISE_DOMAINS, 0.5)
    assert weighted(means | {"space": None}, wise_weights(WiseEdition.LEGACY)) is None


@given(MARKS_0_2, MARKS_0_2, MARKS_0_2, st.floats(0, 1))
def test_wiscore_is_a_share_and_rises_with_consistency(
    consistency: float, realism: float, aesthetics: float, more: float
) -> None:
    score = wiscore(consistency, realism, aesthetics)
    assert 0 <= score <= 1 + 1e-9
    assert wiscore(consistency + more, realism, aesthetics) >= score


# RISEBench


def test_the_three_dimensions_weigh_three_five_two() -> None:
    weights = rise_weights("temporal_reasoning", consistency_free=False)
    marks = {"consistency": 5.0, "reasoning": 3.0, "plausibility": 4.0}
    assert rise_item(marks, weights) == pytest.approx(1.5 + 1.5 + 0.8)


def test_without_consistency_reasoning_weighs_eight() -> None:
    weights = rise_weights("causal_reasoning", consistency_free=True)
    assert rise_item({"reasoning": 3.0, "plausibility": 4.0}, weights) == pytest.approx(3.2)


def test_logical_items_weigh_three_seven_without_plausibility() -> None:
    weights = rise_weights(LOGICAL, consistency_free=False)
    assert rise_item({"consistency": 1.0, "reasoning": 5.0}, weights) == pytest.approx(3.8)


def test_a_consistency_free_logical_item_is_its_reasoning() -> None:
    weights = rise_weights(LOGICAL, consistency_free=True)
    assert rise_item({"reasoning": 5.0}, weights) == 5.0


@pytest.mark.parametrize(("answer", "mark"), [(0, 1), (1, 5), (2, 5), (0.5, 3)])
def test_logical_answers_become_marks(answer: float, mark: float) -> None:
    assert rise_logical_mark(answer) == mark


def test_reasoning_of_one_halves_the_score() -> None:
    weights = rise_weights("spatial_reasoning", consistency_free=False)
    marks = {"consistency": 5.0, "reasoning": 1.0, "plausibility": 5.0}
    assert rise_item(marks, weights) == pytest.approx((1.5 + 0.5 + 1.0) / 2)


def test_the_halved_score_never_falls_under_one() -> None:
    weights = rise_weights("spatial_reasoning", consistency_free=False)
    marks = {"consistency": 1.0, "reasoning": 1.0, "plausibility": 2.0}
    assert rise_item(marks, weights) == 1.0


@pytest.mark.parametrize(("score", "percent"), [(1, 0), (3, 50), (5, 100), (3.8, 70)])
def test_one_to_five_as_percent(score: float, percent: float) -> None:
    assert rise_percent(score) == pytest.approx(percent)


def test_accuracy_asks_only_the_dimensions_that_apply() -> None:
    free = rise_weights("temporal_reasoning", consistency_free=True)
    full = rise_weights("temporal_reasoning", consistency_free=False)
    marks = {"consistency": 2.0, "reasoning": 5.0, "plausibility": 5.0}
    assert rise_accurate(marks, free) is True
    assert rise_accurate(marks, full) is False
    logical = rise_weights(LOGICAL, consistency_free=False)
    assert rise_accurate({"consistency": 5.0, "reasoning": 5.0, "plausibility": 1.0}, logical)


def test_accuracy_is_unknown_when_a_dimension_was_not_judged() -> None:
    weights = rise_weights("temporal_reasoning", consistency_free=False)
    marks = {"consistency": None, "reasoning": 5.0, "plausibility": 5.0}
    assert rise_accurate(marks, weights) is None
    assert rise_item(marks, weights) is None


@pytest.mark.parametrize("value", [True, 1, 1.0, "true", "True", "1.0"])
def test_present_and_true_is_consistency_free(value: object) -> None:
    assert rise_consistency_free(value)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, math.nan, "", "nan", "false", [1]])
def test_missing_or_false_is_not_consistency_free(value: object) -> None:
    assert not rise_consistency_free(value)


@given(WEIGHTS, ALL_MARKS)
def test_rise_scores_stay_in_bounds_and_five_everywhere_is_full(
    weights: dict[str, float], marks: dict[str, float | None]
) -> None:
    score = rise_item(marks, weights)
    assert score is not None
    assert 1 - 1e-9 <= score <= 5 + 1e-9
    assert -1e-6 <= rise_percent(score) <= 100 + 1e-6
    assert sum(weights.values()) == pytest.approx(1.0)
    if rise_accurate(marks, weights):
        assert score == pytest.approx(5.0)


@given(WEIGHTS, ALL_MARKS, st.sampled_from(DIMENSIONS))
def test_a_better_mark_never_lowers_a_rise_score(
    weights: dict[str, float], marks: dict[str, float | None], raised: str
) -> None:
    better = marks | {raised: min(5.0, (marks[raised] or 0.0) + 1)}
    assert (rise_item(better, weights) or 0) >= (rise_item(marks, weights) or 0) - 1e-9


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.lists(st.integers())))
def test_consistency_free_is_total(value: object) -> None:
    assert rise_consistency_free(value) in {True, False}


# CoMM, OpenING, VIEScore


def test_six_comm_scores_and_their_mean() -> None:
    marks: dict[str, float | None] = dict(zip(COMM_SCORES, (8, 7, 6, 9, 5, 4), strict=True))
    assert mean_of_all(marks, COMM_SCORES) == pytest.approx(6.5)
    assert mean_of_all(marks | {"trend": None}, COMM_SCORES) is None


def test_seven_opening_scores_and_their_mean() -> None:
    marks: dict[str, float | None] = dict.fromkeys(OPENING_SCORES, 7.0)
    assert mean_of_all(marks | {"correctness": 0.0}, OPENING_SCORES) == pytest.approx(6.0)


def test_viescore_takes_the_worse_part_and_the_geometric_mean() -> None:
    assert viescore_semantics(9, 4) == 4
    assert viescore_semantics(9) == 9
    assert viescore_quality(8, 2) == 2
    assert viescore_overall(4, 9) == pytest.approx(6)
    assert viescore_overall(0, 9) == 0


@given(MARKS_0_10, MARKS_0_10)
def test_viescore_lies_between_its_parts(semantics: float, quality: float) -> None:
    overall = viescore_overall(semantics, quality)
    low, high = min(semantics, quality), max(semantics, quality)
    assert low - 1e-6 <= overall <= high + 1e-6


@given(st.lists(st.floats(-10, 10), max_size=30))
def test_a_mean_lies_among_its_values(values: list[float]) -> None:
    found = mean(values)
    assert (found is None) == (not values)
    if found is not None:
        assert min(values) - 1e-9 <= found <= max(values) + 1e-9
