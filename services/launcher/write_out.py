"""Writes a finished trajectory to a folder: record, manifest, documents and every image."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from services.launcher.api import ApiClient


def write_out(api: ApiClient, trajectory_id: str, *, folder: Path) -> None:
    """Write ``trajectory.json``, ``index.html``, ``document.md``, a manifest and ``images/``."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(api.document(trajectory_id, "zip"))) as archive:
        archive.extractall(folder)


def input_file(number: int) -> str:
    """Where the given picture of this number lies in the folder."""
    return f"images/input-{number:02d}.png"


def step_file(step_number: int) -> str:
    """Where the chosen picture of this step lies in the folder."""
    return f"images/step-{step_number:02d}.png"
