"""Judging pictures: success is exact, and every way of failing is told apart and named."""

import numpy as np
import pytest

from services.trainer.sketchbook.grader import decode, explain, grade
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.world import (
    Add,
    Background,
    Item,
    Move,
    Place,
    Recolour,
    Ref,
    Scene,
    outcomes,
)

HOUSE_AT, TREE_AT, FREE = Place(2, 0), Place(2, 2), Place(3, 1)
HOUSE, TREE, BOAT = Item("house", colour="red"), Item("tree", stage=3), Item("boat", colour="blue")
BEFORE = Scene.of(Background("meadow"), {HOUSE_AT: HOUSE, TREE_AT: TREE})
GOAL = BEFORE.with_item(FREE, BOAT)


def test_the_exact_outcome_gets_full_marks() -> None:
    got = grade(BEFORE, [GOAL], render(GOAL))
    assert got.success
    assert (got.semantics, got.quality, got.missing, got.collateral) == (10.0, 10.0, 0, 0)
    assert explain(BEFORE, got.goal, got.reading) == ""


def test_an_edit_that_did_not_happen_has_no_semantics() -> None:
    got = grade(BEFORE, [GOAL], render(BEFORE))
    assert not got.success
    assert (got.semantics, got.quality, got.missing, got.collateral) == (0.0, 10.0, 1, 0)
    assert explain(BEFORE, GOAL, got.reading) == "the blue boat in the bottom row, left is missing"


def test_half_of_two_changes_is_half_the_marks() -> None:
    goal = GOAL.with_item(HOUSE_AT, Item("house", colour="green"))
    got = grade(BEFORE, [goal], render(GOAL))
    assert (got.success, got.semantics, got.missing, got.collateral) == (False, 5.0, 1, 0)
    reason = explain(BEFORE, goal, got.reading)
    assert reason == "the red house in the lower row, far left did not become a green house"


def test_collateral_damage_lowers_the_marks_of_a_done_edit() -> None:
    got = grade(BEFORE, [GOAL], render(GOAL.with_item(TREE_AT, None)))
    assert (got.success, got.missing, got.collateral) == (False, 0, 1)
    assert got.semantics == pytest.approx(7.5), "background, house and boat right, tree gone"
    reason = explain(BEFORE, GOAL, got.reading)
    assert reason == "the big tree in the lower row, right vanished"


def test_a_stray_item_is_collateral() -> None:
    got = grade(BEFORE, [GOAL], render(GOAL.with_item(Place(0, 0), Item("sun"))))
    assert (got.success, got.missing, got.collateral) == (False, 0, 1)
    assert "a sun in the top row, far left that nobody asked for" in explain(
        BEFORE, GOAL, got.reading
    )


def test_a_changed_background_is_collateral() -> None:
    night = Scene(Background("meadow", "night"), GOAL.items)
    got = grade(BEFORE, [GOAL], render(night))
    assert (got.success, got.missing, got.collateral) == (False, 0, 1)
    reason = explain(BEFORE, GOAL, got.reading)
    assert reason == "the background is a meadow at night, not a meadow by day"


def test_any_outcome_of_a_vague_edit_is_a_success() -> None:
    accepted = outcomes(BEFORE, Add(BOAT))
    assert len(accepted) > 1
    for outcome in (accepted[0], accepted[-1]):
        got = grade(BEFORE, accepted, render(outcome))
        assert got.success
        assert got.goal == outcome


def test_an_illegible_place_is_never_a_success() -> None:
    picture = render(GOAL)
    picture[96:, 32:64:2] = 255 - picture[96:, 32:64:2]
    got = grade(BEFORE, [GOAL], picture)
    assert (got.success, got.missing, got.collateral) == (False, 1, 0)
    assert got.quality < 5.0
    assert "nothing clear can be made out in the bottom row, left" in explain(
        BEFORE, GOAL, got.reading
    )


def test_a_move_to_the_wrong_place_is_named_as_such() -> None:
    goal, *_ = outcomes(BEFORE, Move(Ref("tree"), FREE))
    wrong, *_ = outcomes(BEFORE, Move(Ref("tree"), Place(1, 1)))
    got = grade(BEFORE, [goal], render(wrong))
    assert (got.success, got.missing, got.collateral) == (False, 1, 1)
    reason = explain(BEFORE, goal, got.reading)
    assert reason == "the big tree is in the upper row, left instead of in the bottom row, left"


def test_a_wrong_colour_is_named_as_such() -> None:
    goal, *_ = outcomes(BEFORE, Recolour(Ref("house"), "green"))
    wrong, *_ = outcomes(BEFORE, Recolour(Ref("house"), "blue"))
    reason = explain(BEFORE, goal, decode(render(wrong)))
    assert reason == "the house in the lower row, far left is blue, not green"


def test_what_should_have_gone_and_is_still_there_is_named() -> None:
    goal = BEFORE.with_item(HOUSE_AT, None)
    reason = explain(BEFORE, goal, decode(render(BEFORE)))
    assert reason == "the red house is still in the lower row, far left"


def test_a_picture_from_nothing_is_judged_by_everything_in_it() -> None:
    got = grade(None, [GOAL], render(GOAL.with_item(FREE, None)))
    assert (got.success, got.missing, got.collateral) == (False, 1, 0)
    assert got.semantics == pytest.approx(7.5)
    assert grade(None, [GOAL], render(GOAL)).success


def test_at_most_three_reasons_are_named() -> None:
    empty = Scene(Background("sea", "night"))
    reason = explain(None, GOAL, decode(render(empty)))
    assert reason.count(";") == 3
    assert reason.endswith("and 1 more")


def test_noise_lowers_quality_and_nothing_else() -> None:
    noise = np.random.default_rng(0).normal(0, 12, (128, 128, 3))
    noisy = np.clip(np.rint(render(GOAL) + noise), 0, 255).astype(np.uint8)
    got = grade(BEFORE, [GOAL], noisy)
    assert got.success
    assert got.semantics == 10.0
    assert 5.0 < got.quality < 9.0


def test_judging_against_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is accepted"):
        grade(BEFORE, [], render(GOAL))
