from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from services.trainer.benchmarks.comm import CoMM
from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from tests.fakes.judges import Answers, text_of
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make, draw

DOCUMENT = {
    "data_id": "d1",
    "title": "a kite",
    "step_info": [
        [{"type": "text", "content": "Cut."}, {"type": "image", "image_path": "1.jpg"}],
        [{"type": "text", "content": "Glue."}, {"type": "image", "image_path": "2.jpg"}],
        [{"type": "text", "content": "Fly."}],
    ],
}
SIX = {"style": 8, "entity": 7, "trend": 6, "completeness": 9, "image_quality": 5}


def bench(tmp_path: Path, *pictures: str) -> CoMM:
    (tmp_path / "docs.json").write_text(json.dumps([DOCUMENT]))
    for name in pictures:
        draw(tmp_path / name)
    return CoMM(tmp_path)


def judge(imagined: int) -> tuple[Judge, Answers]:
    def answer(text: str, _images: int) -> str:
        if "taken out" in text:
            return json.dumps({"pictures": ["paper"] * imagined})
        if "what it should show" in text:
            return '{"illustration_relevance": 4}'
        if "texts written for" in text:
            return '{"completeness": 7, "illustration_relevance": 5.5}'
        return json.dumps(SIX)

    engine = Answers(answer)
    return Judge(engine, tries=1), engine


def test_four_tasks_are_made_of_a_document(tmp_path: Path) -> None:
    items = {item.group: item for item in bench(tmp_path, "1.jpg", "2.jpg").items()}
    assert [item.id for item in items.values()] == [f"d1_task{n}" for n in (1, 2, 3, 4)]
    assert items["task1"].prompt.count("<image>") == len(items["task1"].images) == 2
    assert "Cut." not in items["task1"].prompt
    assert "<image>" not in items["task2"].prompt
    assert "(3) Fly." in items["task2"].prompt
    assert (items["task3"].prompt.count("<image>"), len(items["task3"].images)) == (1, 1)
    assert "Glue." not in items["task3"].prompt
    assert [items[task].steps for task in ("task1", "task2", "task3", "task4")] == [
        None, 3, 2, None,
    ]  # fmt: skip
    assert items["task3"].fields["ground_truth"] == (tmp_path / "2.jpg",)


def test_requests_whose_picture_was_not_downloaded_are_left_out_and_counted(
    tmp_path: Path,
) -> None:
    comm = bench(tmp_path, "1.jpg")
    assert [item.group for item in comm.items()] == ["task2", "task3", "task4"]
    assert "1 requests left out" in comm.deviations[-1]


def test_the_public_files_with_their_downloaded_pictures_are_read(tmp_path: Path) -> None:
    torch.save([DOCUMENT], tmp_path / "test_data.pth")
    torch.save([DOCUMENT], tmp_path / "val_data.pth")
    draw(tmp_path / "images" / "1.jpg")
    draw(tmp_path / "images" / "2.jpg")
    items = CoMM(tmp_path).items()
    assert [item.group for item in items] == ["task1", "task2", "task3", "task4"]
    assert items[0].images[0] == tmp_path / "images" / "1.jpg"


async def test_task_two_is_given_its_texts_and_has_no_completeness(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    comm = bench(tmp_path)
    item = next(item for item in comm.items() if item.group == "task2")
    got = make(item, 2)
    asking, engine = judge(imagined=2)
    score = await comm.judged(item, got, folder.pictures(got), asking)
    assert "completeness" not in text_of(engine.asked[0])
    assert "completeness" not in score.values
    assert score.values["mean"] == pytest.approx((8 + 7 + 6 + 5 + 4) / 5)


async def test_six_scores_come_of_three_calls(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    comm = bench(tmp_path)
    item = next(item for item in comm.items() if item.group == "task4")
    got = make(item, 2)
    asking, engine = judge(imagined=2)
    score = await comm.judged(item, got, folder.pictures(got), asking)
    assert score.values == SIX | {"illustration_relevance": 4.0, "mean": pytest.approx(6.5)}
    images = [sum(len(m.images) for m in asked) for asked in engine.asked]
    assert images == [2, 0, 2], "the prediction is made from the text alone"


async def test_a_prediction_for_another_number_of_pictures_is_a_judge_failure(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    comm = bench(tmp_path)
    item = next(item for item in comm.items() if item.group == "task4")
    got = make(item, 2)
    score = await comm.judged(item, got, folder.pictures(got), judge(imagined=1)[0])
    assert score.judge_failures == ("imagine: unreadable",)
    assert "mean" not in score.values
    assert score.values["style"] == 8


async def test_task_one_has_no_pictures_to_judge_and_no_mean(
    tmp_path: Path, make: Make, folder: ResultsFolder
) -> None:
    comm = bench(tmp_path, "1.jpg", "2.jpg")
    item = comm.items()[0]
    got = make(item, 1)
    score = await comm.judged(item, got, folder.pictures(got), judge(imagined=0)[0])
    assert score.values == {"completeness": 7.0, "illustration_relevance": 5.5}
    assert not score.missing_picture


async def test_no_pictures_where_some_were_wanted_is_zero(tmp_path: Path, nothing: Failing) -> None:
    comm = bench(tmp_path)
    item = comm.items()[0]
    score = await comm.judged(item, nothing(item), (), judge(imagined=0)[0])
    assert set(score.values.values()) == {0.0}
    assert score.missing_picture
