"""Writes a finished trajectory to a folder: record, documents and every image."""

from __future__ import annotations

from pathlib import Path

from services.launcher.api import ApiClient
from services.launcher.views import StepView, TrajectoryView


def write_out(api: ApiClient, trajectory: TrajectoryView, raw: bytes, *, folder: Path) -> None:
    """Write ``trajectory.json``, ``index.html``, ``document.md`` and ``images/``."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "trajectory.json").write_bytes(raw)
    (folder / "index.html").write_bytes(api.document(trajectory.id, "html"))
    (folder / "document.md").write_bytes(api.document(trajectory.id, "md"))
    for number, image in enumerate(trajectory.request.images, start=1):
        (folder / "images" / f"given-{number}.png").write_bytes(api.file(image.url))
    for step in trajectory.steps:
        _write_step(api, step, folder / "images")


def _write_step(api: ApiClient, step: StepView, images: Path) -> None:
    """The chosen picture under the step's name, every other attempt under its own."""
    for attempt in step.attempts:
        if attempt.image is None:
            continue
        chosen = attempt.number == step.chosen
        suffix = "" if chosen else f"-attempt-{attempt.number}"
        file = images / f"step-{step.step_number}{suffix}.png"
        file.write_bytes(api.file(attempt.image.url))
