"""What the service needs from a way to draw: data in, pictures out.

No library's types here but Pillow's.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from shared.contracts.generation import GeneratorInfo


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """One picture to draw; without references from text alone, else an edit."""

    prompt: str
    references: tuple[Image.Image, ...]
    """RGB pictures, in order."""
    width_px: int
    height_px: int
    seed: int
    steps: int | None = None
    guidance: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The model, or a filter before or after it, will not draw this."""

    code: str
    detail: str


Drawing = Image.Image | Refusal


class GeneratorBackend(Protocol):
    """A model, or a server of one."""

    @property
    def info(self) -> GeneratorInfo:
        """What can be asked of it.

        Raises:
            ServiceUnavailableError: while the model is still loading.
        """
        ...

    @property
    def lanes(self) -> int:
        """How many batches it works on at once."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it can draw now."""
        ...

    @property
    def alive(self) -> bool:
        """False once it will not draw again without a restart."""
        ...

    async def open(self) -> None:
        """Load or connect; returns when ready."""
        ...

    def shape_of(self, request: DrawRequest) -> Hashable:
        """What must be equal for requests to share a batch.

        Raises:
            InvalidRequestError: if the model cannot honour the request; the text says which
                part and what would be possible.
        """
        ...

    async def draw(self, requests: Sequence[DrawRequest]) -> Sequence[Drawing]:
        """One drawing per request, all of one shape. Cancelling the call stops the work."""
        ...

    async def close(self) -> None:
        """Free what it holds."""
        ...
