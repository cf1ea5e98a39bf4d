"""Draws in this process, many pictures at a time: for one small machine.

Stands in for the generator service, which costs such a machine more than the drawing. Not here:
what is drawn and how it is marked (``assessing``).
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image

from services.trainer.data.scoring import decoded
from services.trainer.grpo.drawing import Cancelled, DrawOrder
from services.trainer.sketchbook.agents.outcomes import EditsInBatches
from services.trainer.sketchbook.generator.model import CALL_ARGUMENTS
from services.trainer.sketchbook.reading import Picture
from shared.errors import ServiceUnavailableError

BATCH = 16
_GATHERING_S = 0.02


class Artist(Protocol):
    """Draws many pictures, each with its own seed."""

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], seeds: Sequence[int]
    ) -> list[Picture]:
        """A picture for each prompt: all edits of their sources, or all without any."""
        ...


class LocalArtist:
    """A generator folder, loaded once."""

    def __init__(self, folder: Path) -> None:
        """Load it."""
        self._pipeline: Any = EditsInBatches.from_pretrained(folder, dtype=torch.float32)
        self._pipeline.set_progress_bar_config(disable=True)
        layers = tuple(CALL_ARGUMENTS["text_encoder_out_layers"])
        self._arguments = {**CALL_ARGUMENTS, "text_encoder_out_layers": layers}

    def draw(
        self, prompts: Sequence[str], sources: Sequence[Picture], seeds: Sequence[int]
    ) -> list[Picture]:
        """See ``Artist``."""
        noise = [torch.Generator().manual_seed(seed) for seed in seeds]
        given = {"image": [Image.fromarray(source) for source in sources]} if sources else {}
        drawn = self._pipeline(
            prompt=list(prompts), generator=noise, **given, **self._arguments
        ).images  # fmt: skip
        return [np.asarray(picture) for picture in drawn]


@dataclass(slots=True)
class LocalDrawer:
    """Gathers orders from many threads into batches."""

    artist: Artist
    _waiting: SimpleQueue[tuple[DrawOrder, Future[bytes]]] = field(
        default_factory=SimpleQueue[tuple[DrawOrder, Future[bytes]]], init=False
    )

    def __post_init__(self) -> None:
        """Start the thread that draws."""
        threading.Thread(target=self._work, name="local-drawing", daemon=True).start()

    def draw(self, order: DrawOrder, cancelled: Cancelled) -> bytes:
        """See ``drawing.Drawer``."""
        found: Future[bytes] = Future()
        self._waiting.put((order, found))
        while not cancelled():
            try:
                return found.result(timeout=0.5)
            except TimeoutError:
                continue
        found.cancel()
        raise ServiceUnavailableError("given up")

    def _work(self) -> None:
        while True:
            orders = [self._waiting.get()]
            try:
                while len(orders) < BATCH:
                    orders.append(self._waiting.get(timeout=_GATHERING_S))
            except Empty:
                pass
            for with_source in (True, False):
                some = [each for each in orders if (each[0].source is not None) is with_source]
                self._together([each for each in some if not each[1].cancelled()])

    def _together(self, orders: Sequence[tuple[DrawOrder, Future[bytes]]]) -> None:
        if not orders:
            return
        try:
            pictures = self.artist.draw(
                [order.prompt for order, _ in orders],
                [decoded(order.source) for order, _ in orders if order.source is not None],
                [order.seed for order, _ in orders],
            )
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            for _, found in orders:
                _settle(found, error)
        else:
            for (_, found), picture in zip(orders, pictures, strict=True):
                _settle(found, _png(picture))


def _settle(found: Future[bytes], result: bytes | Exception) -> None:
    if not found.set_running_or_notify_cancel():
        return
    if isinstance(result, Exception):
        found.set_exception(result)
    else:
        found.set_result(result)


def _png(picture: Picture) -> bytes:
    file = io.BytesIO()
    # Read again in a moment: a smaller file would cost more than it saves.
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()
