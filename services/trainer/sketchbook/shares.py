"""A measured share with the number of cases behind it and its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """``value`` of ``n`` cases; ``low`` and ``high`` bound it with 95 % confidence."""

    value: float
    n: int
    low: float
    high: float

    @staticmethod
    def of(outcomes: Sequence[bool]) -> Share:
        """The share of true outcomes.

        Source: E. B. Wilson, Probable inference, the law of succession, and statistical
        inference, 1927 (the score interval, which behaves at 0 and 1).
        """
        n = len(outcomes)
        if n == 0:
            return Share(0.0, 0, 0.0, 1.0)
        share = sum(outcomes) / n
        spread = _Z_95**2 / n
        middle = (share + spread / 2) / (1 + spread)
        half = _Z_95 / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
        return Share(share, n, max(0.0, middle - half), min(1.0, middle + half))
