"""How pictures go wrong: plausible failures of real generators, and words for what is wrong.

``wrong_outcome`` makes a scene that does not do what a prompt asks; ``reason_for`` says what
differs from what was meant. Not here: whole critic samples (``samples``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from services.trainer.sketchbook.parsing import outcomes_of
from services.trainer.sketchbook.scenes import sample_free_place, sample_item
from services.trainer.sketchbook.wording import background_phrase, item_phrase, thing_name
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    COLOURS,
    PLACES,
    SETTINGS,
    STAGES,
    TIMES,
    Background,
    Item,
    Place,
    Scene,
)

_TARGET_SHARE = 0.65
"""How often the failure hits what the edit was about, rather than something else."""

Failure = Callable[[Scene, Place, Random], Scene]


def _other_colour(scene: Scene, place: Place, rng: Random) -> Scene:
    item = dict(scene.items)[place]
    if item.colour is None:
        return _other_kind(scene, place, rng)
    others = [colour for colour in COLOURS if colour != item.colour]
    return scene.with_item(place, replace(item, colour=rng.choice(others)))


def _other_kind(scene: Scene, place: Place, rng: Random) -> Scene:
    item = dict(scene.items)[place]
    other = sample_item(rng)
    if item.colour and other.colour:
        other = replace(other, colour=item.colour)
    return scene.with_item(place, other)


def _other_stage(scene: Scene, place: Place, rng: Random) -> Scene:
    item = dict(scene.items)[place]
    if item.stage is None:
        return _other_colour(scene, place, rng)
    others = [stage for stage in STAGES if stage != item.stage]
    return scene.with_item(place, replace(item, stage=rng.choice(others)))


def _missing(scene: Scene, place: Place, _rng: Random) -> Scene:
    return scene.with_item(place, None)


def _elsewhere(scene: Scene, place: Place, rng: Random) -> Scene:
    item = dict(scene.items)[place]
    free = scene.free_places()
    near = [p for p in free if abs(p.row - place.row) + abs(p.column - place.column) == 1]
    targets = near if near and rng.random() < 0.6 else free
    return scene.with_item(place, None).with_item(rng.choice(targets), item)


def _twice(scene: Scene, place: Place, rng: Random) -> Scene:
    item = dict(scene.items)[place]
    return scene.with_item(sample_free_place(scene, item.kind, rng), item)


_ITEM_FAILURES: tuple[Failure, ...] = (
    _other_colour, _other_kind, _other_stage, _missing, _missing, _elsewhere, _elsewhere, _twice,
)  # fmt: skip


def _other_background(scene: Scene, rng: Random) -> Scene:
    now = scene.background
    draw = rng.random()
    if draw < 0.5 and now.setting != "paper":
        background = Background(now.setting, rng.choice(TIMES))
    elif draw < 0.8:
        setting = rng.choice([name for name in SETTINGS if name != "paper"])
        background = Background(setting, "day" if now.setting == "paper" else now.time)
    else:
        background = rng.choice(BACKGROUNDS)
    return replace(scene, background=background)


def _touched(before: Scene | None, after: Scene) -> list[Place]:
    """The filled places of the after scene that the edit changed."""
    if before is None:
        return [place for place, _ in after.items]
    return [place for place, item in after.items if before.at(place) != item]


def _corrupted(before: Scene | None, intended: Scene, rng: Random) -> Scene:
    """One way in which the intended scene may be missed."""
    filled = [place for place, _ in intended.items]
    changed_background = before is not None and before.background != intended.background
    draw = rng.random()
    if before is not None and draw < 0.25:
        return before
    if not filled or (draw < 0.65 if changed_background else draw > 0.92):
        return _other_background(intended, rng)
    touched = _touched(before, intended)
    about = touched if touched and rng.random() < _TARGET_SHARE else filled
    failure = rng.choice(_ITEM_FAILURES)
    if len(filled) == len(PLACES):
        failure = _missing
    return failure(intended, rng.choice(about), rng)


def wrong_outcome(before: Scene | None, prompt: str, rng: Random) -> Scene:
    """A plausible scene that is not a right outcome of the prompt.

    Sometimes two things are wrong at once, as in real pictures.

    Raises:
        UnknownWordingError: The prompt is not one of the world's wordings.
    """
    right = outcomes_of(before, prompt)
    accepted = frozenset(right)
    intended = rng.choice(right) if right else (before or Scene(Background("paper")))
    while True:
        wrong = _corrupted(before, intended, rng)
        if rng.random() < 0.15:
            wrong = _corrupted(before, wrong, rng)
        if wrong not in accepted:
            return wrong


def _nearest(right: tuple[Scene, ...], after: Scene) -> Scene:
    return min(right, key=lambda scene: len(_differences(scene, after)))


def _differences(meant: Scene, after: Scene) -> list[tuple[Item | None, Item | None]]:
    wanted, found = dict(meant.items), dict(after.items)
    places = (place for place in PLACES if wanted.get(place) != found.get(place))
    return [(wanted.get(place), found.get(place)) for place in places]


def reason_for(right: tuple[Scene, ...], after: Scene) -> str:
    """One short sentence on what is wrong with a scene, or that nothing is."""
    if after in right or not right:
        return "everything is as asked."
    meant = _nearest(right, after)
    if meant.background != after.background:
        return f"the background should be {background_phrase(meant.background)}."
    differences = _differences(meant, after)
    for wanted, found in differences:
        if wanted and found and wanted.kind == found.kind:
            return f"there should be {item_phrase(wanted)}, not {item_phrase(found)}."
    lost = [wanted for wanted, _ in differences if wanted]
    gained = [found for _, found in differences if found]
    for item in lost:
        if item in gained:
            return f"the {thing_name(item)} is in the wrong place."
    if lost:
        return f"the {thing_name(lost[0])} is missing."
    return f"the {thing_name(gained[0])} does not belong there."
