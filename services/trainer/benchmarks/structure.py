"""Whether texts and pictures come in the asked order and number; needs no judge.

Source: ISG's structure check (the idea).
"""

from __future__ import annotations

from collections.abc import Sequence


def follows(shown: Sequence[str], unit: Sequence[str], *, times: int | None) -> bool:
    """Whether ``shown`` is the unit, so many times over (None: at least once)."""
    if not unit or len(shown) % len(unit):
        return False
    repeats = len(shown) // len(unit)
    wanted = repeats if times is None else times
    return repeats == wanted >= 1 and tuple(shown) == tuple(unit) * repeats
