"""How a command ends that cannot go on: a message, and an exit code.

1: stopped, what was done is kept; 2: the command line or the data is wrong.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console

from services.trainer.benchmarks.folder import ResultsFolderError
from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.benchmarks.session import JudgeGoneError
from shared.errors import InterleaveError

STOPPED = 1
WRONG = 2


@contextmanager
def told_plainly(console: Console) -> Generator[None]:
    """Errors of the block as a message and an exit code."""
    try:
        yield
    except BenchmarkDataError as error:
        _complain(console, str(error))
        raise typer.Exit(WRONG) from None
    except (InterleaveError, ResultsFolderError, JudgeGoneError) as error:
        _complain(console, f"Stopped: {error}")
        raise typer.Exit(STOPPED) from None
    except KeyboardInterrupt:
        _complain(console, "Stopped; the same command goes on from here.")
        raise typer.Exit(STOPPED) from None


def _complain(console: Console, message: str) -> None:
    console.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
