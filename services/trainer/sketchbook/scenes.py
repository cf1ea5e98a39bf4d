"""Random scenes and edits of the Sketchbook world.

Everything is drawn from a ``random.Random`` and so can be repeated from a seed. Not here: the
samples made of them (``samples``) and how edits go wrong (``failures``).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from services.trainer.sketchbook.phrasing import exact_ref
from services.trainer.sketchbook.world import (
    BACKGROUNDS,
    COLOURED_KINDS,
    COLOURS,
    GLYPH_KIND,
    GLYPHS,
    KINDS,
    SETTINGS,
    STAGED_KINDS,
    STAGES,
    TIMES,
    Add,
    Edit,
    Grow,
    Item,
    Move,
    Place,
    Recolour,
    Remove,
    Scene,
    SetBackground,
)

_NATURAL_ROW_SHARE = 0.7
_SKY_KINDS = frozenset({"sun", "moon", "star", "cloud", "bird", "balloon", "kite", "bee"})
_SKY_ROWS, _GROUND_ROWS, _ALL_ROWS = (0, 1), (2, 3), (0, 1, 2, 3)


def natural_rows(kind: str) -> tuple[int, ...]:
    """The rows in which a kind of thing is usually found."""
    if kind == GLYPH_KIND:
        return _ALL_ROWS
    return _SKY_ROWS if kind in _SKY_KINDS else _GROUND_ROWS


def sample_item(rng: Random, kind: str | None = None) -> Item:
    """A random item, each kind equally likely."""
    kind = kind or rng.choice(KINDS)
    return Item(
        kind,
        colour=rng.choice(COLOURS) if kind in COLOURED_KINDS else None,
        stage=rng.choice(STAGES) if kind in STAGED_KINDS else None,
        glyph=rng.choice(GLYPHS) if kind == GLYPH_KIND else None,
    )


def sample_free_place(scene: Scene, kind: str, rng: Random) -> Place:
    """A free place, mostly in the kind's natural rows."""
    free = scene.free_places()
    natural = [place for place in free if place.row in natural_rows(kind)]
    if natural and rng.random() < _NATURAL_ROW_SHARE:
        return rng.choice(natural)
    return rng.choice(free)


def standard_place(scene: Scene, kind: str) -> Place:
    """The place a sensible draughtsman takes when none was named; always the same one."""
    free = scene.free_places()
    rows = natural_rows(kind)
    order = (0, 1) if rows == _SKY_ROWS else (3, 2)
    for row in (*order, *(r for r in _ALL_ROWS if r not in order)):
        for column in (1, 2, 0, 3):
            if Place(row, column) in free:
                return Place(row, column)
    raise ValueError("the scene is full")


def sample_scene(rng: Random, max_items: int = 6, min_items: int = 0) -> Scene:
    """A random scene; now and then an item comes twice, as real pictures have it."""
    scene = Scene(rng.choice(BACKGROUNDS))
    for _ in range(rng.randint(min_items, max_items)):
        again = scene.items and rng.random() < 0.15
        item = rng.choice(scene.items)[1] if again else sample_item(rng)
        scene = scene.with_item(sample_free_place(scene, item.kind, rng), item)
    return scene


def _sample_add(scene: Scene, rng: Random) -> Edit | None:
    if not scene.free_places():
        return None
    item = sample_item(rng)
    return Add(item, sample_free_place(scene, item.kind, rng))


def _some(scene: Scene, rng: Random, fits: Callable[[Item], bool]) -> tuple[Place, Item] | None:
    fitting = [(place, item) for place, item in scene.items if fits(item)]
    return rng.choice(fitting) if fitting else None


def _sample_remove(scene: Scene, rng: Random) -> Edit | None:
    found = _some(scene, rng, lambda _item: True)
    return Remove(exact_ref(*found)) if found else None


def _sample_recolour(scene: Scene, rng: Random) -> Edit | None:
    found = _some(scene, rng, lambda item: item.colour is not None)
    if not found:
        return None
    others = [colour for colour in COLOURS if colour != found[1].colour]
    return Recolour(exact_ref(*found), rng.choice(others))


def _sample_move(scene: Scene, rng: Random) -> Edit | None:
    found = _some(scene, rng, lambda _item: True)
    if not found or not scene.free_places():
        return None
    near = [p for p in scene.free_places()
            if abs(p.row - found[0].row) + abs(p.column - found[0].column) == 1]  # fmt: skip
    if near and rng.random() < 0.5:
        return Move(exact_ref(*found), rng.choice(near))
    return Move(exact_ref(*found), sample_free_place(scene, found[1].kind, rng))


def _sample_grow(scene: Scene, rng: Random) -> Edit | None:
    found = _some(scene, rng, lambda item: (item.stage or STAGES[-1]) < STAGES[-1])
    return Grow(exact_ref(*found)) if found else None


def _sample_background(scene: Scene, rng: Random) -> Edit | None:
    now = scene.background
    if now.setting != "paper" and rng.random() < 0.5:
        return SetBackground(time=rng.choice([time for time in TIMES if time != now.time]))
    setting = rng.choice([name for name in SETTINGS if name != now.setting])
    both = setting != "paper" and rng.random() < 0.5
    return SetBackground(setting, rng.choice(TIMES) if both else None)


_EDIT_SAMPLERS: tuple[tuple[Callable[[Scene, Random], Edit | None], float], ...] = (
    (_sample_add, 0.30),
    (_sample_remove, 0.12),
    (_sample_recolour, 0.15),
    (_sample_move, 0.16),
    (_sample_grow, 0.12),
    (_sample_background, 0.15),
)


def sample_edit(scene: Scene, rng: Random) -> Edit:
    """A definite edit that can be carried out and changes the scene."""
    samplers, weights = zip(*_EDIT_SAMPLERS, strict=True)
    while True:
        (sampler,) = rng.choices(samplers, weights)
        edit = sampler(scene, rng)
        if edit is not None:
            return edit


def sample_editable_scene(rng: Random, max_items: int = 6) -> Scene:
    """A scene with an item in it most of the time, and often one that can still grow."""
    scene = sample_scene(rng, max_items, min_items=0 if rng.random() < 0.1 else 1)
    if rng.random() < 0.25 and len(scene.items) < max_items:
        kind = rng.choice(STAGED_KINDS)
        item = Item(kind, rng.choice(COLOURS) if kind in COLOURED_KINDS else None,
                    rng.choice(STAGES[:-1]))  # fmt: skip
        scene = scene.with_item(sample_free_place(scene, kind, rng), item)
    return scene
