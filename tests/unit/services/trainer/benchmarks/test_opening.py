from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.opening import Opening
from services.trainer.benchmarks.records import BenchmarkDataError
from services.trainer.benchmarks.scores import OPENING_SCORES
from tests.fakes.judges import Answers
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make, draw

ROW = {
    "total_uid": "0301001",
    "meta_task_name": "Completion",
    "subtask_name": "Storybook",
    "conversations": [
        {"input": [
            {"text": "Go on. <BEGIN> A hen. <image> <image>", "image": "./images/1-i-1.jpg"},
            {"text": "It <image> rains.", "image": None},
        ]},
        {"output": [{"text": "truth", "image": "x.jpg"}]},
    ],
}  # fmt: skip


def bench(tmp_path: Path, row: dict = ROW) -> Opening:
    draw(tmp_path / "images" / "1-i-1.jpg")
    (tmp_path / "test_data.jsonl").write_text(json.dumps(row) + "\n")
    return Opening(tmp_path)


def test_a_request_has_one_mark_per_picture(tmp_path: Path) -> None:
    (item,) = bench(tmp_path).items()
    assert item.prompt == "Go on. A hen. <image> It rains."
    assert len(item.images) == 1
    assert item.group == "Completion"


def test_a_row_without_input_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="no input"):
        bench(tmp_path, ROW | {"conversations": []})


async def test_seven_marks_and_their_mean(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    opening = bench(tmp_path)
    (item,) = opening.items()
    got = make(item, 2)
    marks = dict.fromkeys(OPENING_SCORES, 7) | {"completeness": 0}
    engine = Answers(lambda _t, _i: json.dumps(marks))
    score = await opening.judged(item, got, folder.pictures(got), Judge(engine))
    assert score.values["mean"] == pytest.approx(6.0)
    assert sum(len(m.images) for m in engine.asked[0]) == 3


async def test_an_empty_answer_is_zero_without_asking(tmp_path: Path, nothing: Failing) -> None:
    opening = bench(tmp_path)
    (item,) = opening.items()
    engine = Answers(lambda _t, _i: "{}")
    score = await opening.judged(item, nothing(item), (), Judge(engine))
    assert score.values["mean"] == 0
    assert not engine.asked
