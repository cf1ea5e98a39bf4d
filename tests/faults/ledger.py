"""What the model services saw: one line for every beginning and end of a call, in a file.

Kept in files because the services are killed: the next process must know which call is the
second one, and the harness what really began and ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from shared.contracts.wire import Wire


class Entry(Wire):
    """One beginning or end. ``at_s`` is the wall clock: all processes are on one machine."""

    operation: str
    trajectory_id: str
    key: str
    """Which attempt: the object key of its picture, or ``plan``."""
    what: str
    """``began``, ``ended`` or ``aborted`` (the caller went away)."""
    at_s: float


class Ledger:
    """Appends to one file, line by line."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, operation: str, trajectory_id: str, key: str, what: str) -> None:
        """Write one entry; it is in the file when this returns."""
        entry = Entry(
            operation=operation, trajectory_id=trajectory_id, key=key, what=what, at_s=time.time()
        )
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, f"{entry.model_dump_json()}\n".encode())
        finally:
            os.close(descriptor)

    def entries(self) -> list[Entry]:
        """All that was written."""
        if not self._file.exists():
            return []
        lines = self._file.read_text().splitlines()
        return [Entry.model_validate_json(line) for line in lines if line.endswith("}")]


def of(entries: Iterable[Entry], trajectory_id: str) -> list[Entry]:
    """One trajectory's entries in the order of time."""
    own = (entry for entry in entries if entry.trajectory_id == trajectory_id)
    return sorted(own, key=lambda entry: entry.at_s)
