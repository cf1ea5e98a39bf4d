"""How far a long job is, in one line with an estimate of the time to come.

Not here: what is done meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.text import Text

_MINUTE_S = 60.0
_PAUSE_S = 20.0
"""Between two lines of a log."""


@dataclass(slots=True)
class Tally:
    """Counts what is done; estimates from the pace of this run alone."""

    title: str
    total: int
    kept: int = 0
    """Done by earlier runs."""
    done: int = 0
    failed: int = 0
    started_s: float = field(default_factory=time.monotonic)

    def line(self, now_s: float | None = None) -> str:
        """What to show."""
        text = f"{self.title}: {self.kept + self.done}/{self.total}"
        if self.failed:
            text += f", {self.failed} failed"
        left = self.total - self.kept - self.done
        if self.done and left > 0:
            elapsed_s = (now_s or time.monotonic()) - self.started_s
            text += f", about {elapsed_s / self.done * left / _MINUTE_S:.1f} min to come"
        return text


class Shown:
    """A tally on the screen."""

    def __init__(self, tally: Tally, show: Callable[[str], None]) -> None:
        self._tally = tally
        self._show = show

    def step(self, *, failed: bool = False) -> None:
        """One more is done."""
        self._tally.done += 1
        self._tally.failed += failed
        self._show(self._tally.line())


@dataclass(slots=True)
class Lines:
    """Shows a line now and then: for a log, which is no screen."""

    console: Console
    pause_s: float = _PAUSE_S
    _next_s: float = 0.0

    def __call__(self, line: str) -> None:
        """Print it if it is time."""
        if time.monotonic() >= self._next_s:
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)
            self._next_s = time.monotonic() + self.pause_s


@contextmanager
def shown(title: str, total: int, kept: int, console: Console) -> Generator[Shown]:
    """Show a tally for the length of the block."""
    tally = Tally(title, total, kept)
    if not console.is_terminal:
        lines = Lines(console)
        lines(tally.line())
        yield Shown(tally, lines)
        lines.console.print(tally.line(), highlight=False, markup=False, soft_wrap=True)
        return
    with Live(Text(tally.line()), console=console, refresh_per_second=2) as live:
        yield Shown(tally, lambda line: live.update(Text(line)))
