"""The look of the Sketchbook world: scenes become pictures.

A picture is a sheet of 16 tiles, and a tile depends on nothing but the background, the row and
what stands in the place: nothing crosses a place's border, so a place can be looked up. How the
single things are drawn is in ``drawings``; reading a picture back is the ``grader``'s part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from services.trainer.sketchbook.drawings import (
    animals,
    glyphs,
    nature,
    settings,
    things,
)
from services.trainer.sketchbook.drawings.pen import PALETTE, Layer, Pen, Rgb
from services.trainer.sketchbook.world import (
    GRID,
    PICTURE_PX,
    PLACE_PX,
    Background,
    Item,
    Scene,
)

Picture = npt.NDArray[np.uint8]
"""(128, 128, 3) RGB."""
Tile = npt.NDArray[np.uint8]
"""(32, 32, 3) RGB."""

_COLOURED: dict[str, Callable[[Pen, Rgb], None]] = {
    "house": things.draw_house,
    "boat": things.draw_boat,
    "car": things.draw_car,
    "block": things.draw_block,
    "ball": things.draw_ball,
    "balloon": things.draw_balloon,
    "umbrella": things.draw_umbrella,
    "kite": things.draw_kite,
    "cat": animals.draw_cat,
    "fish": animals.draw_fish,
    "bird": animals.draw_bird,
}
_STAGED: dict[str, Callable[[Pen, int], None]] = {
    "tree": nature.draw_tree,
    "snowman": nature.draw_snowman,
    "moon": nature.draw_moon,
}
_PLAIN: dict[str, Callable[[Pen], None]] = {
    "sun": nature.draw_sun,
    "cloud": nature.draw_cloud,
    "star": nature.draw_star,
    "apple": nature.draw_apple,
    "mushroom": nature.draw_mushroom,
    "cow": animals.draw_cow,
    "dog": animals.draw_dog,
    "hen": animals.draw_hen,
    "bee": animals.draw_bee,
}


class UndrawableItemError(ValueError):
    """The item is not one of the world's: its kind is unknown or an attribute is missing."""


def render(scene: Scene) -> Picture:
    """Draw a scene. Pure: the same scene always gives the same bytes."""
    picture = np.empty((PICTURE_PX, PICTURE_PX, 3), dtype=np.uint8)
    grid = picture.reshape(GRID, PLACE_PX, GRID, PLACE_PX, 3)
    for row in range(GRID):
        grid[row] = tile(scene.background, row, None)[:, None]
    for place, item in scene.items:
        grid[place.row, :, place.column] = tile(scene.background, place.row, item)
    return picture


@cache
def tile(background: Background, row: int, item: Item | None) -> Tile:
    """One place of a picture, as it looks in any column of a row. Read-only."""
    empty = _empty_tile(background, row)
    drawn = empty if item is None else composed(empty, item_layer(item))
    drawn.setflags(write=False)
    return drawn


def composed(empty: Tile, layer: Layer) -> Tile:
    """An item laid over an empty place; several layers may be stacked in leading axes."""
    uncovered = np.float32(1) - layer[..., 3:]
    blend = np.rint(layer[..., :3] + empty.astype(np.float32) * uncovered)
    return np.clip(blend, 0, 255).astype(np.uint8)


@cache
def item_layer(item: Item) -> Layer:
    """An item on a transparent ground. Read-only."""
    pen = Pen()
    _drawing(item)(pen)
    layer = pen.layer()
    layer.setflags(write=False)
    return layer


def _drawing(item: Item) -> Callable[[Pen], None]:
    colour = None if item.colour is None else PALETTE[item.colour]
    match item.kind, colour, item.stage, item.glyph:
        case "flower", tuple(rgb), int(stage), None:
            return lambda pen: nature.draw_flower(pen, rgb, stage)
        case "glyph", None, None, str(glyph):
            return lambda pen: glyphs.draw_glyph(pen, glyph)
        case kind, tuple(rgb), None, None if kind in _COLOURED:
            return lambda pen: _COLOURED[kind](pen, rgb)
        case kind, None, int(stage), None if kind in _STAGED:
            return lambda pen: _STAGED[kind](pen, stage)
        case kind, None, None, None if kind in _PLAIN:
            return _PLAIN[kind]
        case _:
            raise UndrawableItemError(f"no drawing for {item}")


@cache
def _empty_tile(background: Background, row: int) -> Tile:
    pen = Pen(ground=(255, 255, 255))
    settings.paint_row(pen, background.setting, background.time, row)
    return pen.picture()
