from __future__ import annotations

from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import ResultsFolderError
from services.trainer.data.folder import DataFolder
from services.trainer.data.records import Score, ScoreRecord
from services.trainer.data.scoring import settled

MARKS = Score(semantics=5, quality=5)


def _record(attempt: int, problem: str = "") -> ScoreRecord:
    score = None if problem else MARKS
    return ScoreRecord(trajectory_id="t", step=0, attempt=attempt, score=score, problem=problem)


def test_a_folder_is_one_processs_at_a_time(tmp_path: Path) -> None:
    DataFolder(tmp_path).claim({"data": "a"})

    with pytest.raises(ResultsFolderError, match="another process"):
        DataFolder(tmp_path).claim({"data": "a"})


def test_a_folder_may_be_claimed_again_by_its_holder(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    folder.claim({"data": "a"})
    folder.claim({"data": "a"})


def test_what_a_judge_left_unmarked_is_not_settled(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    for record in (
        _record(1),
        _record(2, "judge unreadable: hm"),
        _record(3, "the prompt cannot be carried out on this picture"),
    ):
        folder.score_records.append(record)

    assert settled(folder) == {("t", 0, 1), ("t", 0, 3)}
    assert sorted(key[2] for key in folder.problems()) == [2, 3]


def test_a_later_mark_settles_and_takes_the_problem_away(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    for record in (_record(1, "judge unreachable: gone"), _record(1)):
        folder.score_records.append(record)

    assert settled(folder) == {("t", 0, 1)}
    assert folder.problems() == {}
