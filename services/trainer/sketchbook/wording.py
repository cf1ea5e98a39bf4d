"""The words of the Sketchbook world: names of places, things and backgrounds, and templates.

Here live only tables and the noun phrases built from them. Not here: choosing among templates
(``phrasing``) and understanding text (``parsing``), which compiles its patterns from these very
tables, so that whatever can be said can be understood.
"""

from __future__ import annotations

from enum import StrEnum

from services.trainer.sketchbook.world import Background, Item, Place, Ref, Relation


class Split(StrEnum):
    """Which phrasings may be used: those for training, or those kept back for measuring."""

    TRAIN = "train"
    HELDOUT = "heldout"


class Style(StrEnum):
    """How exactly an edit is worded."""

    PRECISE = "precise"
    RELATIVE = "relative"
    VAGUE = "vague"


ROW_NAMES = ("top", "upper", "lower", "bottom")
COLUMN_NAMES = ("far left", "left", "right", "far right")
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")

STAGE_NAMES = {
    "tree": ("seedling", "young tree", "big tree"),
    "flower": ("flower sprout", "flower bud", "flower in bloom"),
    "snowman": ("snowball", "half-built snowman", "finished snowman"),
    "moon": ("crescent moon", "half moon", "full moon"),
}
SETTING_NAMES = {
    "meadow": "a meadow",
    "beach": "a beach",
    "sea": "the sea",
    "snow": "a snowy field",
    "desert": "a desert",
    "town": "a town",
    "paper": "a sheet of paper",
}
TIME_PHRASES = {
    "morning": "in the morning",
    "day": "by day",
    "evening": "in the evening",
    "night": "at night",
    "rain": "in the rain",
}
RELATION_PHRASES = {
    Relation.LEFT_OF: {
        Split.TRAIN: ("to the left of", "left of"),
        Split.HELDOUT: ("on the left of",),
    },
    Relation.RIGHT_OF: {
        Split.TRAIN: ("to the right of", "right of"),
        Split.HELDOUT: ("on the right of",),
    },
    Relation.ABOVE: {Split.TRAIN: ("above", "on top of"), Split.HELDOUT: ("on top of",)},
    Relation.BELOW: {Split.TRAIN: ("below", "under"), Split.HELDOUT: ("under",)},
}  # fmt: skip
DIRECTION_PHRASES = {
    Relation.LEFT_OF: "to the left",
    Relation.RIGHT_OF: "to the right",
    Relation.ABOVE: "up",
    Relation.BELOW: "down",
}

PLACE_NAMES = {
    Split.TRAIN: (("in", "the {row} row, {column}"), ("at", "the {column} of the {row} row")),
    Split.HELDOUT: (("in", "the {row} row on the {column}"),
                    ("on", "the {column} of the {row} row")),
}  # fmt: skip
"""Preposition and noun phrase of a place."""

Templates = dict[Style, dict[Split, tuple[str, ...]]]

