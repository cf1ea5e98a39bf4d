"""Both published reward formulas, worked by hand, and their bounds for all outcomes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.trainer.rewards import (
    PUBLISHED,
    Marks,
    Outcome,
    RewardForm,
    Weights,
    changes,
    reward,
    score_change,
)

OLD, NEW = Marks(2, 8), Marks(9, 6)
PAPER, RELEASED = RewardForm.PAPER, RewardForm.RELEASED

MARKS = st.none() | st.builds(Marks, st.floats(), st.floats())
OUTCOMES = st.builds(
    Outcome, verdict=st.none() | st.booleans(), truth=st.booleans(), old=MARKS, new=MARKS
)


def test_a_right_refusal_that_repairs_the_picture() -> None:
    outcome = Outcome(verdict=False, truth=False, old=OLD, new=NEW)
    step = (9 + 6) / 20 - (2 + 8) / 20
    assert reward(outcome, PAPER).total == pytest.approx(0.5 + 0.5 * (0.2 * 0 + 0.8 * step))
    semantics, quality = (0.7 + 1) / 2, (-0.2 + 1) / 2
    expected = 0.5 + 0.5 * (0.2 * 1 + 0.6 * semantics + 0.2 * quality)
    assert reward(outcome, RELEASED).total == pytest.approx(expected)
    assert expected == pytest.approx(0.895)


def test_a_wrong_acceptance_is_still_compared_by_its_picture() -> None:
    outcome = Outcome(verdict=True, truth=False, old=OLD, new=OLD)
    assert reward(outcome, PAPER).total == pytest.approx(0.5 + 0.5 * (0.2 * -1))
    assert reward(outcome, RELEASED).total == pytest.approx(0.5 + 0.5 * (0.6 * 0.5 + 0.2 * 0.5))


def test_nothing_is_drawn_where_the_picture_is_right_already() -> None:
    outcome = Outcome(verdict=True, truth=True, old=OLD, new=NEW)
    assert changes(outcome) == (0.5, 0.5)
    assert score_change(outcome) == 0
    assert reward(outcome, RELEASED).total == pytest.approx(0.5 + 0.5 * (0.2 + 0.4))
    assert reward(outcome, PAPER).total == pytest.approx(0.5)


def test_a_wrong_refusal_of_a_right_picture_costs_the_accuracy_alone() -> None:
    right, wrong = Outcome(verdict=True, truth=True), Outcome(verdict=False, truth=True)
    for form in RewardForm:
        lost = reward(right, form).total - reward(wrong, form).total
        assert lost == pytest.approx(0.5 * 0.2)


def test_a_picture_that_did_not_come_in_time_is_neutral() -> None:
    outcome = Outcome(verdict=False, truth=False, old=OLD, new=None)
    assert reward(outcome, RELEASED).total == pytest.approx(0.5 + 0.5 * (0.2 + 0.4))
    assert reward(outcome, PAPER).total == pytest.approx(0.5)


def test_an_unreadable_reply_gets_no_format_and_no_accuracy() -> None:
    outcome = Outcome(verdict=None, truth=True, old=OLD, new=NEW)
    assert reward(outcome, RELEASED).total == pytest.approx(0.5 * 0.4)
    assert reward(outcome, PAPER).total == pytest.approx(0.5 * 0.2 * -1)


def test_marks_that_are_no_numbers_are_neutral() -> None:
    outcome = Outcome(verdict=False, truth=False, old=OLD, new=Marks(math.nan, 5))
    assert changes(outcome) == (0.5, 0.5)
    assert score_change(outcome) == 0


def test_the_ablations_drop_one_part_and_keep_the_others_in_proportion() -> None:
    outcome = Outcome(verdict=True, truth=False, old=OLD, new=NEW)
    no_step = reward(outcome, PAPER, PUBLISHED.without_step())
    assert no_step.total == pytest.approx(0.5 + 0.5 * -1)
    no_accuracy = reward(outcome, PAPER, PUBLISHED.without_accuracy())
    assert no_accuracy.total == pytest.approx(0.5 + 0.5 * 0.25)
    released = reward(outcome, RELEASED, PUBLISHED.without_accuracy())
    assert released.total == pytest.approx(0.5 + 0.5 * (0.75 * 0.85 + 0.25 * 0.4))


def test_the_verdicts_share_is_free_and_the_published_one_changes_nothing() -> None:
    assert PUBLISHED.with_accuracy(0.2).semantics == pytest.approx(0.6)
    half = PUBLISHED.with_accuracy(0.5)
    assert (half.semantics, half.quality) == (pytest.approx(0.375), pytest.approx(0.125))
    assert PUBLISHED.with_accuracy(0.0).quality == pytest.approx(0.25)


@pytest.mark.parametrize("weights", [PUBLISHED, PUBLISHED.without_step(),
                                     PUBLISHED.without_accuracy(),
                                     PUBLISHED.with_accuracy(0.4)])  # fmt: skip
def test_the_weights_behind_the_format_add_up_to_one(weights: Weights) -> None:
    assert weights.accuracy + weights.semantics + weights.quality == pytest.approx(1)


@settings(deadline=None)
@given(OUTCOMES)
def test_every_outcome_has_a_bounded_reward(outcome: Outcome) -> None:
    released, paper = reward(outcome, RELEASED), reward(outcome, PAPER)
    assert 0 <= released.total <= 1
    assert -0.5 <= paper.total <= 0.9 + 1e-9
    assert released.format == paper.format
    assert released.accuracy - 1 == paper.accuracy


@settings(deadline=None)
@given(OUTCOMES)
def test_the_right_verdict_never_earns_less(outcome: Outcome) -> None:
    right = Outcome(outcome.truth, outcome.truth, outcome.old, outcome.new)
    wrong = Outcome(not outcome.truth, outcome.truth, outcome.old, outcome.new)
    for form in RewardForm:
        assert reward(right, form).total > reward(wrong, form).total


@settings(deadline=None)
@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10), st.floats(0, 5))
def test_a_better_new_picture_never_earns_less(
    semantics: float, quality: float, old: float, more: float
) -> None:
    for form in RewardForm:
        totals = [
            reward(Outcome(verdict=False, truth=False, old=Marks(old, old), new=new), form).total
            for new in (Marks(semantics, quality), Marks(semantics + more, quality + more))
        ]
        assert totals[1] >= totals[0] - 1e-9
