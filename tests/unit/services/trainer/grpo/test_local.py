from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from services.trainer.data.scoring import decoded
from services.trainer.grpo.drawing import DrawOrder
from services.trainer.grpo.local import LocalDrawer
from services.trainer.sketchbook.reading import Picture
from shared.errors import ServiceUnavailableError
from tests.fakes.drawers import png


@dataclass(slots=True)
class PaintsTheSeed:
    """Gives one shade, the seed, and notes the batches; the first waits to be let go."""

    batches: list[int] = field(default_factory=list[int])
    may_go: threading.Event = field(default_factory=threading.Event)

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], seeds: Sequence[int]
    ) -> list[Picture]:
        self.batches.append(len(prompts))
        assert self.may_go.wait(30)
        assert len(sources) in {0, len(prompts)}
        return [np.full((32, 32, 3), seed, np.uint8) for seed in seeds]


class BreaksDown:
    """Cannot draw."""

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], seeds: Sequence[int]
    ) -> list[Picture]:
        raise RuntimeError("out of memory")


def _order(seed: int, *, edit: bool = True) -> DrawOrder:
    return DrawOrder("draw", png() if edit else None, 32, 32, seed)


def test_orders_of_many_threads_are_drawn_together_each_with_its_own_seed() -> None:
    artist = PaintsTheSeed()
    drawer = LocalDrawer(artist)
    orders = [_order(seed, edit=seed % 3 > 0) for seed in range(9)]

    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(drawer.draw, order, lambda: False) for order in orders]
        artist.may_go.set()
        pictures = [decoded(each.result(30)) for each in waiting]

    assert [int(picture[0, 0, 0]) for picture in pictures] == list(range(9))
    assert sum(artist.batches) == 9
    assert len(artist.batches) < 9


def test_a_generator_that_breaks_down_fails_those_who_wait_and_no_one_else() -> None:
    drawer = LocalDrawer(BreaksDown())

    for _ in range(2):
        with pytest.raises(RuntimeError, match="out of memory"):
            drawer.draw(_order(1), lambda: False)


def test_who_gives_up_does_not_wait() -> None:
    drawer = LocalDrawer(PaintsTheSeed())

    with pytest.raises(ServiceUnavailableError):
        drawer.draw(_order(1), lambda: True)
