"""Drawers that draw at once, fail or hang; named by how they fail."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image

from services.trainer.data.records import Score
from services.trainer.data.scoring import UnscorableError
from services.trainer.grpo.drawing import DrawOrder
from shared.errors import ServiceUnavailableError


def png(shade: int = 0) -> bytes:
    """A small grey picture."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, shade, shade)).save(file, "PNG")
    return file.getvalue()


@dataclass(slots=True)
class DrawsAtOnce:
    """Gives the same picture for every order."""

    orders: list[DrawOrder] = field(default_factory=list[DrawOrder])

    def draw(self, order: DrawOrder, cancelled: Callable[[], bool]) -> bytes:
        self.orders.append(order)
        return png(200)


class DiesWhenAsked:
    """Cannot be reached."""

    def draw(self, order: DrawOrder, cancelled: Callable[[], bool]) -> bytes:
        raise ServiceUnavailableError("gone")


class HangsUntilCancelled:
    """Never answers by itself."""

    def draw(self, order: DrawOrder, cancelled: Callable[[], bool]) -> bytes:
        give_up_at = time.monotonic() + 30
        while not cancelled() and time.monotonic() < give_up_at:
            time.sleep(0.01)
        raise ServiceUnavailableError("cancelled")


@dataclass(slots=True)
class MarksFull:
    """Marks every picture with ten."""

    async def score_pictures(self, before: bytes | None, prompt: str, after: bytes) -> Score:
        return Score(semantics=10, quality=10, success=True)


@dataclass(slots=True)
class CannotMark:
    """Marks nothing."""

    async def score_pictures(self, before: bytes | None, prompt: str, after: bytes) -> Score:
        raise UnscorableError("judge unreadable")
