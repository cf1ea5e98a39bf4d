from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.judge import Judge
from services.trainer.benchmarks.records import BenchmarkDataError, ItemScore
from services.trainer.benchmarks.rise import TOLERATED, Rise
from tests.fakes.judges import Answers, text_of
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make, draw

FULL = dict.fromkeys(TOLERATED)


def bench(tmp_path: Path, **fields: object) -> Rise:
    draw(tmp_path / "in" / "1.png")
    draw(tmp_path / "in" / "1_ref.png", "blue")
    row = {"index": "t_1", "category": "temporal_reasoning", "instruction": "A year later.",
           "image": "in/1.png", "reference": "it has grown"} | fields  # fmt: skip
    (tmp_path / "data.json").write_text(json.dumps([row]))
    return Rise(tmp_path)


def marks(consistency: int, reasoning: int, plausibility: int = 5) -> Answers:
    def answer(text: str, _images: int) -> str:
        given = {"leaves alone": consistency, "leads to": reasoning, "defects": plausibility}
        return json.dumps({"score": next(m for words, m in given.items() if words in text)})

    return Answers(answer)


async def judged(rise: Rise, engine: Answers, folder: ResultsFolder, make: Make) -> ItemScore:
    (item,) = rise.items()
    got = make(item)
    return await rise.judged(item, got, folder.pictures(got), Judge(engine, tries=1))


def test_the_small_public_file_lacks_four_fields_which_is_counted(tmp_path: Path) -> None:
    (item,) = bench(tmp_path).items()
    assert item.missing_fields == TOLERATED
    assert item.prompt == "<image> A year later."


async def test_three_dimensions_are_judged_and_weighed(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    score = await judged(bench(tmp_path, **FULL), marks(5, 3, 4), folder, make)
    assert score.values["score"] == pytest.approx(3.8)
    assert score.values["percent"] == pytest.approx(70)
    assert score.values["accuracy"] == 0
    assert score.missing_fields == ()


@pytest.mark.parametrize("value", [None, math.nan, False, 0])
async def test_consistency_counts_unless_free_is_present_and_true(
    tmp_path: Path, folder: ResultsFolder, make: Make, value: object
) -> None:
    score = await judged(bench(tmp_path, consistency_free=value), marks(1, 5, 5), folder, make)
    assert score.values["accuracy"] == 0


async def test_a_consistency_free_item_is_not_asked_about_consistency(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    engine = marks(1, 5, 5)
    score = await judged(bench(tmp_path, consistency_free=True), engine, folder, make)
    assert score.values["accuracy"] == 1
    assert "consistency" not in score.values
    assert len(engine.asked) == 2


async def test_a_logical_item_is_right_or_wrong_without_plausibility(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    rise = bench(tmp_path, category="logical_reasoning", reference_img="in/1_ref.png")
    engine = marks(1, 0)
    score = await judged(rise, engine, folder, make)
    assert score.values["score"] == pytest.approx((0.3 * 5 + 0.7 * 1) / 2)
    assert len(engine.asked) == 2


async def test_the_reference_picture_is_shown_for_spatial_items_only(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    def images_shown(engine: Answers) -> list[int]:
        return sorted(sum(len(m.images) for m in asked) for asked in engine.asked)

    temporal, spatial, with_input = marks(5, 5), marks(5, 5), marks(5, 5)
    await judged(bench(tmp_path, reference_img="in/1_ref.png"), temporal, folder, make)
    spatial_bench = bench(tmp_path, category="spatial_reasoning", reference_img="in/1_ref.png")
    await judged(spatial_bench, spatial, folder, make)
    await judged(bench(tmp_path, reasoning_img=1), with_input, folder, make)
    assert images_shown(temporal) == [1, 1, 2], "plausibility, reasoning, consistency"
    assert images_shown(spatial) == [1, 2, 2]
    assert images_shown(with_input) == [1, 2, 2]


async def test_one_unanswered_dimension_leaves_the_item_unscored(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    score = await judged(bench(tmp_path), marks(9, 5, 5), folder, make)
    assert score.judge_failures == ("consistency: unreadable",)
    assert "score" not in score.values
    assert "accuracy" not in score.values
    assert score.values["reasoning"] == 5


async def test_a_missing_picture_scores_one_of_five(tmp_path: Path, nothing: Failing) -> None:
    rise = bench(tmp_path)
    (item,) = rise.items()
    score = await rise.judged(item, nothing(item), (), Judge(marks(5, 5)))
    assert score.values == {"accuracy": 0, "score": 1, "percent": 0}
    assert score.missing_picture


def test_a_picture_outside_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match="outside"):
        bench(tmp_path, image="../elsewhere.png")


async def test_a_logical_answer_in_words_comes_before_a_reference_picture(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    def reasoning(engine: Answers) -> tuple[str, int]:
        asked = next(asked for asked in engine.asked if "leads to" in text_of(asked))
        return text_of(asked), sum(len(message.images) for message in asked)

    logical = {"category": "logical_reasoning", "reference_img": "in/1_ref.png",
               "reference_txt": "it is 7", "reasoning_wo_ins": True}  # fmt: skip
    words, picture = marks(1, 1), marks(1, 1)
    await judged(bench(tmp_path, **logical), words, folder, make)
    await judged(bench(tmp_path, **logical | {"reference_txt": None}), picture, folder, make)
    assert "it is 7" in reasoning(words)[0]
    assert "A year later." in reasoning(words)[0]
    assert reasoning(words)[1] == 1
    assert "A year later." not in reasoning(picture)[0]
    assert reasoning(picture)[1] == 2


def test_pictures_unpacked_into_a_folder_beside_the_file_are_found(tmp_path: Path) -> None:
    draw(tmp_path / "data" / "temporal_reasoning_images" / "1.png")
    row = {"index": "t_1", "category": "temporal_reasoning", "instruction": "A year later.",
           "image": "temporal_reasoning_images/1.png", "reference": "grown"}  # fmt: skip
    (tmp_path / "datav2_total_w_subtask.json").write_text(json.dumps([row]))
    assert Rise(tmp_path).items()[0].images[0].is_file()
