"""``interleave.json`` in a model folder: what a pipeline's own files do not say.

A folder without one gets what can be derived from the pipeline (``pipeline_call``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE_NAME: Final = "interleave.json"
CallValue = str | int | float | bool | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | None


class NotesError(ValueError):
    """``interleave.json`` is not valid; the text says where."""


class PipelineNotes(BaseModel):
    """What to tell the pipeline and its callers; absent fields take the pipeline's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    version: str = ""
    call: dict[str, CallValue] = {}
    """Arguments added to every call, such as ``max_sequence_length``."""
    default_width_px: int | None = None
    default_height_px: int | None = None
    min_side_px: int | None = None
    max_side_px: int | None = None
    side_multiple_px: int | None = None
    default_steps: int | None = Field(default=None, ge=1)
    default_guidance: float | None = None
    max_references: int | None = Field(default=None, ge=0)
    edits: bool | None = None
    text_to_image: bool | None = None
    max_batch: int | None = Field(default=None, ge=1)


def read_notes(model: str) -> PipelineNotes:
    """The notes of a model folder; empty ones if it has none or is a hub name.

    Raises:
        NotesError: if the file is there but not valid.
    """
    path = Path(model) / FILE_NAME
    if not path.is_file():
        return PipelineNotes()
    try:
        return PipelineNotes.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise NotesError(f"{path}: {error}") from error
