"""Generators without models, named by how they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from services.generator.ports import Drawing, DrawRequest, Refusal
from shared.contracts.generation import GeneratorInfo
from shared.errors import InvalidRequestError, ServiceUnavailableError

INFO = GeneratorInfo(
    name="fake",
    model="fake",
    version="1",
    default_width_px=64,
    default_height_px=64,
    min_side_px=16,
    max_side_px=256,
    side_multiple_px=16,
    default_steps=1,
    max_batch=4,
)


@dataclass
class PaintsFlat:
    """Paints one colour, decided by the seed; notes the batches."""

    info: GeneratorInfo = INFO
    lanes: int = 1
    ready: bool = True
    alive: bool = True
    batches: list[list[DrawRequest]] = field(default_factory=list)

    async def open(self) -> None:
        return

    async def close(self) -> None:
        self.ready = False

    def shape_of(self, request: DrawRequest) -> Hashable:
        if request.width_px > self.info.max_side_px:
            raise InvalidRequestError("too wide")
        return (request.width_px, request.height_px, len(request.references))

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        self.batches.append(list(requests))
        return [
            Image.new("RGB", (one.width_px, one.height_px), (one.seed % 256, 10, 20))
            for one in requests
        ]


@dataclass
class Refuses(PaintsFlat):
    """Will not draw anything."""

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        return [Refusal("picture_refused", "not this") for _ in requests]


@dataclass
class BreaksWhileDrawing(PaintsFlat):
    """Fails every batch."""

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        raise ServiceUnavailableError("The model failed (OutOfMemoryError).")


@dataclass
class NeverFinishes(PaintsFlat):
    """Draws for ever; notes when it was stopped."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        raise AssertionError("unreachable")


@dataclass
class DiesInSetup(PaintsFlat):
    """Its model cannot be loaded."""

    ready: bool = False

    async def open(self) -> None:
        self.alive = False
        raise ServiceUnavailableError("The model failed (FileNotFoundError).")
