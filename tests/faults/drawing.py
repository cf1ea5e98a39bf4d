"""The scripted generator: the real service (store, batcher, hang-up) on a backend that paints."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from PIL import Image
from starlette.types import ASGIApp

from services.generator.app import build_app
from services.generator.batcher import BatchLimits
from services.generator.ports import Drawing, DrawRequest
from services.generator.service import GeneratorService
from services.generator.settings import GeneratorSettings
from shared.contracts.generation import GeneratorInfo
from shared.stores.s3_images import S3ImageStore
from tests.faults.engines import MODEL

SIDE_PX = 16
INFO = GeneratorInfo(
    name=MODEL,
    model=MODEL,
    version="1",
    max_references=16,
    default_width_px=SIDE_PX,
    default_height_px=SIDE_PX,
    min_side_px=SIDE_PX,
    max_side_px=256,
    side_multiple_px=SIDE_PX,
    default_steps=1,
    max_batch=8,
)


def drawing_app() -> ASGIApp:
    """The real generator service on ``Paints``."""
    settings = GeneratorSettings()
    limits = BatchLimits(max_batch=8, max_wait_s=0.0, max_waiting=1024)
    service = GeneratorService(Paints(), S3ImageStore(settings.storage), limits=limits)
    return build_app(service, settings)


@dataclass
class Paints:
    """A backend that paints one colour, decided by seed and number of references."""

    info: GeneratorInfo = INFO
    lanes: int = 1
    ready: bool = True
    alive: bool = True

    async def open(self) -> None:
        """Nothing is loaded."""

    async def close(self) -> None:
        """Nothing is freed."""

    def shape_of(self, request: DrawRequest) -> Hashable:
        """What may be drawn together."""
        return (request.width_px, request.height_px, len(request.references))

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        """One colour each."""
        return [
            Image.new(
                "RGB", (one.width_px, one.height_px), (one.seed % 256, len(one.references), 99)
            )
            for one in requests
        ]
