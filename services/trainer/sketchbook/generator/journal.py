"""The record of a training run: a metrics file, and a bar on a terminal.

Not here: what is measured.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Journal:
    """Writes each entry as a line of JSON, and shows it: a bar on a terminal, else a line."""

    def __init__(self, path: Path, *, total_steps: int) -> None:
        """Go on with the file at ``path``, or start it."""
        self._path = path
        self._bar = Progress(
            BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.description}"), disable=not sys.stdout.isatty(),
        )  # fmt: skip
        self._task = self._bar.add_task("", total=total_steps)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def write(self, *, step: int, **numbers: float) -> None:
        """Add an entry."""
        entry = {"step": step, **{name: round(number, 5) for name, number in numbers.items()}}
        with self._path.open("a") as metrics:
            metrics.write(json.dumps(entry) + "\n")
        line = "  ".join(f"{name} {number}" for name, number in entry.items())
        self._bar.update(self._task, completed=step, description=line)
        if self._bar.disable:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
