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

from functools import cached_property
from pathlib import Path

from services.trainer.benchmarks.folder import ResultsFolder, write_atomically
from services.trainer.data.journal import Journal
from services.trainer.data.records import PromptRecord, ScoreRecord, Scores, TrajectoryRecord


class DataFolder:
    """Paths and journals of one data run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def claim(self, run: dict[str, object]) -> None:
        """Say what is made here.

        Raises:
            ResultsFolderError: Something else is made here already.
        """
        ResultsFolder(self.root).claim(run)

    @cached_property
    def prompts(self) -> Journal[PromptRecord]:
        """The requests."""
        return Journal(self.root / "prompts.jsonl", PromptRecord)

    @cached_property
    def trajectories(self) -> Journal[TrajectoryRecord]:
        """What came of them; of two records of one trajectory the later one counts."""
        return Journal(self.root / "trajectories.jsonl", TrajectoryRecord)

    @cached_property
    def score_records(self) -> Journal[ScoreRecord]:
        """Marks; of two for one attempt the later one counts."""
        return Journal(self.root / "scores.jsonl", ScoreRecord)

    def newest(self) -> dict[str, TrajectoryRecord]:
        """The record that counts of each trajectory."""
        return {record.id: record for record in self.trajectories}

    def scores(self) -> Scores:
        """The score that counts of each attempt."""
        return {record.key: record.score for record in self.score_records}

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
