"""How sure each number is, and draws from that uncertainty.

A share p seen in n people has, after the gamma form of the Dirichlet distribution, a logarithm with a
spread of about 1 / sqrt(n p); so each state's logarithm gets a normal error of that size, and the
states are brought back to sum to one. For a yes/no finding this is the large-sample normal form of
the Beta distribution on the log-odds scale: variance 1 / (n p (1 - p)).

A judgement's stated weight says how it counts beside a study, not how far a small share may wander: a
judge who says 3 in 1000 does not mean that it may be one in a million. So the spread of a judgement
is never above `settings.judgement_spread`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soleus.knowledge.schema import Condition, Number, OddsRatio, Prevalence
from soleus.model.network import Array

WIDEST = 1.5
"""A study's spread on the log scale is never above this: what a single case in a small sample leaves open."""
Z95 = 1.96


@dataclass(frozen=True)
class Draw:
    """Draws one set of numbers. `spread`: the widest spread of a judgement on the log scale; `heavier`
    multiplies every spread; `only`: draw this condition's own numbers and leave all others."""

    rng: np.random.Generator
    spread: float
    heavier: float = 1.0
    only: str | None = None

    def of_shares(self, shares: Array, spread: Array) -> Array:
        """A draw of a distribution over states, shape as given; sums to one."""
        drawn = shares * np.exp(self._noise(spread))
        return np.asarray(drawn / drawn.sum())

    def of_priors(self, conditions: Sequence[Condition]) -> Array:
        """A shift of the log prior of each cause, the same in every setting."""
        return self._of(conditions) * self._noise(spread_of_priors(conditions, self.spread))

    def of_prevalence(self, conditions: Sequence[Condition]) -> Array:
        """A shift of the log-odds of each condition's prevalence, the same at every age."""
        return self._of(conditions) * self._noise(spread_of_prevalences(conditions, self.spread))

    def _of(self, conditions: Sequence[Condition]) -> Array:
        """1 where a condition's numbers are drawn."""
        return np.array([float(self.only in (None, c.id)) for c in conditions])

    def _noise(self, spread: Array) -> Array:
        """Normal errors, shifted so that a share's mean over many draws, not its median, stays where it is."""
        wide = spread * self.heavier
        return np.asarray(self.rng.standard_normal(spread.shape) * wide - wide**2 / 2)


def spread_of(number: Number, shares: Array, widest: float) -> Array:
    """Spread of the logarithm of each share, shape of `shares`."""
    weight = _weight(number, shares)
    return np.minimum(1 / np.sqrt(weight * shares), widest if number.basis else WIDEST)


def spread_of_priors(conditions: Sequence[Condition], widest: float) -> Array:
    """Spread of the logarithm of each cause's prior, shape (causes,)."""
    shares = np.array([c.prior.by_setting["primary_care"] for c in conditions])
    weights = np.array([c.prior.weight for c in conditions])
    return np.asarray(np.minimum(1 / np.sqrt(weights * shares), widest))


def spread_of_prevalences(conditions: Sequence[Condition], widest: float) -> Array:
    """Spread of the log-odds of each condition's prevalence, the middle of its ages and sexes, shape (conditions,)."""
    return np.array([np.median([_spread_of_prevalence(p, widest) for p in c.prevalence]) for c in conditions])


def _weight(number: Number, shares: Array) -> float:
    """The sample size that a number counts as: stated, or that which its interval means."""
    if number.n is not None:
        return float(number.n)
    if number.ci95 is not None and 0 < number.ci95[0] < number.ci95[1] < 1 and len(shares) == 2:
        low, high = (np.log(p / (1 - p)) for p in number.ci95)
        return float((2 * Z95 / (high - low)) ** 2 / (shares[0] * shares[1]))
    return float(number.weight or 1.0)


def spread_of_ratios(ratios: Sequence[OddsRatio | None], background: Array, widest: float) -> Array:
    """Spread of the logarithm of each odds ratio, shape (states,); nought where there is none."""
    return np.array([_spread_of_ratio(r, share, widest) if r else 0.0 for r, share in zip(ratios, background, strict=True)])


def _spread_of_ratio(ratio: OddsRatio, share: float, widest: float) -> float:
    if ratio.ci95 is not None and ratio.ci95[0] > 0:
        return float(np.log(ratio.ci95[1] / ratio.ci95[0])) / (2 * Z95)
    size = ratio.n if ratio.n is not None else ratio.weight or 1.0
    return float(min(1 / np.sqrt(size * share), widest if ratio.basis else WIDEST))


def _spread_of_prevalence(entry: Prevalence, widest: float) -> float:
    shares = np.array([1 - entry.value, entry.value])
    return float(spread_of(entry, shares, widest)[1])
