"""Measures of Sketchbook pictures that a judge's marks are made of; all from 0 to 1.

Not here: which marks a question asks for (``judge``).
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from PIL import Image, UnidentifiedImageError

from services.trainer.sketchbook import wording
from services.trainer.sketchbook.captions import read_sentence
from services.trainer.sketchbook.grader import grade_reading
from services.trainer.sketchbook.parsing import UnknownWordingError
from services.trainer.sketchbook.reading import Reading, decode
from services.trainer.sketchbook.world import (
    PICTURE_PX,
    PLACES,
    TIMES,
    Item,
    Place,
    Scene,
    all_items,
)

Seen = Reading | None
"""What a picture shows; None for one that is no Sketchbook picture."""
_NAMES = {wording.thing_name(item).lower(): item for item in all_items()}
_KINDS = {item.kind for item in all_items()}
_SETTINGS = {name.split(" ", 1)[1]: key for key, name in wording.SETTING_NAMES.items()}
_WORDS = re.compile(
    r"\b(?:"
    + "|".join(
        re.escape(word)
        for word in sorted({*_NAMES, *_KINDS, *_SETTINGS, *TIMES}, key=len, reverse=True)
    )
    + r")\b"
)


def look(content: bytes) -> Seen:
    """Read a picture's file."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            picture = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError):
        return None
    return decode(picture) if picture.shape == (PICTURE_PX, PICTURE_PX, 3) else None


def agreement(sentence: str, seen: Seen) -> float | None:
    """Share of a sentence's background and items that a picture shows, and of its own in it.

    1 only if the picture is legible and shows exactly that; None for a sentence of another kind.
    """
    try:
        background, wanted = read_sentence(sentence)
    except (UnknownWordingError, ValueError):
        return None
    if seen is None:
        return 0.0
    found = _items(seen.scene)
    either = sum((wanted | found).values()) + 1
    both = sum((wanted & found).values()) + (background == seen.scene.background)
    share = both / either
    return min(share, 0.9) if not seen.legible else share


def told(text: str, seen: Seen) -> float | None:
    """Share of the things, settings and times a text names that are seen; None if it names none."""
    words = _WORDS.findall(text.lower())
    if not words:
        return None
    return 0.0 if seen is None else sum(_is_there(word, seen.scene) for word in words) / len(words)


def named(text: str, scene: Scene) -> float:
    """Share of a scene's items whose kind a text names."""
    kinds = {item.kind for _, item in scene.items}
    return sum(kind in text.lower() for kind in kinds) / len(kinds) if kinds else 1.0


def clearness(seen: Seen) -> float:
    """How clearly a picture is drawn."""
    if seen is None:
        return 0.0
    return grade_reading(None, (seen.scene,), seen).quality / 10


def sorts_of_change(before: Seen, after: Seen) -> int:
    """How many sorts of thing differ between two pictures; the background is one."""
    if before is None or after is None:
        return len(_KINDS)
    return len(set(_changes(before.scene, after.scene)))


def kept(pictures: Sequence[Seen]) -> float:
    """Mean share of a picture's items that the next one shows too; 1 for a single picture."""
    shares = [_kept(one, other) for one, other in pairwise(pictures)]
    return sum(shares) / len(shares) if shares else 1.0


def changing(pictures: Sequence[Seen]) -> float:
    """Share of the neighbouring pictures that differ; 1 for a single picture."""
    steps = [sorts_of_change(one, other) > 0 for one, other in pairwise(pictures)]
    return sum(steps) / len(steps) if steps else 1.0


def _items(scene: Scene) -> Counter[Item]:
    return Counter(item for _, item in scene.items)


def _kept(one: Seen, other: Seen) -> float:
    if one is None or other is None:
        return 0.0
    had = Counter(item.kind for _, item in one.scene.items)
    have = Counter(item.kind for _, item in other.scene.items)
    return sum((had & have).values()) / sum(had.values()) if had else 1.0


def _is_there(word: str, scene: Scene) -> bool:
    if word in _SETTINGS or word in TIMES:
        return scene.background.setting == _SETTINGS.get(word) or scene.background.time == word
    item = _NAMES.get(word)
    items = [what for _, what in scene.items]
    return item in items if item is not None else word in {what.kind for what in items}


def _changes(before: Scene, after: Scene) -> Iterator[str]:
    if before.background != after.background:
        yield "background"
    for place in PLACES:
        yield from _at(place, before, after)


def _at(place: Place, before: Scene, after: Scene) -> Iterator[str]:
    had, have = before.at(place), after.at(place)
    if had != have:
        yield from {what.kind for what in (had, have) if what is not None}
