"""A file of JSON lines that only ever grows: what was written stays, whatever happens next.

A line that a crash cut in the middle is left out when reading and cut off before the next line
is written. Not here: which records there are (``records``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from services.trainer.benchmarks.folder import ResultsFolderError

Record = TypeVar("Record", bound=BaseModel)


class Journal(Generic[Record]):
    """Reads and appends records of one type."""

    def __init__(self, path: Path, kind: type[Record]) -> None:
        self._path = path
        self._kind = kind
        self._mended = False

    def __iter__(self) -> Iterator[Record]:
        """Every whole record, the oldest first.

        Raises:
            ResultsFolderError: A line that is not the last is no record.
        """
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield self._kind.model_validate_json(line)
                except ValidationError as error:
                    message = f"{self._path} line {number} is no record: {error.errors()[0]['msg']}"
                    raise ResultsFolderError(message) from error

    def append(self, record: Record) -> None:
        """Add a record; it is on the disk when this returns.

        Raises:
            ResultsFolderError: The disk is full or the folder is not writable.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                self._mend()
                file.write(record.model_dump_json().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._mended = False
            raise ResultsFolderError(
                f"cannot write {self._path}: {error.strerror}; make room and run the same "
                "command again"
            ) from error

    def _mend(self) -> None:
        """Cut off what a crash left of a line."""
        if self._mended:
            return
        whole = 0
        with self._path.open("rb+") as file:
            for line in file:
                whole += len(line) if line.endswith(b"\n") else 0
            file.truncate(whole)
        self._mended = True
