"""Says a prompt's words in more ways than the templates do, for those who learn to read prompts.

A reader that has met two ways of naming a place takes each for a fixed mark and stumbles over a
third; one that has met a dozen learns that the row and the column count. What comes out is for
reading only: ``parsing`` does not understand all of it, and it keeps clear of the held-out
phrasings. Not here: the templates (``wording``).
"""

from __future__ import annotations

import re
from random import Random

from services.trainer.sketchbook.wording import COLUMN_NAMES, ROW_NAMES

_KEPT_SHARE = 0.3
"""How many prompts stay as the templates say them."""
_LEAD_SHARE = 0.25
_VERB_SHARE = 0.5
_ROW = "|".join(ROW_NAMES)
_COLUMN = "|".join(sorted(COLUMN_NAMES, key=len, reverse=True))
_PLACED = re.compile(
    rf"(?P<preposition>\b(?:in|at) )?the (?:(?P<row>{_ROW}) row, (?P<column>{_COLUMN})"
    rf"|(?P<column2>{_COLUMN}) of the (?P<row2>{_ROW}) row)\b"
)
_PREPOSITIONS = ("in", "at", "to")
_BEFORE_ROWS = ("on", "in", "at")
_FORMS = (
    "the {row} row, {column}",
    "the {row} row, {column}",
    "the {row} row at the {column}",
    "the {row} row, at the {column}",
    "the {row} row to the {column}",
    "the {row} row and the {column}",
    "the {column} in the {row} row",
    "the {column} place in the {row} row",
    "the {column} place of the {row} row",
    "{column} in the {row} row",
    "the {row} row's {column}",
)
_OF_ROW = "the {column} of the {row} row"
_OF_ROW_SHARE = 0.35
_BESIDE = re.compile(rf"\b(?:to the )?(?P<side>left|right) of (?!the (?:{_ROW}) row)")
_BESIDE_FORMS = (
    "to the {side} of ",
    "{side} of ",
    "at the {side} of ",
    "just {side} of ",
    "on the {side} side of ",
    "to the {side} side of ",
    "on the {side} hand of ",
    "next to and {side} of ",
    "one place {side} of ",
)
_UPRIGHT = {
    "above": ("over", "just above", "directly above", "one place above", "one row above"),
    "on top of": ("over", "right above", "one row above", "standing on"),
    "below": ("beneath", "just below", "directly below", "one place below"),
    "under": ("beneath", "underneath", "at the foot of", "one row below"),
}
_UPRIGHT_WORDS = re.compile(rf"\b(?:{'|'.join(_UPRIGHT)}) (?=the )")
_UPRIGHT_SHARE = 0.6
_MIDDLE_VERBS = (", set ", ", show ", ", insert ")
_LEADS = ("please ", "then ", "next, ", "here ", "now ", "after that, ", "this time ")
_HELD_OUT_STARTS = tuple(
    f"now {word}" for word in ("add", "place", "take away", "paint", "make", "move", "change")
)
_VERBS = {
    "add ": ("show ", "set ", "insert ", "bring in ", "make "),
    "put ": ("set ", "show ", "insert ", "lay "),
    "draw ": ("show ", "paint ", "make ", "sketch "),
    "place ": ("set ", "show ", "insert "),
    "remove ": ("delete ", "clear away ", "drop "),
    "erase ": ("delete ", "wipe out ", "rub out "),
    "paint ": ("colour ", "dye ", "tint "),
    "move ": ("take ", "carry ", "shift ", "push ", "slide ", "pull "),
    "bring ": ("carry ", "shift ", "push ", "slide "),
    "a picture of ": ("an image of ", "a drawing of "),
    "change the background to ": ("set the background to ", "let the background become "),
    "make the background ": ("set the background to ", "let the background become "),
}


def reworded(prompt: str, rng: Random) -> str:
    """The prompt with its places, and now and then its verb, said in another way.

    The same words mean the same picture before and after. Deterministic under ``rng``.
    """
    if rng.random() < _KEPT_SHARE:
        return prompt
    text = _BESIDE.sub(lambda found: rng.choice(_BESIDE_FORMS).format(**found.groupdict()), prompt)
    if rng.random() < _UPRIGHT_SHARE:
        text = _UPRIGHT_WORDS.sub(lambda found: _upright(found, rng), text)
    text = _PLACED.sub(lambda found: _said_otherwise(found, rng), text)
    if rng.random() < _VERB_SHARE:
        text = _other_verb(text, rng)
    if rng.random() < _LEAD_SHARE and not text.startswith(("now ", "a ", "an ", "the ")):
        text = rng.choice(_LEADS) + text
        if text.startswith(_HELD_OUT_STARTS):
            text = text.removeprefix("now ")
    return text


def _upright(found: re.Match[str], rng: Random) -> str:
    return f"{rng.choice(_UPRIGHT[found[0].strip()])} "


def _said_otherwise(found: re.Match[str], rng: Random) -> str:
    row = found["row"] or found["row2"]
    column = found["column"] or found["column2"]
    form = _OF_ROW if rng.random() < _OF_ROW_SHARE else rng.choice(_FORMS)
    words = form.format(row=row, column=column)
    if not found["preposition"]:
        return words
    fitting = _BEFORE_ROWS if words.startswith(f"the {row}") else _PREPOSITIONS
    return f"{rng.choice(fitting)} {words}"


def _other_verb(text: str, rng: Random) -> str:
    if ", add " in text:
        return text.replace(", add ", rng.choice(_MIDDLE_VERBS), 1)
    for verb, others in _VERBS.items():
        if text.startswith(verb):
            return rng.choice(others) + text.removeprefix(verb)
    return text
