"""Marks for single pictures and criteria: UEval, WISE, RISEBench.

Not here: whole documents (``documents``).
"""

from __future__ import annotations

from collections.abc import Callable

from services.trainer.benchmarks.rehearsal.asked import Asked, Reply
from services.trainer.benchmarks.rehearsal.looking import (
    agreement,
    clearness,
    sorts_of_change,
    told,
)

_HALF = 0.5
_GOOD = 0.9


def rubric(asked: Asked) -> Reply:
    """Whether a criterion of a ``samples`` rubric is met."""
    criterion = asked.after("Criterion:")
    for start, check in _RUBRICS.items():
        if criterion.startswith(start):
            return {"criteria_met": check(criterion.removeprefix(start).strip(), asked)}
    return {"criteria_met": "not sure"}


def _mentions(rest: str, asked: Asked) -> bool:
    return rest.rstrip(".").lower() in asked.after("Answer in text:").lower()


def _many(rest: str, asked: Asked) -> bool:
    return len(asked.pictures) >= int(rest.split(maxsplit=1)[0])


def _last(rest: str, asked: Asked) -> bool:
    return agreement(rest, asked.pictures[-1]) == 1.0


def _every(rest: str, asked: Asked) -> bool:
    return all(told(rest, seen) == 1.0 for seen in asked.pictures)


_RUBRICS: dict[str, Callable[[str, Asked], bool]] = {
    "The text mentions": _mentions,
    "There are at least": _many,
    "The last picture shows:": _last,
    "Every picture shows": _every,
}


def wise(asked: Asked) -> Reply:
    """The legacy edition's three marks."""
    share = agreement(asked.after("What is meant:"), asked.pictures[-1]) or 0.0
    clear = clearness(asked.pictures[-1])
    steps = [share, 1.0 if asked.pictures[-1] and asked.pictures[-1].legible else clear, clear]
    marks = [2 if s >= (1.0 if i == 0 else _GOOD) else int(s >= _HALF) for i, s in enumerate(steps)]
    return dict(zip(("consistency", "realism", "aesthetics"), marks, strict=True))


def wise_verified(asked: Asked) -> Reply:
    """Right or not."""
    return {"correct": int(agreement(asked.after("What is meant:"), asked.pictures[-1]) == 1.0)}


def rise_consistency(asked: Asked) -> Reply:
    """How little else changed."""
    changes = sorts_of_change(asked.pictures[0], asked.pictures[-1])
    return _rise(asked, max(0.0, 1 - max(0, changes - 1) / 4))


def rise_reasoning(asked: Asked) -> Reply:
    """How far the result is what the reference says or shows."""
    words = asked.after("The reference:")
    if words:
        return _rise(asked, agreement(words, asked.pictures[-1]) or 0.0)
    return _rise(asked, max(0.0, 1 - sorts_of_change(asked.pictures[0], asked.pictures[-1]) / 4))


def rise_plausibility(asked: Asked) -> Reply:
    """How well it is drawn."""
    seen = asked.pictures[-1]
    return _rise(asked, 1.0 if seen is not None and seen.legible else clearness(seen))


def _rise(asked: Asked, share: float) -> Reply:
    if "else 0" in asked.system:
        return {"score": int(share >= 1)}
    return {"score": 5 if share >= _GOOD + 0.05 else 1 + int(4 * share)}
