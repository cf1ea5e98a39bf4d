"""The folder of a data run, so that it can be taken up again at any moment.

    run.json              what is made here; another run is not mixed in
    prompts.jsonl         requests (journal)
    trajectories.jsonl    what came of them (journal)
    scores.jsonl          marks of every attempt (journal)
    images/               every picture
    datasets/, report.json, card.md, contact.png      made anew from the above

Not here: what the records are (``records``).
"""

from __future__ import annotations

import fcntl
import os
from functools import cached_property
from pathlib import Path

from services.trainer.benchmarks.folder import (
    ResultsFolder,
    ResultsFolderError,
    write_atomically,
)
from services.trainer.data.journal import Journal
from services.trainer.data.records import PromptRecord, ScoreRecord, Scores, TrajectoryRecord


class DataFolder:
    """Paths and journals of one data run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: int | None = None

    def claim(self, run: dict[str, object]) -> None:
        """Say what is made here, and keep other processes out as long as this one lives.

        Raises:
            ResultsFolderError: Something else is made here, or another process is at it.
        """
        ResultsFolder(self.root).claim(run)
        if self._held is None:
            self._held = _only_holder(self.root)

    @cached_property
    def prompts(self) -> Journal[PromptRecord]:
        """The requests."""
        return Journal(self.root / "prompts.jsonl", PromptRecord)

    @cached_property
    def trajectories(self) -> Journal[TrajectoryRecord]:
        """What came of them; of several tries of one request the last counts."""
        return Journal(self.root / "trajectories.jsonl", TrajectoryRecord)

    @cached_property
    def score_records(self) -> Journal[ScoreRecord]:
        """Marks; of two for one attempt the later one counts."""
        return Journal(self.root / "scores.jsonl", ScoreRecord)

    def newest(self) -> dict[str, TrajectoryRecord]:
        """The record that counts of each request with each generator, by its name."""
        return {record.name: record for record in self.trajectories}

    def scores(self) -> Scores:
        """The score that counts of each attempt."""
        return {record.key: record.score for record in self.score_records}

    def problems(self) -> dict[tuple[str, int, int], str]:
        """Why attempts have no score, by attempt."""
        newest = {record.key: record for record in self.score_records}
        return {key: record.problem for key, record in newest.items() if record.score is None}

    def path(self, file: str) -> Path:
        """Where a picture lies that a record names."""
        return self.root / file

    def keep(self, file: str, content: bytes) -> str:
        """Write a picture and give its name back.

        Raises:
            ResultsFolderError: The disk is full or the folder is not writable.
        """
        write_atomically(self.root / file, content)
        return file


def _only_holder(root: Path) -> int:
    """A descriptor that keeps a folder for this process; the system frees it in any case."""
    descriptor = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        message = f"another process is at work in {root}; wait for it or stop it"
        raise ResultsFolderError(message) from error
    return descriptor
