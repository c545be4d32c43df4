"""Credible intervals on the probabilities of causes and of conditions present besides.

An answer's likelihood under a cause is P(values still possible | cause); to first order its logarithm has
an error with variance sum_v a_v^2 s_v^2, where s_v is the spread of share p_v and a_v = [v possible] p_v / P - p_v:
the second term because shares sum to one. Errors of different answers and of the prior are taken as
independent, so a cause's log weight has one normal error; draws of these give the interval. What is present
besides has one more: of its prevalence and of its own shares of the answers that can come from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from soleus.inference.exact import Engine, Posterior
from soleus.inference.observe import Mask, Observation
from soleus.model.network import Array

DRAWS = 800
SEED = 1
LEVEL = 0.95


def cause_intervals(engine: Engine, posterior: Posterior, seen: Iterable[Observation]) -> tuple[Array, Array]:
    """Lower and upper bound of each cause's probability, shape (causes,) each; the same for the same case and knowledge."""
    return _bounds(_drawn_causes(engine, posterior, _variance_of_causes(engine, seen)), posterior.cause)


def present_intervals(engine: Engine, posterior: Posterior, seen: Iterable[Observation]) -> tuple[Array, Array]:
    """Lower and upper bound of the probability that each condition is present besides the cause, shape (present,) each: from how
    unsure the causes are, the condition's prevalence and its shares of the answers that depend on what is present."""
    network = engine.network
    told = [o for o in seen if any(i in network.risks or network.nodes[network.node_of[i]].depends_on == "present" for i in o.items)]
    spread = np.sqrt(network.prevalence_spread**2 + _variance_of_causes(engine, told)[network.present_index])
    given = posterior.weights @ engine.sets / np.maximum(posterior.weights.sum(axis=1, keepdims=True), 1e-300)
    besides = np.clip(_drawn_causes(engine, posterior, _variance_of_causes(engine, seen)) @ given, 1e-12, 1 - 1e-12)
    errors = np.random.default_rng(SEED + 1).standard_normal(besides.shape) * spread
    odds = besides / (1 - besides) * np.exp(errors)
    return _bounds(odds / (1 + odds), posterior.cause @ given)


def _drawn_causes(engine: Engine, posterior: Posterior, variance: Array) -> Array:
    """Draws of the causes' probabilities, shape (draws, causes)."""
    spread = np.sqrt(engine.network.prior_spread**2 + variance)
    errors = np.random.default_rng(SEED).standard_normal((DRAWS, len(spread))) * spread - spread**2 / 2
    weights = posterior.cause * np.exp(errors)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _bounds(drawn: Array, point: Array) -> tuple[Array, Array]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return np.minimum(low, point), np.maximum(high, point)


def _variance_of_causes(engine: Engine, seen: Iterable[Observation]) -> Array:
    """Variance of the logarithm of the answers' likelihood under each cause, shape (causes,)."""
    return np.asarray(sum(_variances(engine, seen), np.zeros(len(engine.network.causes))))


def _variances(engine: Engine, seen: Iterable[Observation]) -> Iterator[Array]:
    """For each answered item, the variance of the logarithm of its likelihood under each cause, shape (causes,)."""
    for observation in seen:
        for item, mask in observation.items.items():
            yield _variance(engine.network.shares(item), engine.network.spread[item], mask)
        for group in observation.groups:
            yield sum((_group_share(engine, item, group) for item in group), np.zeros(len(engine.network.causes)))


def _variance(shares: Array, spread: Array, mask: Mask) -> Array:
    possible = shares * mask
    weight = possible / possible.sum(axis=1, keepdims=True) - shares
    return np.asarray((weight**2 * spread**2).sum(axis=1))


def _group_share(engine: Engine, item: str, group: tuple[str, ...]) -> Array:
    """What one option adds to the variance of 'at least one of these': its own, by its share of the odds that it is the one."""
    yes = {i: engine.network.shares(i)[:, 1] for i in group}
    total = sum(yes.values(), np.zeros(len(engine.network.causes)))
    own = (yes[item] / total * engine.network.spread[item][:, 1]) ** 2
    return np.asarray(own)
