"""Saying in plain English what keeps a picture from being its goal.

Not here: whether it counts as right and how many marks it gets (``grader``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from services.trainer.sketchbook.reading import Reading
from services.trainer.sketchbook.wording import (
    COLUMN_NAMES,
    ROW_NAMES,
    background_phrase,
    item_phrase,
    thing_name,
)
from services.trainer.sketchbook.world import PLACES, Item, Place, Scene

_REASONS_NAMED = 3


def explain(before: Scene | None, goal: Scene, reading: Reading) -> str:
    """Say in one short sentence what keeps a picture from being the goal.

    At most three things are named; a picture with nothing wrong gives an empty text.
    """
    reasons = list(_reasons(before, goal, reading))
    named, rest = reasons[:_REASONS_NAMED], len(reasons) - _REASONS_NAMED
    more = f"; and {rest} more" if rest > 0 else ""
    return "; ".join(named) + more


def _reasons(before: Scene | None, goal: Scene, reading: Reading) -> Iterator[str]:
    shown = reading.scene
    if shown.background != goal.background:
        yield (
            f"the background is {background_phrase(shown.background)}, "
            f"not {background_phrase(goal.background)}"
        )
    wanted, found = dict(goal.items), dict(shown.items)
    had = {} if before is None else dict(before.items)
    moved = _misplaced(wanted, found)
    for place in PLACES:
        want, have = wanted.get(place), found.get(place)
        if not reading.is_legible(place):
            yield f"nothing clear can be made out {_spot(place)}"
        elif place in moved and want is not None:
            yield f"the {thing_name(want)} is {_spot(moved[place])} instead of {_spot(place)}"
        elif want != have and not (want is None and place in moved.values()):
            yield _difference(place, want, have, had=had.get(place))


def _misplaced(wanted: dict[Place, Item], found: dict[Place, Item]) -> dict[Place, Place]:
    """Where each item that is not in its place is shown instead, if anywhere."""
    strays = [place for place in found if wanted.get(place) is None]
    moved: dict[Place, Place] = {}
    for place, item in wanted.items():
        if place in found:
            continue
        stray = next((at for at in strays if found[at] == item), None)
        if stray is not None:
            strays.remove(stray)
            moved[place] = stray
    return moved


def _difference(place: Place, want: Item | None, have: Item | None, *, had: Item | None) -> str:
    spot = _spot(place)
    if want is None and have is not None:
        if have == had:
            return f"the {thing_name(have)} is still {spot}"
        return f"there is {item_phrase(have)} {spot} that nobody asked for"
    if want is None:
        raise ValueError("an empty place that should be empty is no difference")
    if have is None:
        fate = "vanished" if want == had else "is missing"
        return f"the {thing_name(want)} {spot} {fate}"
    if have == had:
        return f"the {thing_name(have)} {spot} did not become {item_phrase(want)}"
    if replace(want, colour=have.colour) == have:
        return f"the {want.kind} {spot} is {have.colour}, not {want.colour}"
    return f"there is {item_phrase(have)} {spot} instead of {item_phrase(want)}"


def _spot(place: Place) -> str:
    return f"in the {ROW_NAMES[place.row]} row, {COLUMN_NAMES[place.column]}"
