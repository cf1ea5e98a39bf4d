"""The Sketchbook world as data: places, items, backgrounds, scenes and edits.

Here live the vocabulary of the world and the pure function that applies an edit to a scene.
Not here: how a scene looks (``renderer``), how a picture is read back (``grader``) and how
scenes and edits are put into words (``language``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

GRID = 4
"""Places per side."""
PLACE_PX = 32
"""Side of one place in pixels."""
PICTURE_PX = GRID * PLACE_PX
"""Side of a picture in pixels."""

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
STAGES = (1, 2, 3)

COLOURED_KINDS = (
    "house", "boat", "car", "block", "ball", "balloon",
    "umbrella", "cat", "fish", "bird", "kite", "flower",
)  # fmt: skip
STAGED_KINDS = ("tree", "flower", "snowman", "moon")
PLAIN_KINDS = ("sun", "cloud", "star", "cow", "dog", "hen", "bee", "apple", "mushroom")
GLYPHS = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
GLYPH_KIND = "glyph"
KINDS = tuple(dict.fromkeys((*COLOURED_KINDS, *STAGED_KINDS, *PLAIN_KINDS, GLYPH_KIND)))

SETTINGS = ("meadow", "beach", "sea", "snow", "desert", "town", "paper")
TIMES = ("morning", "day", "evening", "night", "rain")


class ImpossibleEditError(ValueError):
    """The edit names something that is not there, or a place that is taken."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One of the 4 x 4 places; row 0 is the top, column 0 the far left."""

    row: int
    column: int

    def __post_init__(self) -> None:
        """Refuse a place outside the grid."""
        if not (0 <= self.row < GRID and 0 <= self.column < GRID):
            raise ImpossibleEditError(f"no place at row {self.row}, column {self.column}")

    def moved(self, rows: int, columns: int) -> Place:
        """The place so many rows down and columns to the right of this one."""
        return Place(self.row + rows, self.column + columns)


PLACES = tuple(Place(row, column) for row in range(GRID) for column in range(GRID))


@dataclass(frozen=True, slots=True)
class Background:
    """A setting at a time of day (or in the rain). Paper knows only ``day``."""

    setting: str
    time: str = "day"


BACKGROUNDS = tuple(
    Background(setting, time)
    for setting in SETTINGS
    for time in TIMES
    if setting != "paper" or time == "day"
)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing in a place.

    ``colour`` is set for the kinds in ``COLOURED_KINDS``, ``stage`` (1 to 3) for those in
    ``STAGED_KINDS`` (flower has both), ``glyph`` for written digits and capital letters;
    otherwise each is None.
    """

    kind: str
    colour: str | None = None
    stage: int | None = None
    glyph: str | None = None


def all_items() -> Iterator[Item]:
    """Every distinct item of the world, in a fixed order."""
    for kind in KINDS:
        if kind == GLYPH_KIND:
            yield from (Item(kind, glyph=glyph) for glyph in GLYPHS)
            continue
        for colour in COLOURS if kind in COLOURED_KINDS else (None,):
            for stage in STAGES if kind in STAGED_KINDS else (None,):
                yield Item(kind, colour=colour, stage=stage)


def completions(item: Item) -> tuple[Item, ...]:
    """The item itself, or one in every colour where its colour was left open."""
    if item.colour is None and item.kind in COLOURED_KINDS:
        return tuple(replace(item, colour=colour) for colour in COLOURS)
    return (item,)


@dataclass(frozen=True, slots=True)
class Scene:
    """A background and the items on it; ``items`` is sorted by place, one item a place."""

    background: Background
    items: tuple[tuple[Place, Item], ...] = ()

    @staticmethod
    def of(background: Background, items: dict[Place, Item]) -> Scene:
        """Build a scene from a mapping of places to items."""
        return Scene(background, tuple(sorted(items.items(), key=lambda pair: pair[0])))

    def at(self, place: Place) -> Item | None:
        """The item in a place, or None."""
        return dict(self.items).get(place)

    def free_places(self) -> tuple[Place, ...]:
        """The places that hold nothing."""
        taken = dict(self.items)
        return tuple(place for place in PLACES if place not in taken)

    def with_item(self, place: Place, item: Item | None) -> Scene:
        """The same scene with a place filled (or emptied with None)."""
        items = {where: what for where, what in self.items if where != place}
        if item is not None:
            items[place] = item
        return Scene.of(self.background, items)


@dataclass(frozen=True, slots=True)
class Ref:
    """Words that point at an item of a scene; each field that is None matches anything."""

    kind: str
    colour: str | None = None
    stage: int | None = None
    glyph: str | None = None
    place: Place | None = None

    def matches(self, place: Place, item: Item) -> bool:
        """Whether the item in the place is one this reference may mean."""
        wanted = (self.kind, self.colour, self.stage, self.glyph, self.place)
        found = (item.kind, item.colour, item.stage, item.glyph, place)
        return all(want is None or want == have for want, have in zip(wanted, found, strict=True))

    def find(self, scene: Scene) -> tuple[Place, ...]:
        """Every place of the scene the reference may mean."""
        return tuple(place for place, item in scene.items if self.matches(place, item))


class Relation(StrEnum):
    """How a place lies to a reference item."""

    LEFT_OF = "left_of"
    RIGHT_OF = "right_of"
    ABOVE = "above"
    BELOW = "below"


_OFFSETS = {
    Relation.LEFT_OF: (0, -1),
    Relation.RIGHT_OF: (0, 1),
    Relation.ABOVE: (-1, 0),
    Relation.BELOW: (1, 0),
}


@dataclass(frozen=True, slots=True)
class Beside:
    """The place next to a reference item."""

    relation: Relation
    ref: Ref


Where = Place | Beside | None
"""A fixed place, a relative one, or None for any free place."""


@dataclass(frozen=True, slots=True)
class Add:
    """Put a new item into a free place."""

    item: Item
    where: Where = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take an item away."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Recolour:
    """Paint an item in another colour."""

    ref: Ref
    colour: str


@dataclass(frozen=True, slots=True)
class Move:
    """Bring an item to a free place."""

    ref: Ref
    where: Where


@dataclass(frozen=True, slots=True)
class Grow:
    """Raise an item's stage by one."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class SetBackground:
    """Change the setting, the time, or both; None leaves that one as it is."""

    setting: str | None = None
    time: str | None = None


