from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.trainer.benchmarks.folder import ResultsFolder
from services.trainer.benchmarks.records import ItemScore, Produced, ProducedPart, ProducedStep
from services.trainer.benchmarks.sketchbench import (
    Question,
    Sketchbench,
    digest,
    frozen_questions,
    questions,
)
from services.trainer.benchmarks.sketchbench_scores import score, structure_is_right
from services.trainer.sketchbook.reading import Picture
from services.trainer.sketchbook.renderer import render
from services.trainer.sketchbook.requests import SketchRequest, Use
from services.trainer.sketchbook.settling import execute
from services.trainer.sketchbook.world import Scene

ALL = questions()
DRAWN = next(q for q in ALL if q.request.asked_steps == 3 and q.request.use is Use.NARRATIVE)
GIVEN = next(q for q in ALL if q.request.use is Use.CONTINUATION
             and len(q.request.images[-1].items) > 2)  # fmt: skip
ANNOTATED = next(q for q in ALL if q.request.use is Use.ANNOTATION
                 and len(q.request.images) > 1)  # fmt: skip


def perfect(request: SketchRequest) -> tuple[Produced, dict[str, Picture]]:
    """What an exact planner and generator make."""
    scenes = iter(execute(request.prompts, request.source))
    steps: list[ProducedStep] = []
    parts: list[ProducedPart] = []
    pictures: dict[str, Picture] = {}
    for planned in request.plan:
        text = planned.auxiliary_text or planned.instruction or ""
        file = f"{planned.step_number}.png" if planned.prompt is not None else None
        number = planned.step_number
        steps.append(ProducedStep(step_number=number, text=text, prompt=planned.prompt, file=file))
        parts.append(ProducedPart(type="text", step=number, text=text))
        if file is not None:
            pictures[file] = render(next(scenes))
            parts.append(ProducedPart(type="image", step=number, file=file))
    made = Produced(item_id="i", status="succeeded", steps=tuple(steps), parts=tuple(parts))
    return made, pictures


def scored(question: Question, made: Produced, pictures: dict[str, Picture]) -> ItemScore:
    return score(question.id, question.request, made, pictures)


def test_there_are_at_least_six_hundred_different_requests_of_every_kind() -> None:
    assert len(ALL) >= 600
    assert len({(q.request.text, q.request.images) for q in ALL}) == len(ALL)
    groups = Counter(q.group for q in ALL)
    assert set(groups) == {"implicit", *map(str, Use)}
    assert min(groups.values()) >= 100


def test_the_requests_are_the_frozen_ones() -> None:
    assert digest(frozen_questions()) == digest(ALL)


def test_a_changed_request_changes_the_digest() -> None:
    changed = replace(ALL[0], request=replace(ALL[0].request, text="another"))
    assert digest([changed, *ALL[1:]]) != digest(ALL)


@pytest.mark.parametrize("question", ALL[::41], ids=lambda question: question.id)
def test_an_exact_run_gets_full_marks(question: Question) -> None:
    made, pictures = perfect(question.request)
    got = scored(question, made, pictures)
    assert set(got.values.values()) == {1.0}, got
    assert "goal" in got.values
    assert got.group == question.group


def test_a_failed_run_reaches_nothing() -> None:
    got = scored(DRAWN, Produced(item_id="i", status="failed"), {})
    assert got.values == {"goal": 0.0, "checks": 0.0, "structure": 0.0, "text": 0.0}
    assert got.run_failed
    assert got.missing_picture


def test_collateral_damage_costs_the_step_and_is_told_apart() -> None:
    made, pictures = perfect(GIVEN.request)
    first = made.files[0]
    scene = execute(GIVEN.request.prompts, GIVEN.request.source)[0]
    kept = [place for place, item in scene.items
            if GIVEN.request.source and GIVEN.request.source.at(place) == item]  # fmt: skip
    pictures[first] = render(scene.with_item(kept[0], None))
    got = scored(GIVEN, made, pictures)
    count = len(made.files)
    assert got.values["clean"] <= 1 - 1 / count
    assert got.values["steps"] < 1


