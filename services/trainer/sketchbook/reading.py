"""Reading a Sketchbook picture back into a scene, place by place, by the nearest template.

Small copies of all templates are compared first, to find a few likely backgrounds and, for each
place, a few likely contents; those are then compared at full size. Not here: judging whether
what was read is what was wanted (``grader``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from services.trainer.sketchbook.renderer import composed, item_layer, tile
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    GRID,
    PICTURE_PX,
    PLACE_PX,
    PLACES,
    Background,
    Item,
    Place,
    Scene,
    all_items,
)

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

ILLEGIBLE_DISTANCE = 24.0
"""A place whose nearest template is farther than this (mean of 0 to 255) shows nothing known.

Noise of standard deviation 12 alone gives about 10; an item half a place off gives over 30."""
ILLEGIBLE_BLEND = 0.4
"""A place this far on the way from its nearest template to another one is neither of the two.

0 is the nearest template itself, 0.5 the middle between both."""

_SMALL_PX = 8
_LIKELY_BACKGROUNDS = 3
_LIKELY_CONTENTS = 6
_CONTENTS: tuple[Item | None, ...] = (None, *all_items())


class PictureShapeError(ValueError):
    """The picture is not 128 x 128 RGB with 8 bits a channel."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a picture shows.

    Attributes:
        scene: The nearest template of every place, put together.
        distances: (4, 4) mean absolute difference to that template, 0 to 255.
        blends: (4, 4) how far a place lies on the way to its next likely content, 0 to 0.5.
    """

    scene: Scene
    distances: Floats
    blends: Floats

    @property
    def legible_places(self) -> npt.NDArray[np.bool_]:
        """(4, 4) whether each place clearly shows what ``scene`` says."""
        return (self.distances <= ILLEGIBLE_DISTANCE) & (self.blends <= ILLEGIBLE_BLEND)

    @property
    def legible(self) -> bool:
        """Whether every place is legible."""
        return bool(self.legible_places.all())

    def is_legible(self, place: Place) -> bool:
        """Whether one place is legible."""
        return bool(self.legible_places[place.row, place.column])


@dataclass(frozen=True, slots=True)
class _Match:
    """The best reading of a picture on one background: index, error and blend per place."""

    contents: tuple[int, ...]
    errors: Floats
    blends: Floats


def decode(picture: Picture) -> Reading:
    """Read a picture.

    Raises:
        PictureShapeError: The array has another shape or type than a Sketchbook picture.
    """
    if picture.shape != (PICTURE_PX, PICTURE_PX, 3) or picture.dtype != np.uint8:
        raise PictureShapeError(f"not a picture: {picture.dtype} {picture.shape}")
    places = _cut(picture)
    small_errors = _small_errors(places)
    nearness = np.sqrt(small_errors.min(axis=2)).sum(axis=0)
    likely = np.argsort(nearness, kind="stable")[:_LIKELY_BACKGROUNDS]
    matches = {int(at): _match(places, BACKGROUNDS[at], small_errors[:, at]) for at in likely}
    best = min(matches, key=lambda at: float(np.sqrt(matches[at].errors).sum()))
    return _reading(places, BACKGROUNDS[best], matches[best])


def _reading(places: Floats, background: Background, match: _Match) -> Reading:
    contents = [_CONTENTS[index] for index in match.contents]
    items = {place: what for place, what in zip(PLACES, contents, strict=True) if what is not None}
    drawn = np.stack(
        [tile(background, place.row, what) for place, what in zip(PLACES, contents, strict=True)]
    )
    distances = np.abs(places - drawn).mean(axis=(1, 2, 3), dtype=np.float32)
    return Reading(
        scene=Scene.of(background, items),
        distances=distances.reshape(GRID, GRID),
        blends=match.blends.reshape(GRID, GRID),
    )


def _match(places: Floats, background: Background, small_errors: Floats) -> _Match:
    likely = np.argsort(small_errors, axis=1, kind="stable")[:, :_LIKELY_CONTENTS]
    chosen: list[int] = []
    errors, blends = np.zeros(len(PLACES), np.float32), np.zeros(len(PLACES), np.float32)
    for at, place in enumerate(PLACES):
        drawn = np.stack([tile(background, place.row, _CONTENTS[i]) for i in likely[at]])
        apart = _mean_squares(places[at] - drawn)
        best = int(apart.argmin())
        chosen.append(int(likely[at, best]))
        errors[at] = apart[best]
        blends[at] = _blend(apart, _mean_squares(drawn - drawn[best].astype(np.float32)), best)
    return _Match(tuple(chosen), errors, blends)


def _blend(apart: Floats, between: Floats, best: int) -> float:
    """The farthest way from the best template towards any other one (law of cosines)."""
    others = np.delete(np.arange(len(apart)), best)
    way = (apart[best] + between[others] - apart[others]) / (2 * between[others])
    return max(0.0, float(way.max()))


def _mean_squares(differences: Floats) -> Floats:
    flat = differences.reshape(len(differences), -1)
    return np.einsum("ij,ij->i", flat, flat) / np.float32(flat.shape[1])


def _cut(picture: Picture) -> Floats:
    """The 16 places of a picture in reading order."""
    grid = picture.reshape(GRID, PLACE_PX, GRID, PLACE_PX, 3).swapaxes(1, 2)
    return grid.reshape(len(PLACES), PLACE_PX, PLACE_PX, 3).astype(np.float32)


def _shrunk(tiles: npt.NDArray[np.generic]) -> Floats:
    """Each tile as a row of 8 x 8 mean colours."""
    step = PLACE_PX // _SMALL_PX
    blocks = tiles.reshape(-1, _SMALL_PX, step, _SMALL_PX, step, 3)
    return blocks.mean(axis=(2, 4), dtype=np.float32).reshape(len(tiles), -1)


def _small_errors(places: Floats) -> Floats:
    """(16, backgrounds, contents): mean squared difference of the small copies."""
    small = _shrunk(places).reshape(GRID, GRID, -1)
    templates, norms = _small_templates()
    products = np.matmul(small, templates.transpose(0, 2, 1))
    squares = np.einsum("rci,rci->rc", small, small)[..., None]
    errors = np.maximum(squares + norms[:, None] - 2 * products, 0) / small.shape[2]
    return errors.reshape(len(PLACES), len(BACKGROUNDS), len(_CONTENTS))


@cache
def _small_templates() -> tuple[Floats, Floats]:
    """Per row, the small copy of every content on every background, and their squared norms."""
    layers = np.stack([item_layer(item) for item in _CONTENTS if item is not None])
    rows: list[Floats] = []
    for row in range(GRID):
        for background in BACKGROUNDS:
            empty = tile(background, row, None)
            rows.append(_shrunk(np.concatenate([empty[None], composed(empty, layers)])))
    templates = np.concatenate(rows).reshape(GRID, len(BACKGROUNDS) * len(_CONTENTS), -1)
    return templates, np.einsum("rti,rti->rt", templates, templates)
