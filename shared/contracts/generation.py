"""What a generator is asked and answers. ``POST /v1/images`` takes a ``GenerateTask``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.contracts.images import ImageRef
from shared.contracts.wire import Wire


class GenerateTask(Wire):
    """One picture to draw: text-to-image without references, otherwise an edit.

    The result is stored under ``output_key`` before the service answers.
    """

    trajectory_id: str
    prompt: str
    references: tuple[ImageRef, ...] = ()
    width_px: Annotated[int, Field(ge=16, le=8192)]
    height_px: Annotated[int, Field(ge=16, le=8192)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    steps: Annotated[int, Field(ge=1, le=200)] | None = None
    """Denoising steps; None takes the generator's own default."""
    guidance: float | None = None
    output_key: str
    owner: str = ""
    """Whose it is (an API key): owners take turns, whoever has many calls waiting."""
    speculative: bool = False
    """Lowest priority: served only when nothing else waits."""


class Picture(Wire):
    """A drawn picture, already in the object store."""

    type: Literal["picture"] = "picture"
    image: ImageRef
    model: str = ""
    model_version: str = ""
    seconds: float = 0.0
    """Time in the model, without waiting."""


class PictureRefused(Wire):
    """The generator's own filter (or a hook) refused to draw this."""

    type: Literal["refused"] = "refused"
    code: str
    detail: str


GenerateReply = Annotated[Picture | PictureRefused, Field(discriminator="type")]
GENERATE_REPLY: TypeAdapter[Picture | PictureRefused] = TypeAdapter(GenerateReply)


class GeneratorInfo(Wire):
    """What can be asked of one generator (``GET /v1/generators``)."""

    name: str
    model: str
    version: str = ""
    edits: bool = True
    text_to_image: bool = True
    max_references: int = 1
    default_width_px: int
    default_height_px: int
    min_side_px: int
    max_side_px: int
    side_multiple_px: int
    default_steps: int
    max_batch: int = 1
