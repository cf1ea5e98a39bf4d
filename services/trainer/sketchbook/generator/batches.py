"""Which samples a training step sees, and what it learns from them.

Most prompts are short, and the cost of a step grows with the padded length, so steps come in a
few kinds: each kind has one length and either all or none of its samples have a picture before.
Not here: the optimisation (``train``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.trainer.sketchbook.generator.data import LatentTable, Pool
from services.trainer.sketchbook.generator.model import SHIFT, TEXT_LENGTH

CHANGED_EXTRA = 2.0
"""How much more a place counts that differs from before (or that holds a thing, from text)."""
THING_EXTRA = 1.0
"""How much more a place counts that holds a thing."""
LONG_SHARE = 0.4
"""Share of prompts in steps of full length that need it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of step: its padded length, whether it draws from text alone, how often it comes."""

    length: int
    from_text: bool
    share: float


KINDS = (
    Kind(32, from_text=False, share=0.67),
    Kind(TEXT_LENGTH, from_text=False, share=0.05),
    Kind(56, from_text=True, share=0.18),
    Kind(TEXT_LENGTH, from_text=True, share=0.10),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step trains on."""

    kind: Kind
    tokens: Tensor
    before: Tensor | None
    after: Tensor
    weight: Tensor


class Batches:
    """Draws the batch of a step; the same step always gets the same batch."""

    def __init__(
        self, pool: Pool, table: LatentTable, *, pad_token: int, size: int, seed: int
    ) -> None:
        """Sort the pool's samples by kind."""
        self._pool, self._table, self._size, self._seed = pool, table, size, seed
        lengths = (pool.tokens != pad_token).sum(axis=1)
        self._short: dict[Kind, NDArray[np.int64]] = {}
        self._long: dict[Kind, NDArray[np.int64]] = {}
        for kind in KINDS:
            fitting = pool.from_text() == kind.from_text
            limit = min(other.length for other in KINDS if other.from_text == kind.from_text)
            self._short[kind] = np.flatnonzero(fitting & (lengths <= limit))
            self._long[kind] = np.flatnonzero(fitting & (lengths > limit))

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng((self._seed, step))
        kind = KINDS[rng.choice(len(KINDS), p=[kind.share for kind in KINDS])]
        rows = rng.choice(self._short[kind], self._size)
        if kind.length == TEXT_LENGTH and len(self._long[kind]):
            replaced = int(self._size * LONG_SHARE)
            rows[:replaced] = rng.choice(self._long[kind], replaced)
        return self._batch(kind, rows)

    def _batch(self, kind: Kind, rows: NDArray[np.int64]) -> Batch:
        before, after = self._pool.before[rows], self._pool.after[rows]
        tokens = torch.from_numpy(self._pool.tokens[rows][:, : kind.length].astype(np.int64))
        reference = None if kind.from_text else self._table.look_up(before)
        weight = torch.from_numpy(_weights(before, after, from_text=kind.from_text))
        return Batch(kind, tokens, reference, self._table.look_up(after), weight)


def _weights(
    before: NDArray[np.uint8], after: NDArray[np.uint8], *, from_text: bool
) -> NDArray[np.float32]:
    thing = after[:, 1:] != 0
    changed = (before[:, 1:] != after[:, 1:]) | (before[:, :1] != after[:, :1])
    changed = thing if from_text else changed
    return (1.0 + THING_EXTRA * thing + CHANGED_EXTRA * changed).astype(np.float32)


def noise_levels(count: int, generator: torch.Generator) -> Tensor:
    """Logit-normal noise levels, shifted as the scheduler shifts them."""
    plain = torch.sigmoid(torch.randn(count, generator=generator))
    return SHIFT * plain / (1 + (SHIFT - 1) * plain)
