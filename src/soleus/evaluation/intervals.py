"""Figures with their 95% intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lgamma

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
SEED = 20_261
Z95 = 1.96


@dataclass(frozen=True)
class Figure:
    """A mean over `n` cases with a 95% interval; NaN where there is no case."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return "none" if self.n == 0 else f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(values: Sequence[float | bool] | NDArray[np.generic], seed: int = SEED) -> Figure:
    """Mean of `values` with the percentile bootstrap interval (Efron 1979), 2,000 resamples, the same for the same
    values. Where all values are equal the bootstrap sees no spread: Wilson's interval is given for a share."""
    data = np.asarray(values, dtype=float)
    if not len(data):
        return Figure(float("nan"), float("nan"), float("nan"), 0)
    if np.ptp(data) == 0 and data[0] in (0.0, 1.0):
        return Figure(float(data[0]), *wilson(float(data[0]), len(data)), len(data))
    rows = np.random.default_rng(seed).integers(len(data), size=(RESAMPLES, len(data)))
    low, high = np.quantile(data[rows].mean(axis=1), [0.025, 0.975])
    return Figure(float(data.mean()), float(low), float(high), len(data))


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval (1927) of a share seen in n people."""
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * float(np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def clopper_pearson(seen: int, n: int, level: float = 0.95) -> float:
    """One-sided upper bound of a share (Clopper and Pearson 1934): the share with which `seen` or fewer of `n` come about with chance
    1 - `level`. By bisection of the binomial sum."""
    if seen >= n:
        return 1.0
    counts = np.arange(seen + 1)
    ways = np.array([lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for k in counts])
    low, high = seen / n, 1.0
    while high - low > 1e-12:
        share = (low + high) / 2
        chance = np.exp(ways + counts * np.log(share) + (n - counts) * np.log1p(-share)).sum()
        low, high = (share, high) if chance > 1 - level else (low, share)
    return high
