"""What runs inside a cell: one suspected command after the other, and nothing else.

The worker outside holds the lease, watches for cancel and deadline, and kills this process when
the call is no longer wanted. How it does so is in ``cells``.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from services.orchestrator.cells import BEGUN, ENDED, UNFINISHED

_IDLE_S = 60.0

CarryOut = Callable[[str, str], bool]
"""Trajectory id and command id -> whether the command is no longer pending."""


def claim_output() -> TextIO:
    """The pipe for answers; whatever else is printed goes to standard error from now on."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def serve(
    requests: TextIO, answers: TextIO, *, carry_out: CarryOut, flush: Callable[[], object]
) -> None:
    """Carry out what is asked until there is nothing to do for a while.

    Args:
        requests: lines of trajectory id and command id; its end ends this process at once,
            because the worker that held the lease is gone.
        answers: two lines for each: that it is begun, and what came of it.
        carry_out: does the work.
        flush: called before an end is reported, so that being killed then costs nothing.
    """
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), name="requests", daemon=True).start()
    while True:
        try:
            trajectory_id, command_id = waiting.get(timeout=_IDLE_S).split()
        except queue.Empty:
            return
        answers.write(f"{BEGUN}\n")
        done = carry_out(trajectory_id, command_id)
        flush()
        answers.write(f"{ENDED if done else UNFINISHED}\n")


def _read(requests: TextIO, waiting: queue.SimpleQueue[str]) -> None:
    for line in requests:
        waiting.put(line)
    os._exit(0)
