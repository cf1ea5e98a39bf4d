"""Understands the words that ``phrasing`` produces: text to a scene or to edits.

The patterns are compiled from the tables of ``wording``, held-out ones included. Not here:
what an edit does to a scene (``world``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from services.trainer.sketchbook import wording
from services.trainer.sketchbook.world import (
    COLOURED_KINDS,
    COLOURS,
    GLYPH_KIND,
    GLYPHS,
    KINDS,
    STAGED_KINDS,
    STAGES,
    TIMES,
    Add,
    Background,
    Beside,
    Edit,
    Grow,
    ImpossibleEditError,
    Item,
    Move,
    Place,
    Recolour,
    Ref,
    Remove,
    Scene,
    SetBackground,
    completions,
    outcomes,
)

_MAX_SCENES = 20_000


class UnknownWordingError(ValueError):
    """The text is not one the world knows how to say."""


@dataclass(frozen=True, slots=True)
class Description:
    """A scene described; an item without a place may be anywhere."""

    background: Background
    things: tuple[tuple[Item, Place | None], ...]

    def scenes(self) -> tuple[Scene, ...]:
        """Every scene that fits the description."""
        scenes = [Scene(self.background)]
        for item, place in sorted(self.things, key=lambda thing: thing[1] is None):
            steps = product(scenes, completions(item))
            scenes = [s for scene, full in steps for s in outcomes(scene, Add(full, place))]
            if len(scenes) > _MAX_SCENES:
                raise UnknownWordingError("the description leaves too much open")
        return tuple(dict.fromkeys(scenes))


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits to make one after the other."""

    edits: tuple[Edit, ...]

    def scenes(self, before: Scene) -> tuple[Scene, ...]:
        """Every scene that carrying out all edits may rightly give."""
        scenes: tuple[Scene, ...] = (before,)
        for edit in self.edits:
            reached = (after for scene in scenes for after in outcomes(scene, edit))
            scenes = tuple(dict.fromkeys(reached))
        return scenes


def _names() -> Iterator[tuple[str, Ref]]:
    """Every bare name without colour, and what it means."""
    for kind in KINDS:
        if kind == GLYPH_KIND:
            for glyph in GLYPHS:
                ref = Ref(kind, glyph=glyph)
                yield wording.thing_name(ref).lower(), ref
                yield f"digit {glyph}".lower(), ref
            continue
        yield kind, Ref(kind)
        if kind in STAGED_KINDS:
            for stage in STAGES:
                ref = Ref(kind, stage=stage)
                yield wording.thing_name(ref), ref


def _settings() -> Iterator[tuple[str, str]]:
    for setting, name in wording.SETTING_NAMES.items():
        yield name, setting
        yield name.replace("a ", "the ", 1), setting
    yield from (("a piece of paper", "paper"), ("white paper", "paper"), ("paper", "paper"))
    yield from (("a snow field", "snow"), ("a sea", "sea"))


def _one_of(words: Iterator[str] | tuple[str, ...]) -> str:
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    return "(?:" + "|".join(map(re.escape, ordered)) + ")"


_NAMES = dict(_names())
_SETTINGS = dict(_settings())
_TIMES = {phrase: time for time, phrase in wording.TIME_PHRASES.items()}
_RELATIONS = {
    words: relation
    for relation, by_split in wording.RELATION_PHRASES.items()
    for phrases in by_split.values()
    for words in phrases
}
_DIRECTIONS = {words: relation for relation, words in wording.DIRECTION_PHRASES.items()}

_ROW = _one_of(wording.ROW_NAMES)
_COLUMN = _one_of(wording.COLUMN_NAMES)
_SPOT = f"the (?:{_ROW} row,? (?:on the )?{_COLUMN}|{_COLUMN} of the {_ROW} row)"
_PLACE = f"(?:in|at|on) {_SPOT}"
_THING = f"(?:{_one_of(COLOURS)} )?{_one_of(tuple(_NAMES))}"
_ITEM = f"(?:an?|one|the(?= letter| number)) {_THING}"
_REF = f"the {_THING}(?:,? {_PLACE})?,?"
_BACKGROUND = f"{_one_of(tuple(_SETTINGS))}(?: {_one_of(tuple(_TIMES))})?"
_SLOTS = {
    "item": _ITEM,
    "place": _PLACE,
    "relation": _one_of(tuple(_RELATIONS)),
    "anchor": _REF,
    "ref": _REF,
    "thing": f"the {_THING}",
    "spot": _SPOT,
    "target": _SPOT,
    "direction": _one_of(tuple(_DIRECTIONS)),
    "colour": _one_of(COLOURS),
    "time": _one_of(TIMES),
    "background": _BACKGROUND,
}

