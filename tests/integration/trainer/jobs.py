"""The trainer's commands as processes: started, watched by what they write, stopped."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LONGEST_S = 300.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Job:
    """A command that runs in a session of its own, as from a terminal."""

    process: subprocess.Popen[bytes]
    log: Path

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that it does; it must not end before."""
        give_up_at = time.monotonic() + _LONGEST_S
        while not holds():
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < give_up_at, self.told()
            time.sleep(_POLL_S)

    def press_ctrl_c(self) -> int:
        """Its exit code; everything in its session gets the signal, as a terminal does it."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(_LONGEST_S)

    def told(self) -> str:
        """The end of what it said."""
        return self.log.read_text("utf-8", errors="replace")[-4000:]


@contextmanager
def started(
    log: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    largest_file_bytes: int | None = None,
) -> Generator[Job]:
    """``python -m ...`` for the length of the block; a limit stands in for a full disk."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            (sys.executable, "-m", *arguments),
            stdout=output,
            stderr=output,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "HF_HUB_OFFLINE": "1",
                "COLUMNS": "200",
                **(environment or {}),
            },
            start_new_session=True,
            preexec_fn=lambda: _prepare(largest_file_bytes),  # noqa: PLW1509 - tests fork from their main thread
        )
    try:
        yield Job(process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _prepare(largest_file_bytes: int | None) -> None:
    # A test run in the background may have Ctrl-C switched off, and its children with it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if largest_file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))


def finished(
    log: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    largest_file_bytes: int | None = None,
) -> tuple[int, str]:
    """Exit code and words of a command that ends by itself."""
    log.write_bytes(b"")
    with started(
        log, *arguments, environment=environment, largest_file_bytes=largest_file_bytes
    ) as job:
        code = job.process.wait(_LONGEST_S)
        return code, job.told()


def lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines of JSON; none where there is no file yet."""
    if not path.exists():
        return []
    whole = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [json.loads(line) for line in whole]
