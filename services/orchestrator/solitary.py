"""What runs inside a cell: one suspected command after the other, each in a fork of its own.

The process itself only loads the code and forks, so that a death costs milliseconds and not a
start. The worker outside holds the lease, watches for cancel and deadline, and kills the cell when
the call is no longer wanted. How it does so is in ``cells``.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

import structlog

from services.orchestrator.cells import BEGUN, DIED, ENDED, UNFINISHED

_IDLE_S = 60.0
_LOOK_S = 0.05
_CHUNK_BYTES = 4096
_ANSWERS = {0: ENDED, 75: UNFINISHED}
_DONE, _NOT_DONE = _ANSWERS
_FAILED = 1
_log = structlog.get_logger(__name__)

CarryOut = Callable[[str, str], bool]
"""Trajectory id and command id -> whether the command is no longer pending."""


def claim_output() -> TextIO:
    """The pipe for answers; whatever else is printed goes to standard error from now on."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


class Requests:
    """Lines from the worker; when they end, the worker that held the lease is gone."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._rest = b""
        self.ended = False

    def next(self) -> tuple[str, str] | None:
        """Trajectory id and command id; None if nothing was asked for a while."""
        give_up_at = time.monotonic() + _IDLE_S
        while b"\n" not in self._rest:
            if self.ended or time.monotonic() > give_up_at:
                return None
            self.look(1.0)
        line, _, self._rest = self._rest.partition(b"\n")
        trajectory_id, command_id = line.decode().split()
        return trajectory_id, command_id

    def look(self, within_s: float) -> None:
        """Take in what comes in this time."""
        if select.select([self._source], [], [], within_s)[0]:
            data = os.read(self._source, _CHUNK_BYTES)
            self._rest += data
            self.ended = not data


def serve(requests: Requests, answers: TextIO, carry_out: CarryOut) -> None:
    """Fork for what is asked until nothing is asked for a while, and tell what came of it.

    Two lines for each: that it is begun, and its end; the fork's exit code says which.
    """
    with suppress(BrokenPipeError):  # the worker is gone
        while (asked := requests.next()) is not None:
            answers.write(f"{BEGUN}\n")
            child = os.fork()
            if child == 0:
                os._exit(_carried_out(carry_out, *asked))
            code = _code_of(child, requests)
            answers.write(f"{_ANSWERS.get(code, DIED)}\n")


def _carried_out(carry_out: CarryOut, trajectory_id: str, command_id: str) -> int:
    _end_with(os.getppid())
    try:
        return _DONE if carry_out(trajectory_id, command_id) else _NOT_DONE
    except Exception:  # noqa: BLE001 - the fork must end here, whatever it was
        _log.exception("suspect_failed", trajectory_id=trajectory_id, command=command_id)
        return _FAILED


def _code_of(child: int, requests: Requests) -> int:
    """Wait for the fork; without a worker it ends too."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if requests.ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os._exit(0)
        requests.look(_LOOK_S)


def _end_with(parent: int) -> None:
    """End this process when its parent has."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
