"""What requests for continuation have in common: given pictures and the words around them.

Not here: the sequences themselves (``continuation``) and single changes (``changes``).
"""

from __future__ import annotations

from random import Random

from services.trainer.sketchbook import goals
from services.trainer.sketchbook.goals import Goal
from services.trainer.sketchbook.requests.model import IMAGE_MARK, SketchRequest, Use
from services.trainer.sketchbook.requests.plans import Planner
from services.trainer.sketchbook.requests.texts import (
    Wordings,
    finished,
    sample_location,
    sample_subject,
)
from services.trainer.sketchbook.scenes import standard_place
from services.trainer.sketchbook.wording import (
    NUMBER_WORDS,
    Split,
)
from services.trainer.sketchbook.world import (
    Background,
    Item,
    Scene,
)

REST = Wordings(
    train=(
        "{marks} show the rest{hint}",
        "this is how it begins: {marks} Show the rest{hint}.",
        "{marks} continue{hint}",
        "finish the story{hint}: {marks}",
        "here are the first pictures: {marks} Draw the rest{hint}.",
    ),
    heldout=(
        "here are the first pictures: {marks} Show the rest{hint}.",
        "{marks} finish the story{hint}",
        "this is how it begins: {marks} Continue{hint}.",
    ),
)

NEXT = Wordings(
    train=(
        "{marks} show the next {n}{hint}",
        "{marks} draw the next {n}{hint}",
        "this is how it begins: {marks} Show the next {n}{hint}.",
        "continue with {n}{hint}: {marks}",
    ),
    heldout=(
        "this is how it begins: {marks} Draw the next {n}{hint}.",
        "{marks} continue with the next {n}{hint}",
    ),
)

NUMBER = Wordings(("{n} pictures", "{n} steps", "{n} images"), ("{n} images", "{n} pictures"))


def marks_for(number: int) -> str:
    """One mark for each given picture."""
    return " ".join([IMAGE_MARK] * number)


def ask_on(
    given: list[Scene], asked: int | None, hint: str, rng: Random, split: Split, *, about: str
) -> str:
    """The text that asks for the rest, or for the next few."""
    hint = f" {hint}" if hint else ""
    marks = marks_for(len(given))
    if asked is None:
        text = REST.pick(rng, split, about).format(marks=marks, hint=hint)
    else:
        number = NUMBER_WORDS[asked] if rng.random() < 0.6 else str(asked)
        words = NUMBER.pick(rng, split, about).format(n=number)
        words = words.replace(f"{number} ", "").removesuffix("s") if asked == 1 else words
        text = NEXT.pick(rng, split, about).format(marks=marks, n=words, hint=hint)
        text = text.replace("continue with picture", "continue with one picture")
    return finished(text, rng)


def continued(
    text: str,
    given: list[Scene],
    plan: Planner,
    checks: tuple[goals.Check, ...],
    *,
    asked: int | None,
    implicit: bool = False,
) -> SketchRequest:
    """A request of the continuation use."""
    how_many = goals.Pictures(asked) if asked else goals.Pictures(1, exactly=False)
    return SketchRequest(
        text,
        tuple(given),
        Use.CONTINUATION,
        implicit,
        asked,
        plan.steps(),
        Goal((how_many, goals.Changing(given[-1]), *checks)),
    )


def opening(rng: Random, split: Split, kinds: tuple[str, ...]) -> tuple[Scene, Item]:
    """A scene with one thing in its usual place, to begin a sequence with."""
    subject = sample_subject(rng, split, kinds)
    setting, _, _ = sample_location(rng, split, subject.item.kind)
    blank = Scene(Background(setting))
    kind = subject.item.kind
    return blank.with_item(standard_place(blank, kind), subject.item), subject.item


def scene_at(scene: Scene, time: str) -> Scene:
    """The same scene at another time."""
    return Scene(Background(scene.background.setting, time), scene.items)
