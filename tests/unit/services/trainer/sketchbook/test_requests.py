"""Whole requests: the reference plan, drawn exactly, reaches the goal; scope is clear."""

from __future__ import annotations

from random import Random

import pytest

from services.trainer.sketchbook.requests import (
    IMAGE_MARK,
    SketchRequest,
    Use,
    execute,
    sample_request,
)
from services.trainer.sketchbook.scope import OUT_OF_WORLD, in_scope, unknown_words
from services.trainer.sketchbook.wording import Split

ROUNDS = 1500


def _texts(request: SketchRequest) -> list[str | None]:
    return [step.auxiliary_text or step.instruction for step in request.plan]


@pytest.mark.parametrize("split", Split)
def test_every_reference_plan_drawn_exactly_reaches_its_goal(split: Split) -> None:
    rng = Random(1)
    for _ in range(ROUNDS):
        request = sample_request(rng, split)
        scenes = execute(request.prompts, request.source)
        assert request.goal.reached(scenes, _texts(request)), (request.text, request.prompts)


@pytest.mark.parametrize("split", Split)
def test_requests_are_well_formed(split: Split) -> None:
    rng = Random(2)
    for _ in range(ROUNDS):
        request = sample_request(rng, split)
        assert request.text.count(IMAGE_MARK) == len(request.images)
        assert "{" not in request.text
        assert request.asked_steps in (None, len(request.plan))
        first = 1 if request.use is Use.ANNOTATION else len(request.images) + 1
        numbers = [step.step_number for step in request.plan]
        assert numbers == list(range(first, first + len(numbers)))
        assert 1 <= len(numbers) <= 6


def test_annotation_plans_draw_nothing_and_other_plans_say_nothing_extra() -> None:
    rng = Random(3)
    for _ in range(ROUNDS):
        request = sample_request(rng, Split.TRAIN)
        annotates = request.use is Use.ANNOTATION
        for step in request.plan:
            assert (step.prompt is None) == (step.instruction is None) == annotates
            assert (step.auxiliary_text is not None) == annotates


@pytest.mark.parametrize("use", Use)
def test_a_use_can_be_asked_for(use: Use) -> None:
    rng = Random(4)
    assert {sample_request(rng, Split.TRAIN, use=use).use for _ in range(50)} == {use}


def test_implicit_requests_can_be_asked_for() -> None:
    rng = Random(5)
    found = [sample_request(rng, Split.HELDOUT, implicit=True) for _ in range(300)]
    assert all(request.implicit for request in found)
    assert Use.ANNOTATION not in {request.use for request in found}


def test_a_plan_that_does_nothing_misses_the_goal() -> None:
    rng = Random(6)
    for _ in range(500):
        request = sample_request(rng, Split.TRAIN)
        assert not request.goal.reached([], [])
        if request.prompts and request.source is not None:
            still = [request.source] * len(request.plan)
            assert not request.goal.reached(still, _texts(request)), request.text


def test_a_plan_with_its_last_step_left_out_mostly_misses_the_goal() -> None:
    rng = Random(7)
    reached = 0
    for _ in range(400):
        request = sample_request(rng, Split.TRAIN)
        scenes = execute(request.prompts, request.source)[:-1]
        reached += request.goal.reached(scenes, _texts(request)[:-1])
    assert reached < 100


def test_a_wrong_sentence_misses_an_annotation_goal() -> None:
    request = sample_request(Random(8), Split.TRAIN, use=Use.ANNOTATION)
    assert request.goal.reached([], _texts(request))
    assert not request.goal.reached([], ["A town by day with nothing in it."] * len(request.plan))


def test_training_and_heldout_requests_hardly_meet() -> None:
    rng = Random(9)
    train = {sample_request(rng, Split.TRAIN, use=Use.NARRATIVE).text for _ in range(3000)}
    heldout = {sample_request(rng, Split.HELDOUT, use=Use.NARRATIVE).text for _ in range(1000)}
    assert len(train) > 2000
    assert len(train & heldout) < 20


@pytest.mark.parametrize("split", Split)
def test_every_sampled_request_is_in_scope(split: Split) -> None:
    rng = Random(10)
    for _ in range(ROUNDS):
        text = sample_request(rng, split).text
        assert in_scope(text), (text, unknown_words(text))


@pytest.mark.parametrize(
    "text",
    [
        "How do I draw a snowman, step by step?",
        "How do I draw a village step by step?",
        "Tell the story of this boat in six pictures",
        "Tell the story of a boat from morning to night in four pictures",
        "Put the red block on the blue one, one move at a time",
        "Write the word HELLO letter by letter",
        "<image> What happens after the snow melts?",
    ],
)
def test_typical_requests_are_in_scope(text: str) -> None:
    assert in_scope(text)


@pytest.mark.parametrize("text", [*OUT_OF_WORLD, "", "Tell me a story", "Draw a fox"])
def test_requests_outside_the_world_are_out_of_scope(text: str) -> None:
    assert not in_scope(text)


def test_unknown_words_are_named() -> None:
    assert unknown_words("Tell the story of a dragon and a Dragon's castle") == (
        "dragon", "dragon's", "castle",
    )  # fmt: skip
