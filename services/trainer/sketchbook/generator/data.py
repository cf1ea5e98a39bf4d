"""Training pairs as numbers on disk, and the table that turns them into latents.

A picture is 16 tiles and the encoder never looks past a tile's border, so the latents of any
scene are looked up in a table of all tiles. Not here: how scenes and prompts are drawn at random
(``samples``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from diffusers import AutoencoderKLFlux2
from numpy.typing import NDArray
from torch import Tensor
from transformers import Qwen2Tokenizer

from services.trainer.sketchbook.generator.codes import (
    Tiles,
    draw_tiles,
    scaled,
    scene_numbers,
)
from services.trainer.sketchbook.generator.model import TEXT_LENGTH, TOKEN_CHANNELS
from services.trainer.sketchbook.generator.text import as_people_write, token_rows
from services.trainer.sketchbook.generator.vae import (
    encode_pictures,
    normalise,
    set_normalisation,
)
from services.trainer.sketchbook.language import Split
from services.trainer.sketchbook.rewording import reworded
from services.trainer.sketchbook.samples import generator_sample
from services.trainer.sketchbook.world import GRID

NO_PICTURE = 255
"""Stands in all 17 numbers of a scene that is not there."""
_ROWS = np.arange(GRID).repeat(GRID)
_BATCH_TILES = 512


@dataclass(frozen=True, slots=True)
class Pool:
    """Many samples: scenes as (n, 17) numbers, prompts as (n, length) tokens."""

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    tokens: NDArray[np.int16]

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.after)

    def from_text(self) -> NDArray[np.bool_]:
        """Which samples have no picture before."""
        return self.before[:, 0] == NO_PICTURE

    def sha256(self) -> str:
        """The fingerprint of the data."""
        digest = hashlib.sha256()
        for part in (self.before, self.after, self.tokens):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write to an .npz file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part.npz")
        np.savez(draft, before=self.before, after=self.after, tokens=self.tokens)
        draft.replace(path)

    @staticmethod
    def load(*paths: Path) -> Pool:
        """Read one or several files as one pool."""
        files = [np.load(path) for path in paths]
        names = ("before", "after", "tokens")
        return Pool(*(np.concatenate([file[name] for file in files]) for name in names))


def make_pool(tokenizer: Qwen2Tokenizer, *, count: int, seed: int) -> Pool:
    """Draw samples with training phrasings, most of them reworded."""
    rng = Random(seed)
    before = np.full((count, 17), NO_PICTURE, dtype=np.uint8)
    after = np.empty((count, 17), dtype=np.uint8)
    prompts: list[str] = []
    for row in range(count):
        sample = generator_sample(rng, Split.TRAIN)
        if sample.before is not None:
            before[row] = scene_numbers(sample.before)
        after[row] = scene_numbers(sample.after)
        prompts.append(as_people_write(reworded(sample.prompt, rng), rng))
    return Pool(before, after, token_rows(tokenizer, prompts, length=TEXT_LENGTH))


class LatentTable:
    """The normalised latents of every tile: (backgrounds, rows, items, 128)."""

    def __init__(self, codes: Tensor) -> None:
        """Hold a table made by ``make_table``."""
        self.codes = codes

    def look_up(self, numbers: NDArray[np.uint8]) -> Tensor:
        """Picture tokens (n, 16, 128) of scenes given as (n, 17) numbers."""
        scenes = numbers.astype(np.int64)
        return self.codes[
            torch.from_numpy(scenes[:, :1]),
            torch.from_numpy(_ROWS)[None],
            torch.from_numpy(scenes[:, 1:]),
        ]

    def read(self, tokens: Tensor) -> NDArray[np.uint8]:
        """The scenes, as (n, 17) numbers, whose tiles lie nearest to (n, 16, 128) tokens.

        Many tiles look the same on several backgrounds, so a picture's background is the one that
        fits all 16 places best.
        """
        things, distances = [], []
        for row in range(GRID):
            known = self.codes[:, row].reshape(-1, TOKEN_CHANNELS)
            here = tokens[:, GRID * row : GRID * (row + 1)].reshape(-1, TOKEN_CHANNELS)
            apart = torch.cdist(here, known).square().reshape(len(tokens), GRID, *self.shape)
            nearest = apart.min(dim=-1)
            things.append(nearest.indices)
            distances.append(nearest.values.sum(1))
        background = torch.stack(distances).sum(0).argmin(1)
        chosen = torch.cat(things, dim=1)[torch.arange(len(tokens)), :, background]
        numbers = torch.cat([background[:, None], chosen], dim=1)
        return numbers.numpy().astype(np.uint8)

    @property
    def shape(self) -> tuple[int, int]:
        """How many backgrounds and items there are."""
        return self.codes.shape[0], self.codes.shape[2]


def make_table(vae: AutoencoderKLFlux2, tiles: Tiles) -> LatentTable:
    """Encode every tile with the encoder as it will be exported."""
    flat = tiles.reshape(-1, *tiles.shape[3:])
    codes = torch.cat([_encode(vae, flat[start : start + _BATCH_TILES])
                       for start in range(0, len(flat), _BATCH_TILES)])  # fmt: skip
    return LatentTable(normalise(vae, codes).reshape(*tiles.shape[:3], TOKEN_CHANNELS))


def fill_normalisation(vae: AutoencoderKLFlux2, tiles: Tiles, *, samples: int, seed: int) -> None:
    """Set the running statistics from tiles drawn as scenes hold them."""
    drawn = draw_tiles(tiles, samples=samples, seed=seed)
    set_normalisation(vae, _encode(vae, drawn))


def _encode(vae: AutoencoderKLFlux2, tiles: Tiles) -> Tensor:
    pixels = torch.from_numpy(scaled(tiles)).permute(0, 3, 1, 2)
    return encode_pictures(vae, pixels)[:, :, 0, 0]
