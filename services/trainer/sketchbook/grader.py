"""Judging a Sketchbook picture: was the wish carried out, and nothing else touched?

The picture is read by ``reading`` and compared with the outcomes that count as right; because
scenes are exact, so is the judgement. Not here: saying in words what is wrong (``explanation``,
whose ``explain`` is handed on from here).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from services.trainer.sketchbook.explanation import explain
from services.trainer.sketchbook.reading import (
    ILLEGIBLE_DISTANCE,
    Picture,
    Reading,
    decode,
)
from services.trainer.sketchbook.world import PLACES, Place, Scene

__all__ = ["Grade", "Reading", "decode", "explain", "grade", "grade_reading"]

_CLEAN_DISTANCE = 3.0
"""Up to here a place counts as drawn perfectly."""
_FULL_MARK = 10.0


@dataclass(frozen=True, slots=True)
class Grade:
    """How well a picture does what was asked.

    Attributes:
        success: The scene read is one of the accepted ones and every place is legible.
        semantics: 0 to 10; see ``_semantics``.
        quality: 0 to 10; see ``_quality``.
        missing: Wanted changes that did not happen (the background counts as one).
        collateral: Things changed that should have stayed (the background counts as one).
        goal: The accepted scene closest to the picture.
        reading: What the picture shows.
    """

    success: bool
    semantics: float
    quality: float
    missing: int
    collateral: int
    goal: Scene
    reading: Reading


def grade(before: Scene | None, accepted: Collection[Scene], picture: Picture) -> Grade:
    """Judge a picture.

    Args:
        before: The scene that was edited; None when the picture was drawn from nothing.
        accepted: Every outcome that counts as right; at least one.
        picture: The picture to judge.

    Raises:
        ValueError: No outcome is accepted.
        PictureShapeError: The picture has another size or type.
    """
    return grade_reading(before, accepted, decode(picture))


def grade_reading(before: Scene | None, accepted: Collection[Scene], reading: Reading) -> Grade:
    """Judge a picture that has been read already."""
    if not accepted:
        raise ValueError("nothing is accepted, so nothing can be judged")
    goal = min(accepted, key=lambda scene: len(_wrong_parts(scene, reading)))
    wrong = _wrong_parts(goal, reading)
    changes = _changed_parts(before, goal)
    missing, collateral = len(wrong & changes), len(wrong - changes)
    return Grade(
        success=not wrong,
        semantics=_semantics(len(changes), missing, collateral, right=_right_parts(goal, wrong)),
        quality=_quality(reading),
        missing=missing,
        collateral=collateral,
        goal=goal,
        reading=reading,
    )


_Part = Place | None
"""A part of a scene that can be right or wrong: a place, or None for the background."""


def _wrong_parts(goal: Scene, reading: Reading) -> set[_Part]:
    wanted, found = dict(goal.items), dict(reading.scene.items)
    wrong: set[_Part] = {
        place
        for place in PLACES
        if wanted.get(place) != found.get(place) or not reading.is_legible(place)
    }
    if goal.background != reading.scene.background:
        wrong.add(None)
    return wrong


def _changed_parts(before: Scene | None, goal: Scene) -> set[_Part]:
    wanted = dict(goal.items)
    if before is None:
        return {None, *wanted}
    had = dict(before.items)
    changed: set[_Part] = {place for place in PLACES if wanted.get(place) != had.get(place)}
    if goal.background != before.background:
        changed.add(None)
    return changed


def _right_parts(goal: Scene, wrong: set[_Part]) -> int:
    return sum(part not in wrong for part in (None, *(place for place, _ in goal.items)))


def _semantics(changes: int, missing: int, collateral: int, *, right: int) -> float:
    """10 x the smaller of edit success and restraint, as VIEScore takes the worst aspect.

    Edit success = (changes - missing) / changes, the share of wanted changes that happened
    (1 when none was wanted). Restraint = right / (right + collateral), where right counts the
    goal's items, and its background, that the picture shows as they should be, and collateral
    what was altered or added beyond the wish (1 when there is no collateral).
    """
    edit_success = (changes - missing) / changes if changes else 1.0
    restraint = right / (right + collateral) if collateral else 1.0
    return _FULL_MARK * min(edit_success, restraint)


def _quality(reading: Reading) -> float:
    """10 x the mean of the average and the worst place's clearness.

    Clearness falls from 1 at a distance of 3 or less to 0 at the distance where a place is
    illegible; an illegible place has none.
    """
    fall = (reading.distances - _CLEAN_DISTANCE) / (ILLEGIBLE_DISTANCE - _CLEAN_DISTANCE)
    clearness = np.where(reading.legible_places, np.clip(1 - fall, 0, 1), 0)
    return _FULL_MARK * float(clearness.mean() + clearness.min()) / 2
