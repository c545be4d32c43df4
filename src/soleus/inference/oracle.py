"""The slow, obvious engine: the definition that the fast one is held to.

It walks over every cause and every subset of the other conditions and multiplies out what the design
says, one number at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from soleus.inference.observe import Observation
from soleus.model.network import Array, Network, Node


def posterior(
    network: Network,
    seen: Iterable[Observation],
    age: float | None = None,
    sex: str | None = None,
    setting: str | None = None,
) -> tuple[Array, Array]:
    """P(c | case), shape (causes,), and P(d present | case), shape (present,); exponential in `present`."""
    seen = tuple(seen)
    prior = network.prior(age, sex, setting)
    prevalence = network.prevalence_of(age, sex)
    cause, present = np.zeros(len(network.causes)), np.zeros(len(network.present))
    for c in range(len(network.causes)):
        others = [d for d in range(len(network.present)) if network.present_index[d] != c]
        for size in range(len(others) + 1):
            for chosen in combinations(others, size):
                weight = prior[c] * _risk_of_cause(network, seen, c)
                for d in others:
                    odds = prevalence[d] / (1 - prevalence[d]) * _risk_of_present(network, seen, d)
                    share = odds / (1 + odds)
                    weight *= share if d in chosen else 1 - share
                weight *= _likelihood(network, seen, c, chosen)
                cause[c] += weight
                for d in chosen:
                    present[d] += weight
    for d, c in enumerate(network.present_index):
        present[d] += cause[c]
    return cause / cause.sum(), present / cause.sum()


def state_shares(node: Node, c: int, chosen: Iterable[int]) -> Array:
    """P(state | c, S): the greatest of what the cause and each other condition show."""
    below = np.cumsum(node.base[c])
    for d in chosen:
        below = below * node.added[d]
    return np.diff(below, prepend=0.0)


def _likelihood(network: Network, seen: tuple[Observation, ...], c: int, chosen: tuple[int, ...]) -> float:
    total = 1.0
    for node in network.nodes.values():
        shares = state_shares(node, c, chosen)
        total *= sum(shares[state] * _of_state(node, seen, c, state) for state in range(len(shares)))
    return total * _loose_groups(network, seen, c, chosen)


def _of_state(node: Node, seen: tuple[Observation, ...], c: int, state: int) -> float:
    value = 1.0
    for observation in seen:
        for item, mask in observation.items.items():
            if item in node.emission:
                value *= float(node.emission[item][c, state] @ mask)
        for group in observation.groups:
            if all(item in node.emission for item in group):
                value *= 1 - float(np.prod([node.emission[item][c, state, 0] for item in group]))
    return value


def _loose_groups(network: Network, seen: tuple[Observation, ...], c: int, chosen: tuple[int, ...]) -> float:
    value = 1.0
    for observation in seen:
        for group in observation.groups:
            nodes = [network.node_of.get(item) for item in group]
            if None in nodes or len(set(nodes)) == 1:
                continue
            none = 1.0
            for name, item in zip(nodes, group, strict=True):
                node = network.nodes[str(name)]
                none *= float(state_shares(node, c, chosen) @ node.emission[item][c, :, 0])
            value *= 1 - none
    return value


def _risk_of_cause(network: Network, seen: tuple[Observation, ...], c: int) -> float:
    value = 1.0
    for observation in seen:
        for item, mask in observation.items.items():
            if item in network.risks:
                risk = network.risks[item]
                value *= float(risk.of_cause[c] @ mask) / float(risk.background @ mask)
        for group in observation.groups:
            if group[0] in network.risks:
                risks = [network.risks[item] for item in group]
                value *= (1 - np.prod([r.of_cause[c, 0] for r in risks])) / (1 - np.prod([r.background[0] for r in risks]))
    return value


def _risk_of_present(network: Network, seen: tuple[Observation, ...], d: int) -> float:
    value = 1.0
    for observation in seen:
        for item, mask in observation.items.items():
            if item in network.risks:
                risk = network.risks[item]
                value *= float(risk.of_present[d] @ mask) / float(risk.background @ mask)
        for group in observation.groups:
            if group[0] in network.risks:
                risks = [network.risks[item] for item in group]
                value *= (1 - np.prod([r.of_present[d, 0] for r in risks])) / (1 - np.prod([r.background[0] for r in risks]))
    return value