ADD: Templates = {
    Style.PRECISE: {
        Split.TRAIN: (
            "add {item} {place}", "put {item} {place}", "draw {item} {place}",
            "place {item} {place}", "{place}, add {item}", "now put {item} {place}",
        ),
        Split.HELDOUT: ("{place}, draw {item}", "now add {item} {place}", "{place}, put {item}"),
    },
    Style.RELATIVE: {
        Split.TRAIN: (
            "add {item} {relation} {anchor}", "put {item} {relation} {anchor}",
            "draw {item} {relation} {anchor}", "{relation} {anchor}, add {item}",
        ),
        Split.HELDOUT: (
            "{relation} {anchor}, put {item}", "now place {item} {relation} {anchor}",
        ),
    },
    Style.VAGUE: {
        Split.TRAIN: ("add {item}", "draw {item}", "put in {item}", "add {item} to the picture"),
        Split.HELDOUT: ("put {item} in the picture", "now add {item}"),
    },
}  # fmt: skip
_REMOVE = {
    Split.TRAIN: ("remove {ref}", "take away {ref}", "erase {ref}", "take out {ref}",
                  "from the picture, remove {ref}"),
    Split.HELDOUT: ("from the picture, erase {ref}", "now take away {ref}",
                    "from the picture, take out {ref}"),
}  # fmt: skip
REMOVE: Templates = dict.fromkeys(Style, _REMOVE)
_RECOLOUR = {
    Split.TRAIN: (
        "paint {ref} {colour}", "make {ref} {colour}", "change {ref} to {colour}",
        "turn {ref} {colour}", "change the colour of {ref} to {colour}",
    ),
    Split.HELDOUT: ("now paint {ref} {colour}", "turn the colour of {ref} to {colour}",
                    "paint {ref} in {colour}"),
}  # fmt: skip
RECOLOUR: Templates = dict.fromkeys(Style, _RECOLOUR)
MOVE: Templates = {
    Style.PRECISE: {
        Split.TRAIN: (
            "move {thing} from {spot} to {target}", "bring {thing} from {spot} to {target}",
            "take {thing} from {spot} to {target}", "move {ref} to {target}",
        ),
        Split.HELDOUT: ("now move {thing} from {spot} to {target}", "bring {ref} to {target}"),
    },
    Style.RELATIVE: {
        Split.TRAIN: (
            "move {ref} {relation} {anchor}", "put {ref} {relation} {anchor}",
            "move {ref} one place {direction}",
        ),
        Split.HELDOUT: ("bring {ref} {relation} {anchor}", "bring {ref} one place {direction}"),
    },
    Style.VAGUE: {
        Split.TRAIN: ("move {ref} to another place", "bring {ref} to another place",
                      "move {ref} somewhere else"),
        Split.HELDOUT: ("bring {ref} somewhere else", "now move {ref} to another place"),
    },
}  # fmt: skip
_GROW = {
    Split.TRAIN: ("let {ref} grow", "make {ref} grow", "grow {ref}"),
    Split.HELDOUT: ("now let {ref} grow", "now make {ref} grow"),
}
GROW: Templates = {
    Style.PRECISE: {
        Split.TRAIN: ("let {ref} grow into {item}", "turn {ref} into {item}",
                      "grow {ref} into {item}"),
        Split.HELDOUT: ("make {ref} grow into {item}", "change {ref} into {item}"),
    },
    Style.RELATIVE: _GROW,
    Style.VAGUE: _GROW,
}  # fmt: skip
_CHANGE_TIME = {
    Split.TRAIN: ("make it {time}", "change the time to {time}", "let it be {time}",
                  "turn the time to {time}"),
    Split.HELDOUT: ("now make it {time}", "turn it to {time}", "now change the time to {time}"),
}  # fmt: skip
CHANGE_TIME: Templates = dict.fromkeys(Style, _CHANGE_TIME)
_CHANGE_SETTING = {
    Split.TRAIN: ("change the background to {background}", "make the background {background}",
                  "let the background be {background}", "turn the background to {background}"),
    Split.HELDOUT: ("now make the background {background}",
                    "turn the background into {background}"),
}  # fmt: skip
CHANGE_SETTING: Templates = dict.fromkeys(Style, _CHANGE_SETTING)
ALL_TEMPLATES = (ADD, REMOVE, RECOLOUR, MOVE, GROW, CHANGE_TIME, CHANGE_SETTING)

JOINERS = {
    Split.TRAIN: (" and ", ", then ", " and then "),
    Split.HELDOUT: (", and then ", ", and "),
}
DESCRIPTIONS = {
    Split.TRAIN: ("{background} with {things}", "{background}: {things}",
                  "draw {background} with {things}", "a picture of {background} with {things}"),
    Split.HELDOUT: ("draw {background}: {things}", "draw a picture of {background} with {things}",
                    "a picture of {background}: {things}"),
}  # fmt: skip
EMPTY_DESCRIPTIONS = {
    Split.TRAIN: ("an empty picture of {background}", "{background} with nothing in it",
                  "draw {background} with nothing in it"),
    Split.HELDOUT: ("draw an empty picture of {background}",
                    "a picture of {background} with nothing in it"),
}  # fmt: skip


def article(name: str) -> str:
    """The name with "a" or "an" before it."""
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def thing_name(thing: Item | Ref) -> str:
    """The bare name of an item or reference: "red house", "young tree", "letter A"."""
    if thing.glyph is not None:
        return f"{'number' if thing.glyph.isdigit() else 'letter'} {thing.glyph}"
    name = thing.kind if thing.stage is None else STAGE_NAMES[thing.kind][thing.stage - 1]
    return name if thing.colour is None else f"{thing.colour} {name}"


def item_phrase(item: Item) -> str:
    """An item with its article: "a red house"."""
    return article(thing_name(item))


def plural(name: str) -> str:
    """The plural of a thing's name."""
    head, bloom, tail = name.partition(" in bloom")
    if head.endswith("man"):
        head = head.removesuffix("man") + "men"
    elif not head.endswith("fish"):
        head += "s"
    return head + bloom + tail


def spot_phrase(place: Place, form: str) -> str:
    """A place in one of the forms of ``PLACE_NAMES``."""
    return form.format(row=ROW_NAMES[place.row], column=COLUMN_NAMES[place.column])


def background_phrase(background: Background, *, say_day: bool = True) -> str:
    """A background: "a meadow at night"; plain day may be left out, paper has no time."""
    name = SETTING_NAMES[background.setting]
    if background.setting == "paper" or (background.time == "day" and not say_day):
        return name
    return f"{name} {TIME_PHRASES[background.time]}"
