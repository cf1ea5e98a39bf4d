from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.records import BenchmarkDataError, ItemScore
from services.trainer.benchmarks.ueval import TASKS, UEval
from tests.fakes.judges import Answers
from tests.unit.services.trainer.benchmarks.conftest import Make

ART = {
    "id": 7,
    "prompt": "Explain how to fold a boat both visually and textually.",
    "task": "art",
    "question_type": "open",
    "text_rubrics": ["names paper", "names folds"],
    "image_rubrics": [{"criterion": "shows paper", "tags": ["x"]}, {"criterion": "shows folds"}],
}
SPACE = {
    "id": "8",
    "prompt": "Why is Mars red?",
    "task_type": "space",
    "text_rubrics": ["rust"],
    "image_rubrics": ["a planet"],
}


def bench(tmp_path: Path, *rows: dict) -> UEval:
    path = tmp_path / "test.json"
    path.write_text(json.dumps(rows))
    return UEval(path)


def by_criterion(answers: dict[str, object]) -> Judge:
    def answer(text: str, _images: int) -> str:
        criterion = text.rsplit("Criterion: ", 1)[1]
        return json.dumps({"criteria_met": answers[criterion]})

    return Judge(Answers(answer), tries=1, pause_s=0)


def test_older_and_newer_field_names_and_rubrics_are_read(tmp_path: Path) -> None:
    art, space = bench(tmp_path, ART, SPACE).items()
    assert (art.id, art.group, art.prompt) == ("7", "art", "Explain how to fold a boat.")
    assert art.fields["image_rubrics"] == ("shows paper", "shows folds")
    assert space.group == "space"
    assert art.missing_fields == ()


def test_an_item_without_rubrics_says_so(tmp_path: Path) -> None:
    (item,) = bench(tmp_path, {"id": "1", "prompt": "p", "task": "art", "text_rubrics": []}).items()
    assert item.missing_fields == ("image_rubrics", "text_rubrics")


def test_an_unknown_task_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="poetry"):
        bench(tmp_path, ART | {"task": "poetry"})


async def test_not_sure_does_not_count_as_met(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    ueval = bench(tmp_path, ART)
    (item,) = ueval.items()
    got = make(item, 2)
    judge = by_criterion({"names paper": True, "names folds": "Not sure", "shows paper": "true",
                          "shows folds": "yes"})  # fmt: skip
    score = await ueval.judged(item, got, folder.pictures(got), judge)
    assert score.values == {"text": 0.5, "image": 1.0, "item": 0.75}


async def test_closed_tasks_judge_pictures_without_the_text(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    ueval = bench(tmp_path, ART, SPACE)
    engine = Answers(lambda _text, _images: '{"criteria_met": true}')
    for item in ueval.items():
        got = make(item, 2, text="Secret")
        await ueval.judged(item, got, folder.pictures(got), Judge(engine))
    shown = [
        (any("Secret" in getattr(p, "text", "") for m in asked for p in m.parts),
         sum(len(m.images) for m in asked))
        for asked in engine.asked
    ]  # fmt: skip
    assert sorted(shown) == [(False, 2), (True, 0), (True, 0), (True, 0), (True, 2), (True, 2)]


async def test_an_unanswered_rubric_leaves_the_item_unscored_and_is_counted(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    ueval = bench(tmp_path, SPACE)
    (item,) = ueval.items()
    got = make(item)
    score = await ueval.judged(
        item, got, folder.pictures(got), by_criterion({"rust": "perhaps", "a planet": True})
    )
    assert score.values == {"image": 1.0}
    assert score.judge_failures == ("rubric: unreadable",)


async def test_a_missing_picture_meets_no_rubric_and_is_counted(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    ueval = bench(tmp_path, SPACE)
    (item,) = ueval.items()
    got = make(item)
    (folder.item(item.id) / "1.png").unlink()
    score = await ueval.judged(item, got, folder.pictures(got), by_criterion({"rust": True}))
    assert score.values == {"text": 1.0, "image": 0.0, "item": 0.5}
    assert score.missing_picture


def test_the_two_averages_differ_when_tasks_have_unequal_numbers(tmp_path: Path) -> None:
    scores = [ItemScore(item_id=f"{task}{n}", group=task,
                        values={"item": float(task == "art"), "text": 1.0, "image": 0.5})
              for task in TASKS for n in range(9 if task == "art" else 1)]  # fmt: skip
    lines = {line.name: line for line in bench(tmp_path, ART).lines(scores)}
    assert lines["mean of tasks"].mean == pytest.approx(100 / 8)
    assert lines["mean of items"].mean == pytest.approx(100 * 9 / 16)
    assert lines["image rate"].mean == pytest.approx(50)
    assert lines["text rate"].mean == pytest.approx(100)
    assert lines["mean of tasks"].headline


def test_the_mean_of_tasks_needs_all_eight(tmp_path: Path) -> None:
    scores = [ItemScore(item_id="1", group="art", values={"item": 1.0})]
    lines = {line.name: line for line in bench(tmp_path, ART).lines(scores)}
    assert lines["mean of tasks"].mean is None
    assert lines["mean of tasks"].n == 1
