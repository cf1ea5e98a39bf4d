"""Ids in paths. Malformed ones are simply not found, like those of others.

An id ends at a colon (``{name:id}``), so that ``/things/{id}:do`` is never taken for a thing.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor


class IdConvertor(Convertor[str]):
    """Text without slash and colon."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        """The text itself."""
        return value

    def to_string(self, value: str) -> str:
        """The text itself."""
        return value


register_url_convertor("id", IdConvertor())

TrajectoryId = Annotated[str, Path(max_length=100, examples=["trj_4f9Xc0a1B2c3D4e5F6g7H8i9"])]
FileId = Annotated[str, Path(max_length=200, examples=["pic_4f9Xc0a1B2c3D4e5F6g7H8i9_0_1"])]
DeliveryId = Annotated[str, Path(max_length=200)]
EndpointId = Annotated[str, Path(max_length=100, examples=["whe_1f0c9a7b3d5e2f4a6b8c0d1e"])]
