"""Images by reference: services pass these around, never the bytes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.contracts.wire import Wire

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ImageRef(Wire):
    """Where an image lies in the object store, and what it must be when read."""

    bucket: str
    key: str
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=1)]
    width_px: Annotated[int, Field(ge=1)]
    height_px: Annotated[int, Field(ge=1)]
    media_type: str = "image/png"
