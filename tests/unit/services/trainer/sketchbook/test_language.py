"""What is said is understood: describing, wording edits, parsing, captions."""

from __future__ import annotations

import re
from random import Random

import pytest

from services.trainer.sketchbook import wording
from services.trainer.sketchbook.language import (
    Split,
    Style,
    UnknownWordingError,
    caption_places,
    describe,
    list_items,
    outcomes_of,
    parse_caption,
    phrase,
    phrase_both,
    sentence,
    sentence_is_right,
)
from services.trainer.sketchbook.scenes import sample_edit, sample_editable_scene, sample_scene
from services.trainer.sketchbook.settling import carry_out
from services.trainer.sketchbook.world import Background, Item, Place, Scene, apply, outcomes

MEADOW = Scene(Background("meadow"))
SCENE = MEADOW.with_item(Place(3, 0), Item("house", "red")).with_item(Place(0, 2), Item("sun"))
ROUNDS = 800


@pytest.mark.parametrize("split", Split)
def test_every_description_has_the_scene_as_its_only_outcome(split: Split) -> None:
    rng = Random(1)
    for _ in range(ROUNDS // 2):
        scene = sample_scene(rng)
        text = describe(scene, rng, split)
        assert outcomes_of(None, text) == (scene,), text


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("split", Split)
def test_every_worded_edit_has_the_meant_scene_among_its_outcomes(
    split: Split, style: Style
) -> None:
    rng = Random(2)
    for _ in range(ROUNDS):
        scene = sample_editable_scene(rng)
        edit = sample_edit(scene, rng)
        text = phrase(scene, edit, rng, style, split)
        found = outcomes_of(scene, text)
        assert apply(scene, edit) in found, text
        assert style is not Style.PRECISE or len(found) == 1, text


@pytest.mark.parametrize("split", Split)
def test_two_edits_in_one_prompt_are_both_understood(split: Split) -> None:
    rng = Random(3)
    for _ in range(ROUNDS // 2):
        scene = sample_editable_scene(rng)
        first = sample_edit(scene, rng)
        middle = outcomes(scene, first)[0]
        second = sample_edit(middle, rng)
        text = phrase_both(scene, (first, second), rng, split)
        assert outcomes_of(scene, text) == (apply(middle, second),), text


def test_heldout_wordings_differ_from_training_ones_but_use_the_same_words() -> None:
    texts = {split: {t for table in wording.ALL_TEMPLATES for by in table.values()
                     for t in by[split]} for split in Split}  # fmt: skip
    assert not texts[Split.TRAIN] & texts[Split.HELDOUT]
    frames = {split: " ".join([*texts[split], *wording.DESCRIPTIONS[split]]) for split in Split}
    words = {split: set(re.findall(r"[a-z]+", re.sub(r"\{\w+\}", "", frames[split])))
             for split in Split}  # fmt: skip
    assert words[Split.HELDOUT] <= words[Split.TRAIN]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Add a cow in the bottom row, left.", Place(3, 1)),
        ("please put a cow to the right of the house", Place(3, 1)),
        ("now draw a cow at the far right of the top row!", Place(0, 3)),
        ("put a cow on the left of the upper row", Place(1, 1)),
        ("draw a cow below the sun", Place(1, 2)),
    ],
)
def test_a_place_is_understood_in_many_forms(text: str, place: Place) -> None:
    assert outcomes_of(SCENE, text) == (SCENE.with_item(place, Item("cow")),)


def test_a_second_thing_to_add_needs_no_second_verb() -> None:
    after = carry_out(SCENE, "add a cow in the top row, left and a dog in the top row, far left")
    assert after.at(Place(0, 0)) == Item("dog")


def test_an_open_place_is_settled_by_a_fixed_rule() -> None:
    assert carry_out(SCENE, "add a blue boat").at(Place(3, 1)) == Item("boat", "blue")


def test_without_a_picture_edits_start_on_white_paper() -> None:
    assert carry_out(None, "add a cow in the top row, left").background == Background("paper")


@pytest.mark.parametrize(
    "text",
    ["", "add a dragon", "paint the cow red", "let the house grow", "make it beautiful",
     "turn the seedling into a big tree", "add a red cow", "add a boat in row nine"],
)  # fmt: skip
def test_what_the_world_cannot_do_is_not_understood(text: str) -> None:
    with pytest.raises(UnknownWordingError):
        outcomes_of(SCENE, text)


def test_the_exact_caption_reads_back_as_the_scene() -> None:
    rng = Random(4)
    for _ in range(ROUNDS):
        scene = sample_scene(rng)
        assert parse_caption(caption_places(scene)) == scene


def test_a_sentence_is_right_for_its_own_scene_only() -> None:
    rng = Random(5)
    for _ in range(ROUNDS):
        scene, other = sample_scene(rng), sample_scene(rng, min_items=1)
        text = sentence(scene, rng)
        assert sentence_is_right(scene, text), text
        alike = sentence(scene) == sentence(other)
        assert sentence_is_right(other, text) == alike


def test_the_canonical_sentence_counts_equal_things() -> None:
    scene = SCENE.with_item(Place(3, 3), Item("house", "red"))
    assert sentence(scene) == "A meadow by day with a sun and two red houses."


@pytest.mark.parametrize("text", [None, "", "A meadow.", "Nice picture with a cow"])
def test_other_texts_are_no_right_sentence(text: str | None) -> None:
    assert not sentence_is_right(SCENE, text)


def test_a_list_of_items_names_each_behind_its_kind() -> None:
    items = {
        Place(0, 1): Item("car", "white"), Place(1, 3): Item("glyph", glyph="7"),
        Place(3, 0): Item("tree", stage=2),
    }  # fmt: skip
    assert list_items(Scene.of(Background("sea", "night"), items)) == (
        "the sea at night; car: white car in the top row, left;"
        " number: number 7 in the upper row, far right;"
        " tree: young tree in the bottom row, far left"
    )
