"""The world as data: scenes, references, edits."""

from __future__ import annotations

from random import Random

import pytest

from services.trainer.sketchbook.scenes import sample_edit, sample_editable_scene
from services.trainer.sketchbook.world import (
    COLOURS,
    PLACES,
    Add,
    Background,
    Beside,
    Grow,
    ImpossibleEditError,
    Item,
    Move,
    Place,
    Recolour,
    Ref,
    Relation,
    Remove,
    Scene,
    SetBackground,
    all_items,
    apply,
    outcomes,
)

MEADOW = Scene(Background("meadow"))
HOUSE, BOAT = Item("house", "red"), Item("boat", "blue")


def test_a_place_outside_the_grid_is_refused() -> None:
    with pytest.raises(ImpossibleEditError):
        Place(0, 4)


def test_no_item_is_listed_twice() -> None:
    items = list(all_items())
    assert len(items) == len(set(items))
    assert Item("flower", "red", 2) in items


def test_a_precise_addition_has_one_outcome_and_a_taken_place_none() -> None:
    scene = apply(MEADOW, Add(HOUSE, Place(3, 1)))
    assert scene.at(Place(3, 1)) == HOUSE
    assert outcomes(scene, Add(BOAT, Place(3, 1))) == ()


def test_an_addition_without_place_may_go_anywhere_free() -> None:
    scene = MEADOW.with_item(Place(0, 0), HOUSE)
    assert len(outcomes(scene, Add(BOAT))) == len(PLACES) - 1


def test_an_addition_without_colour_may_have_any_colour() -> None:
    found = outcomes(MEADOW, Add(Item("boat"), Place(0, 0)))
    assert {scene.items[0][1].colour for scene in found} == set(COLOURS)


def test_a_place_beside_a_thing_at_the_edge_does_not_exist() -> None:
    scene = MEADOW.with_item(Place(3, 0), HOUSE)
    assert outcomes(scene, Add(BOAT, Beside(Relation.LEFT_OF, Ref("house")))) == ()
    right = outcomes(scene, Add(BOAT, Beside(Relation.RIGHT_OF, Ref("house"))))
    assert [scene.at(Place(3, 1)) for scene in right] == [BOAT]


def test_a_move_keeps_the_thing_and_empties_its_place() -> None:
    scene = apply(MEADOW.with_item(Place(3, 0), HOUSE), Move(Ref("house"), Place(2, 2)))
    assert scene.items == ((Place(2, 2), HOUSE),)


def test_a_full_grown_tree_cannot_grow_and_a_cow_cannot_be_painted() -> None:
    scene = MEADOW.with_item(Place(3, 0), Item("tree", stage=3)).with_item(Place(3, 1), Item("cow"))
    assert outcomes(scene, Grow(Ref("tree"))) == ()
    assert outcomes(scene, Recolour(Ref("cow"), "red")) == ()


def test_a_reference_that_fits_two_things_has_two_outcomes() -> None:
    scene = MEADOW.with_item(Place(3, 0), HOUSE).with_item(Place(3, 2), Item("house", "blue"))
    assert len(outcomes(scene, Remove(Ref("house")))) == 2
    assert len(outcomes(scene, Remove(Ref("house", "blue")))) == 1


def test_paper_has_no_night() -> None:
    night = Scene(Background("town", "night"))
    assert apply(night, SetBackground("paper")).background == Background("paper", "day")


def test_an_edit_that_cannot_be_made_says_so() -> None:
    with pytest.raises(ImpossibleEditError):
        apply(MEADOW, Remove(Ref("house")))


def test_every_sampled_edit_has_one_outcome_and_changes_the_scene() -> None:
    rng = Random(3)
    for _ in range(500):
        scene = sample_editable_scene(rng)
        after = outcomes(scene, sample_edit(scene, rng))
        assert len(after) == 1
        assert after[0] != scene
