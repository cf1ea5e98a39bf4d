"""Retrains the model pack: which commands make which model, one after the other.

Every command goes on where it was stopped. Not here: the training itself.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from services.trainer.sketchbook.agents.curriculum import STAGES

_PACKAGE = "services.trainer.sketchbook"
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where a training run reads and writes, and how long it may take."""

    runs: Path
    models: Path
    minutes: float | None = None
    """Budget of each stage of an agent; None takes the stage's own."""


class _Line(BaseModel):
    """The part of a line of a stage's metrics that the bar shows."""

    model_config = ConfigDict(extra="ignore")

    seconds: float = 0.0
    samples: int = 0


def train(what: str, recipe: Recipe, *, console: Console) -> int:
    """Train one model or all; gives the exit code of the first command that failed, or 0."""
    names = ("generator", "critic", "planner") if what == "all" else (what,)
    for name in names:
        code = _generator(recipe) if name == "generator" else _agent(name, recipe, console)
        if code:
            return code
    return 0


def _generator(recipe: Recipe) -> int:
    folders = ("--run-folder", str(recipe.runs / "sketchbook-generator"))
    target = ("--folder", str(recipe.models / "generator"))
    command = (sys.executable, "-m", f"{_PACKAGE}.generator.train", *folders, *target)
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own command


def _agent(name: str, recipe: Recipe, console: Console) -> int:
    for stage in _stages_to(name):
        export = ("--export", str(recipe.models / name)) if stage == name else ()
        code = _stage(stage, recipe, export, console)
        if code:
            return code
    return 0


def _stages_to(name: str) -> list[str]:
    """The stage and all it builds on, the first one first."""
    return list(reversed(list(_ancestry(name))))


def _ancestry(name: str) -> Iterator[str]:
    stage: str | None = name
    while stage is not None:
        yield stage
        stage = STAGES[stage].parent


def _stage(stage: str, recipe: Recipe, export: tuple[str, ...], console: Console) -> int:
    runs = recipe.runs / "agents"
    minutes = recipe.minutes or STAGES[stage].minutes
    (runs / stage).mkdir(parents=True, exist_ok=True)
    options = ("--minutes", str(minutes), "--runs", str(runs), *export)
    command = (sys.executable, "-m", f"{_PACKAGE}.agents.train", stage, *options)
    log = runs / stage / "output.log"
    with (
        log.open("ab") as output,
        subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=output, stderr=output
        ) as process,
    ):
        _show(process, runs / stage / "metrics.jsonl", title=stage, total_s=60 * minutes)
    if process.returncode:
        console.print(f"{stage} failed; see {log}")
    return process.returncode


def _show(process: subprocess.Popen[bytes], metrics: Path, *, title: str, total_s: float) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=total_s)
        while process.poll() is None:
            line = _last_line(metrics)
            progress.update(
                task, completed=line.seconds, description=f"{title}: {line.samples} samples"
            )
            time.sleep(_POLL_S)


def _last_line(metrics: Path) -> _Line:
    if not metrics.exists():
        return _Line()
    lines = metrics.read_text().splitlines()
    try:
        return _Line.model_validate_json(lines[-1]) if lines else _Line()
    except ValidationError:
        return _Line()
