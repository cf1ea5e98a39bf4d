"""Annotation: pictures are given, one sentence for each comes back, nothing is drawn."""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.captions import sentence
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.requests.model import IMAGE_MARK, PlannedStep, SketchRequest, Use
from services.trainer.sketchbook.requests.texts import Wordings, finished
from services.trainer.sketchbook.scenes import sample_scene
from services.trainer.sketchbook.wording import NUMBER_WORDS, Split
from services.trainer.sketchbook.world import Scene

ONE = Wordings(
    train=(
        "describe this picture in one sentence {marks}",
        "what do you see in this picture? {marks}",
        "{marks} what is in this picture?",
        "write one sentence about this picture: {marks}",
        "{marks} explain what this picture shows",
    ),
    heldout=(
        "{marks} describe what you see in this picture",
        "write what this picture shows: {marks}",
        "{marks} what do you see?",
    ),
    more=(
        "{marks} tell me what is in this picture",
        "{marks} describe this picture",
        "what is in this picture? {marks}",
        "{marks} say in one sentence what this picture shows",
        "write what you see in this picture {marks}",
    ),
)
MANY = Wordings(
    train=(
        "describe each picture in one sentence: {marks}",
        "write one sentence for each picture {marks}",
        "{marks} what does each picture show?",
        "explain these {n} pictures, one sentence each: {marks}",
        "{marks} describe what you see in each picture",
    ),
    heldout=(
        "{marks} write one sentence about each of these pictures",
        "describe these {n} pictures, one sentence each: {marks}",
        "explain what each picture shows {marks}",
    ),
    more=(
        "{marks} tell me what is in each picture",
        "one sentence for each of these {n} pictures, please: {marks}",
        "{marks} describe these pictures, one sentence for each",
        "say what each of these pictures shows: {marks}",
        "{marks} write what you see in each picture",
    ),
)
_MAX_ITEMS = 3


def annotate(rng: Random, split: Split, *, implicit: bool) -> SketchRequest:  # noqa: ARG001
    """One to four pictures with up to three things each."""
    number = rng.choice((1, 1, 2, 3, 4))
    given = tuple(sample_scene(rng, _MAX_ITEMS, min_items=1) for _ in range(number))
    marks = " ".join([IMAGE_MARK] * number)
    wordings = ONE if number == 1 else MANY
    template = wordings.pick(rng, split, str(number))
    text = finished(template.format(marks=marks, n=NUMBER_WORDS[number]), rng)
    return SketchRequest(
        text,
        given,
        Use.ANNOTATION,
        implicit=False,
        asked_steps=None,
        plan=_steps(given),
        goal=Goal((goals.TextsDescribe(given),)),
    )


def _steps(given: tuple[Scene, ...]) -> tuple[PlannedStep, ...]:
    return tuple(
        PlannedStep(number, f"Picture {NUMBER_WORDS[number]}", None, None, sentence(scene))
        for number, scene in enumerate(given, start=1)
    )


FORMS = ((annotate, 1.0),)
