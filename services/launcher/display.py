"""Shows running trajectories: a live board in a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.launcher.progress import Progress, StepProgress, line_of
from services.launcher.views import EventView, GapView

_COLOURS = {
    "drawing": "yellow",
    "judging": "cyan",
    "passed": "green",
    "done": "green",
    "accepted": "green",
    "refused": "red",
    "no picture": "red",
    "kept": "magenta",
}


@dataclass(slots=True)
class Board:
    """Takes events of one or more trajectories, from any thread, and shows them."""

    console: Console
    runs: dict[str, Progress] = field(default_factory=dict[str, Progress])
    _live: Live | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def shown(self) -> Generator[None]:
        """Keep the board on the screen for the length of the block."""
        if not self.console.is_terminal:
            yield
            return
        with Live(self._render(), console=self.console, refresh_per_second=8) as self._live:
            yield
        self._live = None

    def add(self, name: str) -> None:
        """A trajectory whose events will come under this name."""
        with self._lock:
            self.runs[name] = Progress(name)

    def take(self, name: str, event: EventView | GapView) -> None:
        """Show one more event of a trajectory."""
        with self._lock:
            self.runs[name].take(event)
            if self._live is not None:
                self._live.update(self._render())
            else:
                prefix = f"[{name}] " if len(self.runs) > 1 else ""
                self.console.print(Text(prefix + line_of(event)), soft_wrap=True)

    def _render(self) -> RenderableType:
        return Group(*(_run_table(run) for run in self.runs.values()))


def _run_table(run: Progress) -> RenderableType:
    heading = Text.assemble((run.name, "bold"), f"  {run.status.replace('_', ' ')}")
    table = Table.grid(padding=(0, 1))
    for width in (3, 12, 40, None):
        table.add_column(width=width, overflow="ellipsis", no_wrap=True)
    for number in sorted(run.steps):
        table.add_row(*_cells(run.steps[number]))
    return (
        Group(heading, table, Text(run.problem, style="red"))
        if run.problem
        else Group(heading, table)
    )


def _cells(step: StepProgress) -> tuple[Text, Text, Text, Text]:
    attempt = f" {step.attempt}" if step.attempt > 1 else ""
    status = Text(step.status + attempt, style=_COLOURS.get(step.status, "dim"))
    return Text(f"{step.number}."), status, Text(step.text), Text(step.verdict, style="dim")
