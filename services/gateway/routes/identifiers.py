"""Ids in paths. Malformed ones are simply not found, like those of others."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

TrajectoryId = Annotated[str, Path(max_length=100, examples=["trj_4f9Xc0a1B2c3D4e5F6g7H8i9"])]
FileId = Annotated[str, Path(max_length=200, examples=["pic_4f9Xc0a1B2c3D4e5F6g7H8i9_0_1"])]
DeliveryId = Annotated[str, Path(max_length=200)]
EndpointId = Annotated[str, Path(max_length=100, examples=["whe_1f0c9a7b3d5e2f4a6b8c0d1e"])]
