"""Teaches the vision tower directly: what stands in each place, and on which background.

Every picture token covers one place of the world, so a linear reading of it can be asked for the
place's item, the background and the place itself. The readers are thrown away after training;
what they teach the tower brings captions and verdicts off their plateau. Not here: the lessons
in words (``lessons``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from services.trainer.sketchbook.agents.model import IGNORE, IMAGE_TOKENS
from services.trainer.sketchbook.world import BACKGROUNDS, PLACES, Scene, all_items

_CHANGED_WEIGHT = 5.0

Labels = npt.NDArray[np.int64]


@cache
def _numbers() -> tuple[dict[object, int], dict[object, int]]:
    items = {item: number for number, item in enumerate(all_items(), start=1)}
    return dict(items), {background: number for number, background in enumerate(BACKGROUNDS)}


def place_labels(scene: Scene | None) -> Labels:
    """(2, 16) numbers of item (0: nothing) and background of every place, in reading order."""
    items, backgrounds = _numbers()
    found = np.zeros((2, IMAGE_TOKENS), dtype=np.int64)
    if scene is None:
        found[1] = IGNORE
        return found
    here = dict(scene.items)
    found[0] = [items[here[place]] if place in here else 0 for place in PLACES]
    found[1] = backgrounds[scene.background]
    return found


def no_labels() -> Labels:
    """Labels of a picture of which nothing is known."""
    return np.full((2, IMAGE_TOKENS), IGNORE, dtype=np.int64)


class PlaceReaders(nn.Module):
    """Three linear readings of every picture token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        items, backgrounds = _numbers()
        self.item = nn.Linear(width, len(items) + 1)
        self.background = nn.Linear(width, len(backgrounds))
        self.place = nn.Linear(width, IMAGE_TOKENS)
        self.changed = nn.Linear(width, 1)

    def forward(self, tokens: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and share of right items of tokens (pictures x 16, width)."""
        what, where = labels[:, 0].flatten(), labels[:, 1].flatten()
        if not (what != IGNORE).any():
            return tokens.sum() * 0.0, torch.ones(())
        read = self.item(tokens)
        places = torch.arange(IMAGE_TOKENS, device=tokens.device).repeat(len(labels))
        loss = functional.cross_entropy(read, what, ignore_index=IGNORE)
        loss = loss + functional.cross_entropy(self.place(tokens), places)
        if (where != IGNORE).any():
            loss = loss + functional.cross_entropy(
                self.background(tokens), where, ignore_index=IGNORE
            )
        there = (what != IGNORE) & (what > 0)
        right = (read.argmax(-1) == what) & there
        return loss, right.sum() / there.sum().clamp(min=1)

    def compared(self, tokens: Tensor, changed: Tensor) -> Tensor:
        """Loss of telling, from picture tokens inside the text model, which places changed.

        Args:
            tokens: (pictures x 16, width) hidden states.
            changed: (pictures, 16) 0 or 1, or -100 where there is nothing to compare with.
        """
        wanted = changed.flatten()
        known = wanted != IGNORE
        if not known.any():
            return tokens.sum() * 0.0
        read = self.changed(tokens).squeeze(-1)[known]
        weight = torch.tensor(_CHANGED_WEIGHT, device=tokens.device)
        return functional.binary_cross_entropy_with_logits(
            read, wanted[known].float(), pos_weight=weight
        )


def changed_labels(labels: Sequence[Labels]) -> list[Labels]:
    """(16,) for each picture of one lesson: what differs from the picture before it."""
    found = [np.full(IMAGE_TOKENS, IGNORE, dtype=np.int64) for _ in labels]
    for number, (was, now) in enumerate(pairwise(labels), start=1):
        if (was[0] != IGNORE).all() and (now[0] != IGNORE).all():
            found[number] = (was[0] != now[0]).astype(np.int64)
    return found
