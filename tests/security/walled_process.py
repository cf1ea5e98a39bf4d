"""Processes of ours that cannot leave the machine whatever they are told to visit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_WALLED = Path(__file__).parent / "walled"


def walled_environment(**values: str) -> dict[str, str]:
    """An environment in which Python starts behind the wall."""
    path = os.pathsep.join((str(_WALLED), str(ROOT)))
    return {**os.environ, **values, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def walled(log: Path, *arguments: str, settings: Mapping[str, str]) -> Generator[None]:
    """``python -m ...`` behind the wall for the length of the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=walled_environment(**settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.kill()
        process.wait(10)
