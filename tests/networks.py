"""Small random networks and observations for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from soleus.inference.observe import NO, YES, Observation
from soleus.model.network import Network, Node, Risk

AGES = np.array([20.0, 40.0, 57.0, 70.0, 82.0])


def random_network(rng: np.random.Generator, causes: int = 4, present: int = 3, items: int = 5) -> Network:
    """A network with yes/no, choice and pattern nodes of both kinds, and one risk item of each kind."""
    nodes: dict[str, Node] = {}
    for i in range(items):
        kind = "cause" if i % 2 else "present"
        states = 2 + i % 3
        nodes[f"f{i}"] = _direct(rng, f"f{i}", kind, causes, present, states)
    for i, kind in enumerate(("cause", "present")):
        nodes[f"p{i}"] = _pattern(rng, f"p{i}", kind, causes, present)
    risks = {f"r{i}": _risk(rng, causes, present, 2 + i) for i in range(2)}
    values = {item: tuple(map(str, range(e.shape[2]))) for node in nodes.values() for item, e in node.emission.items()}
    values |= {item: tuple(map(str, range(risk.background.size))) for item, risk in risks.items()}
    return Network(
        causes=tuple(f"c{i}" for i in range(causes)),
        present=tuple(f"c{i}" for i in range(present)),
        nodes=nodes,
        risks=risks,
        spread={item: np.full((causes, len(states)), 0.3) for item, states in values.items()},
        prior_spread=np.full(causes, 0.3),
        prevalence_spread=np.full(present, 0.3),
        node_of={item: node.id for node in nodes.values() for item in node.emission},
        values=values,
        setting_prior={"primary_care": rng.dirichlet(np.ones(causes)), "at_home": rng.dirichlet(np.ones(causes))},
        setting_weights={"primary_care": 0.6, "at_home": 0.4},
        age_points=AGES,
        age_factor=rng.uniform(0.2, 2, (causes, 5)),
        age_weights=np.full(5, 0.2),
        sex_factor={s: rng.uniform(0.5, 1.5, causes) for s in ("male", "female")},
        prevalence={s: rng.uniform(0.01, 0.5, (present, 121)) for s in ("male", "female")},
    )


def _added(rng: np.random.Generator, kind: str, present: int, states: int) -> np.ndarray:
    if kind == "cause":
        return np.ones((present, states))
    table = np.sort(rng.uniform(0.1, 1, (present, states)), axis=1)
    table[:, -1] = 1.0
    return table


def _direct(rng: np.random.Generator, name: str, kind: str, causes: int, present: int, states: int) -> Node:
    identity = np.broadcast_to(np.eye(states), (causes, states, states))
    base = rng.dirichlet(np.ones(states), causes)
    return Node(name, kind, tuple(map(str, range(states))), base, _added(rng, kind, present, states), {name: identity})  # type: ignore[arg-type]


def _pattern(rng: np.random.Generator, name: str, kind: str, causes: int, present: int) -> Node:
    emission = {f"{name}i{j}": rng.dirichlet(np.ones(2 + j), (causes, 3)) for j in range(3)}
    base = rng.dirichlet(np.ones(3), causes)
    return Node(name, kind, ("a", "b", "c"), base, _added(rng, kind, present, 3), emission)  # type: ignore[arg-type]


def _risk(rng: np.random.Generator, causes: int, present: int, states: int) -> Risk:
    draw = rng.dirichlet
    return Risk(draw(np.ones(states), causes), draw(np.ones(states), present), draw(np.ones(states)))


def random_seen(rng: np.random.Generator, network: Network, share: float = 0.6) -> tuple[Observation, ...]:
    """Answers to some items: one value or several still possible; sometimes a group of which one is so."""
    seen = []
    for item, states in network.values.items():
        if rng.random() < share:
            mask = rng.random(len(states)) < 0.5
            mask[rng.integers(len(states))] = True
            seen.append(Observation(item, {item: mask}))
    binary = [i for i, states in network.values.items() if len(states) == 2 and i not in network.risks]
    if len(binary) >= 2 and rng.random() < 0.5:
        seen.append(Observation("group", {}, (tuple(binary[:2]),)))
    return tuple(seen)


def shuffled(network: Network, rng: np.random.Generator) -> Network:
    """A model broken on purpose: each likelihood table's rows belong to other conditions than they did."""

    def mixed(table: np.ndarray) -> np.ndarray:
        return table[rng.permutation(len(table))]

    nodes = {
        name: replace(n, base=mixed(n.base), added=mixed(n.added), emission={i: mixed(e) for i, e in n.emission.items()})
        for name, n in network.nodes.items()
    }
    risks = {name: replace(r, of_cause=mixed(r.of_cause), of_present=mixed(r.of_present)) for name, r in network.risks.items()}
    return replace(network, nodes=nodes, risks=risks)


__all__ = ["NO", "YES", "random_network", "random_seen", "shuffled"]
