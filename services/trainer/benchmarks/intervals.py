"""Bootstrap intervals of means: seeded, so that a report can be repeated.

Not here: what the numbers are (``scores``) and how they are shown (``report``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
LEVEL = 0.95
_CHUNK = 200
"""Resamples drawn at once: bounds the memory for large strata."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of ``n`` values with its percentile bootstrap interval."""

    n: int
    mean: float
    low: float
    high: float


def estimate(values: Sequence[float], *, seed: int = 0) -> Estimate | None:
    """Mean and 95 % interval; None of nothing. The order of values does not matter."""
    return stratified([values], [1.0], seed=seed)


def stratified(
    strata: Sequence[Sequence[float]], weights: Sequence[float], *, seed: int = 0
) -> Estimate | None:
    """Weighted sum of the strata's means, resampled within each stratum.

    None when a stratum is empty: its mean is unknown.

    Raises:
        ValueError: There are not as many weights as strata.
    """
    if len(strata) != len(weights):
        raise ValueError("each stratum needs one weight")
    if not strata or any(len(values) == 0 for values in strata):
        return None
    rng = np.random.default_rng(seed)
    arrays = [np.sort(np.asarray(values, dtype=np.float64)) for values in strata]
    pairs = list(zip(arrays, weights, strict=True))
    centre = sum(float(values.mean()) * weight for values, weight in pairs)
    drawn = sum(_resampled_means(values, rng) * weight for values, weight in pairs)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    count = sum(len(values) for values in arrays)
    return Estimate(count, centre, float(low), float(high))


def _resampled_means(
    values: npt.NDArray[np.float64], rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    means = [
        values[rng.integers(0, len(values), (_CHUNK, len(values)))].mean(axis=1)
        for _ in range(RESAMPLES // _CHUNK)
    ]
    return np.concatenate(means)