def test_an_illegible_picture_misses_the_goal() -> None:
    made, pictures = perfect(DRAWN.request)
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    got = scored(DRAWN, made, pictures | {made.files[-1]: noise})
    assert got.values["goal"] == 0
    assert got.values["steps"] < 1


def test_a_picture_of_another_size_counts_as_not_drawn() -> None:
    made, pictures = perfect(DRAWN.request)
    got = scored(DRAWN, made, pictures | {made.files[0]: np.zeros((64, 64, 3), np.uint8)})
    assert got.values["goal"] == 0
    assert got.values["steps"] < 1


def test_one_picture_too_few_breaks_goal_and_structure() -> None:
    made, pictures = perfect(DRAWN.request)
    short = made.model_copy(update={"steps": made.steps[:-1], "parts": made.parts[:-2]})
    got = scored(DRAWN, short, pictures)
    assert (got.values["goal"], got.values["structure"]) == (0, 0)
    assert got.values["steps"] == 1


def test_a_text_after_its_picture_breaks_the_structure_alone() -> None:
    made, pictures = perfect(DRAWN.request)
    swapped = made.model_copy(update={"parts": (made.parts[1], made.parts[0], *made.parts[2:])})
    assert not structure_is_right(DRAWN.request, swapped)
    assert scored(DRAWN, swapped, pictures).values["goal"] == 1


def test_prompts_in_other_words_leave_the_steps_unjudged() -> None:
    made, pictures = perfect(DRAWN.request)
    steps = tuple(step.model_copy(update={"prompt": "something nice"}) for step in made.steps)
    got = scored(DRAWN, made.model_copy(update={"steps": steps}), pictures)
    assert "steps" not in got.values
    assert "clean" not in got.values
    assert got.values["goal"] == 1


def test_a_text_that_says_something_else_than_its_picture_is_wrong() -> None:
    made, pictures = perfect(DRAWN.request)
    lie = made.steps[0].model_copy(update={"text": "We begin: the sea at night with a cow."})
    got = scored(DRAWN, made.model_copy(update={"steps": (lie, *made.steps[1:])}), pictures)
    assert got.values["text"] == pytest.approx(1 - 1 / len(made.steps))


def test_one_wrong_sentence_of_an_annotation_costs_its_share() -> None:
    made, _ = perfect(ANNOTATED.request)
    wrong = made.steps[0].model_copy(update={"text": "The sea at night with a cow."})
    got = scored(ANNOTATED, made.model_copy(update={"steps": (wrong, *made.steps[1:])}), {})
    assert got.values["text"] == pytest.approx(1 - 1 / len(ANNOTATED.request.images))
    assert got.values["goal"] == 0
    assert got.values["structure"] == 1


def test_results_of_a_folder_are_scored_and_given_pictures_written(
    tmp_path: Path, folder: ResultsFolder
) -> None:
    bench = Sketchbench(tmp_path, [GIVEN, DRAWN])
    items = bench.items()
    with Image.open(items[0].images[0]) as image:
        assert np.array_equal(np.asarray(image), render(GIVEN.request.images[0]))
    made, pictures = perfect(GIVEN.request)
    for name, picture in pictures.items():
        path = folder.item(GIVEN.id) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    folder.save(made.model_copy(update={"item_id": GIVEN.id}))
    (got,) = bench.scores(folder, ids={item.id for item in items})
    assert got.values["goal"] == 1
    lines = {line.name: line for line in bench.lines([got])}
    assert lines["goal reached"].mean == 100
    assert lines["continuation"].n == 1


def test_other_given_pictures_change_the_digest() -> None:
    emptied = Scene(GIVEN.request.images[0].background)
    changed = replace(GIVEN, request=replace(GIVEN.request, images=(emptied,)))
    assert digest([changed]) != digest([GIVEN])
