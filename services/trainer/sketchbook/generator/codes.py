"""Tiles and their linear codes: what the generator's latents are made of.

Here live the numbering of tiles (a background, a row, and what stands there), the rendering of
every tile once, and the fit of the linear code that the encoder carries. Not here: the
convolutions that compute the code (``vae``) and the pairs that are made of tiles (``data``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from services.trainer.sketchbook.renderer import tile
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    GRID,
    PLACE_PX,
    PLACES,
    Background,
    Item,
    Scene,
    all_items,
)

ITEMS: tuple[Item | None, ...] = (None, *all_items())
"""What may stand in a place; number 0 is nothing."""
CELL_PX = 16
"""Side of the square that one latent position sees."""
FINE_CHANNELS = 48
"""A 4 x 4 px square, kept whole: 16 pixels of 3 colours."""
MIDDLE_CHANNELS = 64
"""Components kept of an 8 x 8 px square."""
LATENT_CHANNELS = 32
"""Components kept of a 16 x 16 px square."""
EMPTY_SHARE = 0.4
"""Share of empty places among the tiles the code is fitted on."""

Tiles = NDArray[np.uint8]
Floats = NDArray[np.float32]


@cache
def _item_numbers() -> dict[Item | None, int]:
    return {item: number for number, item in enumerate(ITEMS)}


@cache
def _background_numbers() -> dict[Background, int]:
    return {background: number for number, background in enumerate(BACKGROUNDS)}


def scene_numbers(scene: Scene) -> NDArray[np.uint8]:
    """A scene as 17 small numbers: its background, then what stands in each place."""
    items = dict(scene.items)
    numbers = [_item_numbers()[items.get(place)] for place in PLACES]
    return np.array([_background_numbers()[scene.background], *numbers], dtype=np.uint8)


def numbered_scene(numbers: Sequence[int] | NDArray[np.uint8]) -> Scene:
    """The scene that ``scene_numbers`` turned into numbers."""
    items = {
        place: item
        for place, number in zip(PLACES, numbers[1:], strict=True)
        if (item := ITEMS[int(number)]) is not None
    }
    return Scene.of(BACKGROUNDS[int(numbers[0])], items)


def render_all_tiles() -> Tiles:
    """Every tile of the world: (backgrounds, rows, items, 32, 32, 3)."""
    shape = (len(BACKGROUNDS), GRID, len(ITEMS), PLACE_PX, PLACE_PX, 3)
    tiles = np.empty(shape, dtype=np.uint8)
    for number, background in enumerate(BACKGROUNDS):
        for row in range(GRID):
            for column, item in enumerate(ITEMS):
                tiles[number, row, column] = tile(background, row, item)
    return tiles


def scaled(pixels: Tiles) -> Floats:
    """Pixels on the scale the encoder sees: -1 to 1."""
    return pixels.astype(np.float32) / np.float32(127.5) - 1


@dataclass(frozen=True, slots=True)
class LinearCode:
    """Two linear maps: four 4 px squares to an 8 px code, four 8 px codes to a latent.

    The columns of each map run over (dy, dx, channel) of the 2 x 2 squares below.
    """

    middle: Floats
    middle_bias: Floats
    latent: Floats
    latent_bias: Floats

    def encode(self, pixels: Floats) -> Floats:
        """Latents of pictures: (n, h, w, 3) on the -1 to 1 scale to (n, h / 16, w / 16, 32)."""
        fine = squares(squares(pixels))
        middle = squares(fine) @ self.middle.T + self.middle_bias
        return squares(middle) @ self.latent.T + self.latent_bias


def squares(grid: Floats) -> Floats:
    """Gather 2 x 2 neighbours into channels, ordered (dy, dx, channel)."""
    count, height, width, channels = grid.shape
    split = grid.reshape(count, height // 2, 2, width // 2, 2, channels)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(count, height // 2, width // 2, 4 * channels)


def fit_code(tiles: Tiles, *, samples: int, seed: int) -> LinearCode:
    """Fit principal components on tiles drawn at random.

    The latent components come out with mean 0 and variance 1, so that small but telling
    differences (a stage, a letter) weigh as much as the sky.
    """
    pixels = scaled(draw_tiles(tiles, samples=samples, seed=seed))
    fine = squares(squares(squares(pixels)))
    mean, middle, _ = _components(fine.reshape(-1, 4 * FINE_CHANNELS), MIDDLE_CHANNELS)
    middle_bias = -middle @ mean
    codes = squares(fine @ middle.T + middle_bias)
    mean, axes, spread = _components(codes.reshape(-1, 4 * MIDDLE_CHANNELS), LATENT_CHANNELS)
    latent = axes / spread[:, None]
    return LinearCode(middle, middle_bias, latent, -latent @ mean)


def draw_tiles(tiles: Tiles, *, samples: int, seed: int) -> Tiles:
    """Tiles drawn at random, empty ones with ``EMPTY_SHARE``."""
    rng = np.random.default_rng(seed)
    items = rng.integers(1, tiles.shape[2], samples)
    items[rng.random(samples) < EMPTY_SHARE] = 0
    backgrounds = rng.integers(0, tiles.shape[0], samples)
    return tiles[backgrounds, rng.integers(0, tiles.shape[1], samples), items]


def _components(rows: Floats, count: int) -> tuple[Floats, Floats, Floats]:
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean.astype(np.float32)
    covariance = (centred.T @ centred).astype(np.float64) / len(rows)
    values, vectors = np.linalg.eigh(covariance)
    largest = np.argsort(values)[::-1][:count]
    spread = np.sqrt(np.maximum(values[largest], 1e-10))
    return (
        mean.astype(np.float32),
        np.ascontiguousarray(vectors[:, largest].T, dtype=np.float32),
        spread.astype(np.float32),
    )
