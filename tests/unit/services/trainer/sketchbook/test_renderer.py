"""The look: one tile a place, the same bytes every time, everything told apart by a margin."""

import numpy as np
import pytest

from services.trainer.sketchbook.renderer import UndrawableItemError, render, tile
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    GRID,
    PLACE_PX,
    PLACES,
    Background,
    Item,
    Place,
    Scene,
    all_items,
)

CONTENTS = (None, *all_items())
SMALLEST_MARGIN = 700.0
"""Euclidean distance in pixel values: over 55 standard deviations of noise of 12."""


def test_a_picture_is_128_pixels_square_in_colour() -> None:
    picture = render(Scene(Background("meadow")))
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8


def test_an_item_changes_nothing_outside_its_place() -> None:
    empty = Scene(Background("town", "rain"))
    changed = render(empty) != render(empty.with_item(Place(2, 1), Item("block", colour="red")))
    inside = np.zeros_like(changed)
    inside[2 * PLACE_PX : 3 * PLACE_PX, PLACE_PX : 2 * PLACE_PX] = True
    assert changed[inside].any()
    assert not changed[~inside].any()


def test_each_place_of_a_picture_is_its_tile() -> None:
    background = Background("sea", "night")
    items = dict(zip(PLACES, CONTENTS[1::9], strict=False))
    picture = render(Scene.of(background, {at: item for at, item in items.items() if item}))
    for place in PLACES:
        rows = slice(place.row * PLACE_PX, (place.row + 1) * PLACE_PX)
        columns = slice(place.column * PLACE_PX, (place.column + 1) * PLACE_PX)
        expected = tile(background, place.row, items.get(place))
        assert np.array_equal(picture[rows, columns], expected)


def test_drawing_afresh_gives_the_same_bytes() -> None:
    asked = [(Background("beach", "evening"), 2, item) for item in CONTENTS[::7]]
    cached = [tile(*what).tobytes() for what in asked]
    afresh = [tile.__wrapped__(*what).tobytes() for what in asked]
    assert cached == afresh


def test_a_cached_tile_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        tile(Background("meadow"), 0, None)[0] = 0


@pytest.mark.parametrize("background", BACKGROUNDS, ids=lambda b: f"{b.setting}-{b.time}")
def test_all_contents_differ_by_a_margin_on(background: Background) -> None:
    for row in range(GRID):
        tiles = np.stack([tile.__wrapped__(background, row, what) for what in CONTENTS])
        flat = tiles.reshape(len(CONTENTS), -1).astype(np.float32)
        norms = (flat**2).sum(axis=1)
        squares = norms[:, None] + norms[None] - 2 * flat @ flat.T
        np.fill_diagonal(squares, np.inf)
        assert squares.min() > SMALLEST_MARGIN**2


def test_no_two_backgrounds_look_alike() -> None:
    flat = np.stack([render(Scene(background)).ravel() for background in BACKGROUNDS])
    means = [np.abs(flat - one.astype(np.int16)).mean(axis=1) for one in flat]
    apart = np.stack(means) + np.eye(len(BACKGROUNDS)) * 255
    assert apart.min() > 8


@pytest.mark.parametrize(
    "item",
    [Item("dragon"), Item("house"), Item("tree"), Item("sun", colour="red"), Item("glyph")],
    ids=str,
)
def test_an_item_that_is_not_of_this_world_is_refused(item: Item) -> None:
    with pytest.raises(UndrawableItemError, match=item.kind):
        tile(Background("meadow"), 2, item)
