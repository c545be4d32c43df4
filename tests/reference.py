"""The network in the form of a general Bayesian network, for pyAgrum.

A noisy-MAX is written as a chain: the greatest state so far, then the next condition that may be
present. Only what hangs on the answered items is written; the rest sums to one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyagrum as gum

from soleus.inference.observe import Observation
from soleus.model.network import Array, Network, Node


def export(network: Network, items: Iterable[str], age: float | None, sex: str | None) -> Any:
    """A pyAgrum network over the cause, the conditions present, and the nodes of `items`."""
    bn = gum.BayesNet("soleus")
    bn.add(gum.LabelizedVariable("cause", "", len(network.causes)))
    bn.cpt("cause").fillWith(list(network.prior(age, sex, None)))
    prevalence = network.prevalence_of(age, sex)
    for d, name in enumerate(network.present):
        variable = f"has_{name}"
        bn.add(gum.LabelizedVariable(variable, "", 2))
        bn.addArc("cause", variable)
        share = np.full(len(network.causes), prevalence[d])
        share[network.present_index[d]] = 1.0
        bn.cpt(variable)[:] = np.stack([1 - share, share], axis=1)
    items = list(items)
    for node in {network.node_of[i]: network.nodes[network.node_of[i]] for i in items}.values():
        last = _add_states(bn, network, node)
        for item in (i for i in items if network.node_of[i] == node.id):
            _add_item(bn, node, last, item)
    return bn


def _add_states(bn: Any, network: Network, node: Node) -> str:
    """The node's state; the name of the variable that holds it."""
    first = f"{node.id}_0"
    bn.add(gum.LabelizedVariable(first, "", len(node.states)))
    bn.addArc("cause", first)
    bn.cpt(first)[:] = node.base
    if node.depends_on == "cause":
        return first
    last = first
    for d, name in enumerate(network.present):
        if np.all(node.added[d] == 1):
            continue
        following = f"{node.id}_{d + 1}"
        bn.add(gum.LabelizedVariable(following, "", len(node.states)))
        for parent in ("cause", f"has_{name}", last):
            bn.addArc(parent, following)
        table = _max_table(network, node, d)
        for cause in range(len(network.causes)):
            for has in (0, 1):
                for state in range(len(node.states)):
                    bn.cpt(following)[{"cause": cause, f"has_{name}": has, last: state}] = table[cause, has, state]
        last = following
    return last


def _max_table(network: Network, node: Node, d: int) -> Array:
    """P(greatest | cause, has d, greatest before), shape (causes, 2, states, states)."""
    states = len(node.states)
    table = np.zeros((len(network.causes), 2, states, states))
    table[:, 0] = np.eye(states)
    shown = np.diff(node.added[d], prepend=0.0)
    for before in range(states):
        for own in range(states):
            table[:, 1, before, max(before, own)] += shown[own]
    table[network.present_index[d], 1] = np.eye(states)
    return table


def _add_item(bn: Any, node: Node, last: str, item: str) -> None:
    name = f"item_{item}"
    emission = node.emission[item]
    bn.add(gum.LabelizedVariable(name, "", emission.shape[2]))
    bn.addArc("cause", name)
    bn.addArc(last, name)
    for cause in range(emission.shape[0]):
        for state in range(emission.shape[1]):
            bn.cpt(name)[{"cause": cause, last: state}] = emission[cause, state]


def reference_posterior(network: Network, seen: Iterable[Observation], age: float | None, sex: str | None) -> tuple[Array, Array]:
    """P(c | case) and P(d present | case) by LazyPropagation."""
    masks = {item: mask for o in seen for item, mask in o.items.items()}
    bn = export(network, masks, age, sex)
    engine = gum.LazyPropagation(bn)
    engine.setEvidence({f"item_{item}": list(mask.astype(float)) for item, mask in masks.items()})
    engine.makeInference()
    cause = engine.posterior("cause").toarray()
    return cause, np.array([engine.posterior(f"has_{d}").toarray()[1] for d in network.present])
