from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.layouts import (
    write_comm,
    write_opening,
    write_rise,
    write_ueval,
    write_wise,
)
from services.trainer.benchmarks.records import Item
from tests.unit.services.trainer.benchmarks.conftest import Failing, Make, draw


def test_ueval_wants_one_list_with_joined_texts_and_paths(
    tmp_path: Path, folder: ResultsFolder, make: Make, nothing: Failing
) -> None:
    items = [Item("1", "p", "art"), Item("2", "p", "art"), Item("3", "p", "art")]
    make(items[0], 2)
    nothing(items[1])
    assert write_ueval(folder.results(items), folder, tmp_path / "out") == 2
    first, second = json.loads((tmp_path / "out" / "ueval.json").read_text())
    assert first["id"] == "1"
    assert first["text_answer"] == "Step 1\n\nStep 2"
    assert [(tmp_path / "out" / p).is_file() for p in first["image_answer"]] == [True, True]
    assert second == {"id": "2", "text_answer": "", "image_answer": []}


def test_wise_and_rise_want_the_last_picture_by_id(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    item = Item("17", "p", "causal_reasoning")
    got = make(item, 2)
    draw(folder.item(item.id) / "2.png", "blue")
    assert got.files == ("1.png", "2.png")
    assert write_wise(folder.results([item]), folder, tmp_path) == 1
    assert write_rise(folder.results([item]), folder, tmp_path) == 1
    for path in (tmp_path / "17.png", tmp_path / "images" / "causal_reasoning" / "17.png"):
        with Image.open(path) as image:
            assert image.getpixel((0, 0)) == (0, 0, 255)


def test_comm_wants_numbered_steps_with_places_for_pictures(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    given = draw(tmp_path / "given.png")
    truth = (draw(tmp_path / "b.jpg"), None)
    fields = {"ground_truth": truth, "first_step": 2}
    item = Item("d_task3", "Go on <image>", "task3", (given,), fields=fields)
    make(item, 2, first=2)
    write_comm(folder.results([item]), folder, tmp_path / "out")
    home = tmp_path / "out" / "d_task3"
    assert json.loads((home / "results.json").read_text()) == {
        "model_input": "Go on <IMAGE>",
        "model_output": "(2) Step 2 <IMAGE> (3) Step 3 <IMAGE>",
        "input_image_list": ["input_1.jpg"],
        "output_gt_image_list": ["output_gt_2.jpg"],
        "prediction_image_list": ["predict_2.jpg", "predict_3.jpg"],
    }
    assert sorted(path.name for path in (home / "origin").iterdir()) == [
        "input_1.jpg",
        "output_gt_2.jpg",
    ]
    with Image.open(home / "predict_3.jpg") as image:
        assert image.format == "JPEG"


def test_opening_wants_a_file_per_uid_with_pictures_from_zero(
    tmp_path: Path, folder: ResultsFolder, make: Make
) -> None:
    asked = [{"text": "hello", "image": None}]
    row = {"total_uid": "0301001", "conversations": [{"input": asked}, {"output": [1]}]}
    item = Item("0301001", "hello", "g", fields={"row": row})
    make(item, 2)
    write_opening(folder.results([item]), folder, tmp_path)
    home = tmp_path / "interleave_output"
    entry = json.loads((home / "0301001.json").read_text())
    assert entry["conversations"] == [
        {"input": asked},
        {"output": [{"text": "Step 1", "image": "0301001-o-0.jpg"},
                    {"text": "Step 2", "image": "0301001-o-1.jpg"}]},
    ]  # fmt: skip
    assert (home / "0301001-o-1.jpg").is_file()
