"""Stopping a long job: what ``kill`` or a batch system sends does as much as Ctrl-C.

Not here: what a job keeps and how it goes on (each job's own folder).
"""

from __future__ import annotations

import signal


def stopped_as_by_hand() -> None:
    """Take SIGTERM for a Ctrl-C: the job stops in order and what it started goes with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
