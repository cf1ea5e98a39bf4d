"""The base of all wire types: frozen, and strict about unknown fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Wire(BaseModel):
    """A message between processes; unknown fields are refused, instances never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