Edit = Add | Remove | Recolour | Move | Grow | SetBackground


def places_meant(scene: Scene, where: Where) -> tuple[Place, ...]:
    """The free places that a ``Where`` may mean in a scene, possibly none."""
    free = scene.free_places()
    if where is None:
        return free
    if isinstance(where, Place):
        return (where,) if where in free else ()
    rows, columns = _OFFSETS[where.relation]
    meant: list[Place] = []
    for anchor in where.ref.find(scene):
        row, column = anchor.row + rows, anchor.column + columns
        if 0 <= row < GRID and 0 <= column < GRID and Place(row, column) in free:
            meant.append(Place(row, column))
    return tuple(meant)


def anchor_of(place: Place, relation: Relation) -> Place:
    """The place that a place lies beside."""
    rows, columns = _OFFSETS[relation]
    return place.moved(-rows, -columns)


def outcomes(scene: Scene, edit: Edit) -> tuple[Scene, ...]:
    """Every scene that carrying out the edit may rightly give.

    A precise edit has exactly one outcome; a vague one ("add a tree") has several; an edit
    that cannot be done has none.
    """
    match edit:
        case Add(item, where):
            places = places_meant(scene, where)
            return tuple(scene.with_item(p, full) for full in completions(item) for p in places)
        case Remove(ref):
            return tuple(scene.with_item(place, None) for place in ref.find(scene))
        case Recolour(ref, colour):
            return tuple(_changed(scene, place, colour=colour) for place in ref.find(scene)
                         if _item_at(scene, place).kind in COLOURED_KINDS)  # fmt: skip
        case Grow(ref):
            return tuple(_grown(scene, place) for place in ref.find(scene)
                         if (_item_at(scene, place).stage or STAGES[-1]) < STAGES[-1])  # fmt: skip
        case Move(ref, where):
            return tuple(_moves(scene, ref, where))
        case SetBackground(setting, time):
            return (_set_background(scene, setting, time),)


def apply(scene: Scene, edit: Edit) -> Scene:
    """The first outcome of an edit.

    Raises:
        ImpossibleEditError: The edit cannot be carried out in this scene.
    """
    possible = outcomes(scene, edit)
    if not possible:
        raise ImpossibleEditError(f"{edit} cannot be done here")
    return possible[0]


def _item_at(scene: Scene, place: Place) -> Item:
    item = scene.at(place)
    if item is None:
        raise ImpossibleEditError(f"nothing at {place}")
    return item


def _changed(scene: Scene, place: Place, *, colour: str) -> Scene:
    return scene.with_item(place, replace(_item_at(scene, place), colour=colour))


def _grown(scene: Scene, place: Place) -> Scene:
    item = _item_at(scene, place)
    return scene.with_item(place, replace(item, stage=(item.stage or 0) + 1))


def _moves(scene: Scene, ref: Ref, where: Where) -> Iterator[Scene]:
    for source in ref.find(scene):
        item = _item_at(scene, source)
        for target in places_meant(scene, where):
            yield scene.with_item(source, None).with_item(target, item)


def _set_background(scene: Scene, setting: str | None, time: str | None) -> Scene:
    new_setting = setting or scene.background.setting
    new_time = "day" if new_setting == "paper" else (time or scene.background.time)
    return replace(scene, background=Background(new_setting, new_time))