Slots = dict[str, str]


def _spot(text: str) -> Place:
    row = next(i for i, name in enumerate(wording.ROW_NAMES) if f"{name} row" in text)
    rest = text.replace(f"{wording.ROW_NAMES[row]} row", "")
    far = "far " if "far " in rest else ""
    side = "left" if "left" in rest else "right"
    return Place(row, wording.COLUMN_NAMES.index(far + side))


def _thing(text: str) -> Ref:
    """A reference from "the red boat in the top row, left" or "a red boat"."""
    body = re.sub(r"^(?:an?|one|the) ", "", text.rstrip(","))
    placed = re.search(rf",? {_PLACE}$", body)
    place = _spot(placed[0]) if placed else None
    name = body[: placed.start()] if placed else body
    first, _, rest = name.partition(" ")
    colour = first if first in COLOURS else None
    known = _NAMES[rest if colour else name]
    if colour and known.kind not in COLOURED_KINDS:
        raise UnknownWordingError(f"a {known.kind} has no other colours")
    return Ref(known.kind, colour, known.stage, known.glyph, place)


def _item(text: str) -> Item:
    ref = _thing(text)
    stage = ref.stage or (STAGES[-1] if ref.kind in STAGED_KINDS else None)
    return Item(ref.kind, ref.colour, stage, ref.glyph)


def _background(text: str) -> SetBackground:
    name = next(n for n in sorted(_SETTINGS, key=len, reverse=True) if text.startswith(n))
    time = text.removeprefix(name).strip()
    return SetBackground(_SETTINGS[name], _TIMES[time] if time else None)


def _read_add(slots: Slots) -> Edit:
    item = _item(slots["item"])
    if "place" in slots:
        return Add(item, _spot(slots["place"]))
    if "anchor" in slots:
        return Add(item, Beside(_RELATIONS[slots["relation"]], _thing(slots["anchor"])))
    return Add(item)


def _read_move(slots: Slots) -> Edit:
    if "spot" in slots:
        ref = _thing(slots["thing"])
        ref = Ref(ref.kind, ref.colour, ref.stage, ref.glyph, _spot(slots["spot"]))
        return Move(ref, _spot(slots["target"]))
    ref = _thing(slots["ref"])
    if "target" in slots:
        return Move(ref, _spot(slots["target"]))
    if "direction" in slots:
        return Move(ref, Beside(_DIRECTIONS[slots["direction"]], ref))
    if "anchor" in slots:
        return Move(ref, Beside(_RELATIONS[slots["relation"]], _thing(slots["anchor"])))
    return Move(ref, None)


def _read_recolour(slots: Slots) -> Edit:
    ref = _thing(slots["ref"])
    if ref.kind not in COLOURED_KINDS:
        raise UnknownWordingError(f"a {ref.kind} cannot be painted")
    return Recolour(ref, slots["colour"])


def _read_grow(slots: Slots) -> Edit:
    ref = _thing(slots["ref"])
    if ref.kind not in STAGED_KINDS:
        raise UnknownWordingError(f"a {ref.kind} does not grow")
    if "item" not in slots:
        return Grow(ref)
    grown = _item(slots["item"])
    same = grown.kind == ref.kind and grown.colour in (None, ref.colour)
    stage = (grown.stage or 0) - 1
    if not same or stage < STAGES[0] or ref.stage not in (None, stage):
        raise UnknownWordingError(f"a {ref.kind} does not turn into that")
    return Grow(Ref(ref.kind, ref.colour, stage, ref.glyph, ref.place))


_READERS: tuple[tuple[wording.Templates, Callable[[Slots], Edit]], ...] = (
    (wording.ADD, _read_add),
    (wording.REMOVE, lambda slots: Remove(_thing(slots["ref"]))),
    (wording.RECOLOUR, _read_recolour),
    (wording.MOVE, _read_move),
    (wording.GROW, _read_grow),
    (wording.CHANGE_TIME, lambda slots: SetBackground(time=slots["time"])),
    (wording.CHANGE_SETTING, lambda slots: _background(slots["background"])),
)


