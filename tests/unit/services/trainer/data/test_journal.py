from __future__ import annotations

from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import ResultsFolderError
from services.trainer.data.journal import Journal
from services.trainer.data.records import PromptRecord


def _prompt(number: int) -> PromptRecord:
    return PromptRecord(id=f"p{number}", category="a", subcategory="b", text="draw")


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new" / "j.jsonl", PromptRecord)
    for number in range(3):
        journal.append(_prompt(number))

    assert [prompt.id for prompt in journal] == ["p0", "p1", "p2"]


@pytest.mark.parametrize("cut", [1, 20])
def test_a_line_cut_by_a_crash_is_left_out_and_mended(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j.jsonl"
    Journal(path, PromptRecord).append(_prompt(0))
    Journal(path, PromptRecord).append(_prompt(1))
    path.write_bytes(path.read_bytes()[:-cut])

    after = Journal(path, PromptRecord)
    assert [prompt.id for prompt in after] == ["p0"]
    after.append(_prompt(2))

    assert [prompt.id for prompt in Journal(path, PromptRecord)] == ["p0", "p2"]


def test_a_broken_line_in_the_middle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text("{}\n")

    with pytest.raises(ResultsFolderError, match="line 1"):
        list(Journal(path, PromptRecord))


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ResultsFolderError, match="run the same command again"):
        Journal(tmp_path / "file" / "j.jsonl", PromptRecord).append(_prompt(0))
