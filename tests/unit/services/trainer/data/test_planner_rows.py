from __future__ import annotations

import json
from pathlib import Path
from random import Random

from PIL import Image

from services.trainer.data.comm_plans import import_comm
from services.trainer.data.folder import DataFolder
from services.trainer.data.planner_rows import cut_text, random_cut, whole_plan
from services.trainer.data.records import TrajectoryRecord
from tests.unit.services.trainer.data.trajectories import FIRST, PROMPT, SECOND, TRAJECTORY


def test_a_whole_plan_answers_its_request(tmp_path: Path) -> None:
    row = whole_plan(TRAJECTORY, PROMPT)

    assert (row.text, row.images, [s.step_number for s in row.steps]) == ("Show a hen.", (), [1, 2])
    assert row.thought == "2 steps."


def test_a_cut_gives_the_beginning_and_asks_for_the_rest(tmp_path: Path) -> None:
    row = random_cut(TRAJECTORY, PROMPT, DataFolder(tmp_path), Random(0))

    assert row is not None
    assert row.text == "Show a hen. So far: A hen. <image> Continue."
    assert row.images == ("images/1_2.png",)
    assert row.steps == (SECOND.plan,)


def test_given_pictures_keep_one_mark_each(tmp_path: Path) -> None:
    given = PROMPT.model_copy(update={"images": ("images/g.png",)})

    text, images = cut_text(given, [FIRST])

    assert text.count("<image>") == len(images) == 2
    assert images == ("images/g.png", "images/1_2.png")


def test_nothing_is_cut_behind_a_step_that_was_not_accepted(tmp_path: Path) -> None:
    refused = FIRST.model_copy(update={"chosen": 1})
    trajectory = TrajectoryRecord(
        id="t", prompt_id="p", generator="g", status="partially_succeeded", steps=(refused, SECOND)
    )

    assert random_cut(trajectory, PROMPT, DataFolder(tmp_path), Random(0)) is None


def test_documents_become_plans_from_the_title_and_from_the_middle(tmp_path: Path) -> None:
    steps = [
        [{"type": "text", "content": f"Fold {n}."}, {"type": "image", "image_path": f"{n}.png"}]
        for n in range(4)
    ]
    words = [{"type": "text", "content": "Only words."}]
    document = {"data_id": "d", "title": "A crane", "step_info": [*steps, words]}
    short = {"data_id": "s", "title": "Nothing", "step_info": [words]}
    (tmp_path / "docs.jsonl").write_text(f"{json.dumps(document)}\n{json.dumps(short)}\n")
    for n in range(2):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{n}.png")

    found = import_comm(tmp_path / "docs.jsonl", DataFolder(tmp_path / "out"))

    title, half = found.rows
    assert [step.prompt for step in title.steps] == [f"Fold {n}." for n in range(4)]
    assert half.text.count("<image>") == len(half.images) == 2
    assert [step.step_number for step in half.steps] == [3, 4]
    assert all((tmp_path / "out" / image).is_file() for image in half.images)
    assert found.left_out == 1
