"""Cells: processes in which a suspected command is carried out alone, so that it kills no other.

When a worker dies, everything it was carrying out ends with it, and nobody can tell which command
it was. One that was begun more than ``UNSUSPECTED`` times without an end is a suspect and goes
into a cell: a child process that forks for it, and does nothing else. If that fork dies, the
command did it. What the child does is in ``solitary``.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from enum import StrEnum
from typing import IO, Final, Protocol

import structlog

from services.orchestrator.ports import Cancelled

_log = structlog.get_logger(__name__)
UNSUSPECTED: Final = 2
"""Executions before a command is a suspect: once may happen to anybody, twice hardly."""
COMMAND: Final = (sys.executable, "-m", "services.orchestrator", "cell")
BEGUN: Final = "begun"
ENDED: Final = "ended"
UNFINISHED: Final = "unfinished"
DIED: Final = "died"
_LOOK_S = 0.1
_START_S = 60.0
_END_S = 5.0
_CHUNK_BYTES = 4096


class End(StrEnum):
    """What came of a command in a cell."""

    ENDED = ENDED
    """It is no longer pending."""
    UNFINISHED = UNFINISHED
    """Nothing came of it, and it was not at fault: it will be sent again."""
    DIED = DIED
    """The process that carried it out ended with it."""


class SolitaryCells(Protocol):
    """Where suspects are carried out."""

    def carry_out(self, trajectory_id: str, command_id: str, cancelled: Cancelled) -> End:
        """Carry a command out alone; ends early when ``cancelled``."""
        ...


class Cells:
    """Keeps cells that are free, and makes new ones. Thread safe."""

    def __init__(self, command: Sequence[str] = COMMAND, *, spare: int = 4) -> None:
        """``spare``: so many free ones are kept; each ends after a while without work."""
        self._command = command
        self._spare = spare
        self._free: list[Cell] = []
        self._lock = threading.Lock()

    def carry_out(self, trajectory_id: str, command_id: str, cancelled: Cancelled) -> End:
        """See ``SolitaryCells.carry_out``."""
        with self._cell() as cell:
            end = cell.carry_out(f"{trajectory_id} {command_id}", cancelled)
        if end is End.DIED:
            _log.warning("cell_died", trajectory_id=trajectory_id, command=command_id)
        return end

    def close(self) -> None:
        """End the cells that are free."""
        with self._lock:
            free, self._free = self._free, []
        for cell in free:
            cell.kill()

    @contextlib.contextmanager
    def _cell(self) -> Generator[Cell]:
        with self._lock:
            cell = self._free.pop() if self._free else None
        if cell is not None and not cell.alive:
            cell.kill()  # closes its pipes
            cell = None
        cell = cell or Cell(self._command)
        try:
            yield cell
        finally:
            with self._lock:
                keep = cell.alive and len(self._free) < self._spare
                if keep:
                    self._free.append(cell)
            if not keep:
                cell.kill()


class Cell:
    """One child process; it ends when its standard input does, and after a while without work."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._rest = b""

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id, and that of its group."""
        return self._process.pid

    def hang_up(self) -> None:
        """End its standard input: it ends, and its fork too."""
        with contextlib.suppress(OSError):
            _pipe(self._process.stdin).close()

    def carry_out(self, request: str, cancelled: Cancelled) -> End:
        """Hand a command in and wait for what comes of it."""
        try:
            _pipe(self._process.stdin).write(f"{request}\n".encode())
            _pipe(self._process.stdin).flush()
        except OSError:
            return End.UNFINISHED
        give_up_at = time.monotonic() + _START_S
        if self._answer(lambda: cancelled() or time.monotonic() > give_up_at) != BEGUN:
            self.kill()
            return End.UNFINISHED
        answer = self._answer(cancelled)
        if answer is None:  # stopped here, or somebody killed the whole cell
            self.kill()
            return End.UNFINISHED
        return End(answer)

    def kill(self) -> None:
        """End the process, and with it the call it is waiting for."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _pipe(pipe).close()

    def _answer(self, stop: Callable[[], bool]) -> str | None:
        """The next line; None when the process ends or ``stop`` says so."""
        pipe = _pipe(self._process.stdout)
        while b"\n" not in self._rest:
            if select.select([pipe], [], [], _LOOK_S)[0]:
                data = os.read(pipe.fileno(), _CHUNK_BYTES)
                if not data:
                    return None
                self._rest += data
            elif stop():
                return None
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise OSError("the cell has no such pipe")
    return pipe