def _pattern(template: str) -> re.Pattern[str]:
    """The pattern of a template; words about "now" are dropped from texts beforehand."""
    parts = re.split(r"\{(\w+)\}", template.removeprefix("now "))
    literals = [re.escape(part) for part in parts[::2]]
    slots = [f"(?P<{slot}>{_SLOTS[slot]})" for slot in parts[1::2]]
    slots.append("")
    return re.compile("".join(a + b for a, b in zip(literals, slots, strict=True)))


def _patterns() -> Iterator[tuple[re.Pattern[str], Callable[[Slots], Edit]]]:
    for table, reader in _READERS:
        templates = {
            t.removeprefix("now ") for by in table.values() for ts in by.values() for t in ts
        }
        yield from ((_pattern(template), reader) for template in sorted(templates))


_PATTERNS = tuple(_patterns())
_JOINER = re.compile(r",? (?:and then|and now|and|then) ")
_FRAME = re.compile(
    rf"(?:draw |paint )?(?P<empty>an empty picture of |a picture of )?(?P<background>{_BACKGROUND})"
    rf"(?:(?::| with) (?P<things>.+))?"
)
_PLACED = re.compile(rf"(?P<item>{_ITEM})(?:,? (?P<place>{_PLACE}))?(?:, and | and |, |$)")


def normalised(text: str) -> str:
    """Lower case, single spaces, no closing punctuation, no "please" and "now"."""
    plain = re.sub(r"\s+", " ", text.lower()).strip().rstrip(".!? ")
    plain = re.sub(r"^(?:please |now )+|,? please$", "", plain)
    return plain.replace("weather", "time").replace("write ", "draw ")


def parse(text: str) -> Description | Edits:
    """Understand a prompt.

    Raises:
        UnknownWordingError: The text is not one of the world's wordings.
    """
    plain = normalised(text)
    edits = _edits(plain)
    if edits:
        return Edits(edits)
    return _description(plain)


def outcomes_of(scene: Scene | None, text: str) -> tuple[Scene, ...]:
    """Every scene that carrying out a prompt may rightly give, possibly none.

    Without a scene, edits start on an empty sheet of paper: the white canvas.

    Raises:
        UnknownWordingError: The text is not one of the world's wordings.
    """
    meaning = parse(text)
    if isinstance(meaning, Description):
        return meaning.scenes()
    return meaning.scenes(scene or Scene(Background("paper")))


def parse_things(text: str) -> tuple[tuple[Item, Place | None], ...]:
    """Read "a red house in the top row, left, and a cow".

    Raises:
        UnknownWordingError: Something else stands between the items.
    """
    things: list[tuple[Item, Place | None]] = []
    at = 0
    while at < len(text):
        found = _PLACED.match(text, at)
        if found is None:
            raise UnknownWordingError(f"not understood: {text[at:]!r}")
        place = _spot(found["place"]) if found["place"] else None
        things.append((_item(found["item"]), place))
        at = found.end()
    return tuple(things)


def parse_background(text: str) -> Background:
    """Read "a meadow at night"; without a time it is day.

    Raises:
        UnknownWordingError: The text is no background.
    """
    if re.fullmatch(_BACKGROUND, text) is None:
        raise UnknownWordingError(f"not a background: {text!r}")
    read = _background(text)
    time = "day" if read.setting == "paper" else read.time or "day"
    return Background(read.setting or "paper", time)


def _description(plain: str) -> Description:
    frame = _FRAME.fullmatch(plain)
    if frame is None:
        raise UnknownWordingError(f"not understood: {plain!r}")
    background = parse_background(frame["background"])
    things = frame["things"]
    if things is None or things == "nothing in it":
        return Description(background, ())
    return Description(background, parse_things(things))


def _edit(plain: str) -> Edit | None:
    for pattern, reader in _PATTERNS:
        found = pattern.fullmatch(plain)
        if found is not None:
            try:
                return reader(found.groupdict())
            except (UnknownWordingError, ImpossibleEditError):
                continue
    return None


def _edits(plain: str) -> tuple[Edit, ...]:
    """The edits of a text, or none; tries every way to cut it in two."""
    single = _edit(plain)
    if single is not None:
        return (single,)
    for joiner in _JOINER.finditer(plain):
        first = _edit(plain[: joiner.start()])
        if first is None:
            continue
        tail = plain[joiner.end() :]
        rest = _edits(tail) or (_edits(f"add {tail}") if isinstance(first, Add) else ())
        if rest:
            return (first, *rest)
    return ()
