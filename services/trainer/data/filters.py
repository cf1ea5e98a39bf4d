"""Which steps and attempts are worth learning from, and for what: pure decisions on scores.

Steps with falling or persistently low scores are left out; those whose scores vary much go to RL,
the others to SFT; among the attempts of each number, verdicts are balanced. Not here: making
scores (``scoring``) and rows (``critic_rows``).

Source: InterleaveThinker, critic data. The thresholds are settings: the paper gives none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from enum import StrEnum
from random import Random
from statistics import pvariance
from typing import TypeVar

from pydantic import Field

from shared.contracts.wire import Wire

Row = TypeVar("Row")


class Fate(StrEnum):
    """What becomes of a step."""

    SFT = "sft"
    RL = "rl"
    FALLING = "falling"
    LOW = "low"
    UNSCORED = "unscored"

    @property
    def kept(self) -> bool:
        """Whether anything is learned from it."""
        return self in {Fate.SFT, Fate.RL}


class Thresholds(Wire):
    """Where the lines are drawn; scores are 0 to 10."""

    filtered: bool = True
    """False: no step is left out (the ablation on unfiltered data); variance still divides."""
    fall: float = Field(default=1.0, ge=0)
    """Falling: the last attempt scores this much below the first, or more."""
    low: float = Field(default=3.0, ge=0, le=10)
    """Persistently low: no attempt scores above this."""
    variance: float = Field(default=1.0, ge=0)
    """Scores whose variance is at least this go to RL."""
    agreement: bool = False
    """Also leave out attempts whose verdict is not what the score's exact success says.
    Not published; only Sketchbook knows the exact success."""
    balance: bool = True
    """Balance true and false verdicts, for SFT per attempt number, for RL over all."""


def fate(scores: Sequence[float | None], limits: Thresholds) -> Fate:
    """What becomes of a step whose attempts have these overall scores, in order."""
    known = [score for score in scores if score is not None]
    if len(known) < len(scores) or not known:
        return Fate.UNSCORED
    if limits.filtered and len(known) > 1 and known[0] - known[-1] >= limits.fall:
        return Fate.FALLING
    if limits.filtered and max(known) <= limits.low:
        return Fate.LOW
    return Fate.RL if pvariance(known) >= limits.variance else Fate.SFT


def balanced(
    rows: Sequence[Row],
    *,
    number: Callable[[Row], int],
    verdict: Callable[[Row], bool],
    rng: Random,
) -> list[Row]:
    """As many true as false verdicts for each attempt number; the order is kept.

    A number that has only one kind of verdict loses all its rows.
    """
    groups: dict[int, dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for place, row in enumerate(rows):
        groups[number(row)][verdict(row)].append(place)
    kept: set[int] = set()
    for group in groups.values():
        fewer = min(len(places) for places in group.values())
        for places in group.values():
            kept.update(rng.sample(places, fewer))
    return [row for place, row in enumerate(rows) if place in kept]


def verdict_counts(
    rows: Sequence[Row], *, number: Callable[[Row], int], verdict: Callable[[Row], bool]
) -> dict[str, int]:
    """How many rows of each attempt number have which verdict, as ``"1 true"``."""
    found = Counter(f"{number(row)} {str(verdict(row)).lower()}" for row in rows)
    return dict(sorted(found.items()))
