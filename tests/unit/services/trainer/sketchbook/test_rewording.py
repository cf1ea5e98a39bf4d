"""Rewording keeps the meaning, varies the form, and stays clear of the held-out phrasings."""

from __future__ import annotations

import re
from random import Random

from services.trainer.sketchbook import wording
from services.trainer.sketchbook.rewording import reworded
from services.trainer.sketchbook.samples import generator_sample
from services.trainer.sketchbook.wording import Split

_ROW = "(?:" + "|".join(wording.ROW_NAMES) + ")"
_COLUMN = "(?:far left|left|right|far right)"


def _prompts(count: int) -> list[tuple[str, str]]:
    rng = Random("rewording")
    drawn = [generator_sample(rng, Split.TRAIN).prompt for _ in range(count)]
    return [(prompt, reworded(prompt, rng)) for prompt in drawn]


def _places(text: str) -> list[tuple[str, str]]:
    pattern = (
        rf"({_ROW}) row\W*(?:s |at |to |and |the )*({_COLUMN})|({_COLUMN})\W[a-z ]*?({_ROW}) row"
    )
    return [(a or d, b or c) for a, b, c, d in re.findall(pattern, text)]


def test_most_prompts_with_places_are_said_otherwise() -> None:
    changed = [before != after for before, after in _prompts(400) if " row" in before]
    assert 0.5 < sum(changed) / len(changed) < 0.95


def test_every_row_and_column_named_before_is_named_after() -> None:
    for before, after in _prompts(400):
        was, now = (text.replace("on top of", "above") for text in (before, after))
        for word in ("top", "upper", "lower", "bottom", "far left", "far right"):
            assert was.count(word) == now.count(word), (before, after)


def test_a_place_keeps_its_row_with_its_column() -> None:
    rng = Random(3)
    for row in wording.ROW_NAMES:
        for column in wording.COLUMN_NAMES:
            said = {reworded(f"put a cow in the {row} row, {column}", rng) for _ in range(60)}
            assert len(said) > 12
            assert all(_places(text) == [(row, column)] for text in said), said


def test_no_held_out_place_or_opening_is_ever_said() -> None:
    held_out = re.compile(
        rf"\bon the {_COLUMN} of the {_ROW} row|{_ROW} row,? on the (?!\w+ side)"
        "|^now (?:add|take away|move|paint)"
    )
    assert not [after for _, after in _prompts(3000) if held_out.search(after)]


def test_the_same_seed_says_the_same() -> None:
    prompt = "add a red house in the top row, far left"
    assert [reworded(prompt, Random(n)) for n in range(20)] == [
        reworded(prompt, Random(n)) for n in range(20)
    ]
