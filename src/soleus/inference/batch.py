"""The exact engine for many people at once.

The same rows (cause c, set S) as `Engine`: a person's log-likelihood is a sum of table columns, so a batch is
one matrix product for all yes/no findings, choices and numbers, and one more for each latent pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soleus.inference.exact import Engine
from soleus.inference.sample import Codes, alike
from soleus.model.network import Array, Network, Node

UNKNOWN = -1
"""The code of an answer that was not given."""
CELLS = 12_000_000
"""Numbers held at once (about 100 MB): people are taken in groups so that people times rows stays below."""


@dataclass(frozen=True)
class Asked:
    """What is known of n people: `values` has, by item, the index of the value or UNKNOWN, shape (n,)."""

    age: Array
    sex: NDArray[np.str_]
    values: Mapping[str, Codes]

    def part(self, rows: slice) -> Asked:
        return Asked(self.age[rows], self.sex[rows], {item: codes[rows] for item, codes in self.values.items()})


def joined(groups: Sequence[Asked]) -> Asked:
    """Several groups as one."""
    values = {item: np.concatenate([g.values[item] for g in groups]) for item in groups[0].values}
    return Asked(np.concatenate([g.age for g in groups]), np.concatenate([g.sex for g in groups]), values)


class Batch:
    """Inference for many people on one network, with sets of up to `most_present` other conditions."""

    def __init__(self, network: Network, most_present: int = 1) -> None:
        self.network = network
        self.engine = Engine(network, most_present)

    @cached_property
    def of_cause(self) -> Array:
        """Sums rows (c, S) to causes, shape (rows, causes)."""
        return np.repeat(np.eye(len(self.network.causes)), len(self.engine.sets), axis=0)

    @cached_property
    def of_present(self) -> Array:
        """Sums rows (c, S) to the conditions present, as the cause or besides, shape (rows, present)."""
        has = np.broadcast_to(self.engine.sets, (len(self.network.causes), *self.engine.sets.shape)).copy()
        for d, c in enumerate(self.network.present_index):
            has[c, :, d] = True
        return has.reshape(-1, len(self.network.present)).astype(float)

    def sums(self, asked: Asked, summary: Array, setting: str | None = None) -> Array:
        """`summary` (rows, k) summed over each person's posterior, shape (n, k)."""
        size = max(CELLS // summary.shape[0], 1)
        parts = [asked.part(slice(i, i + size)) for i in range(0, len(asked.age), size)]
        return np.concatenate([self._weights(part, setting) @ summary for part in parts])

    def causes(self, asked: Asked, setting: str | None = None) -> Array:
        """P(c | answers) of each person, shape (n, causes)."""
        return self.sums(asked, self.of_cause, setting)

    def _weights(self, asked: Asked, setting: str | None) -> Array:
        """P(c, S | answers), shape (n, rows)."""
        logs = self._prior(asked, setting)
        logs += (self._columns(asked, self._simple["cause"]) @ self._tables["cause"])[:, :, None]
        logs += (self._columns(asked, self._simple["present"]) @ self._tables["present"]).reshape(logs.shape)
        for node in self._patterns:
            logs += self._pattern(asked, node)
        logs -= logs.max(axis=(1, 2), keepdims=True)
        weights = np.exp(logs, out=logs) * self.engine.allowed
        weights /= weights.sum(axis=(1, 2), keepdims=True)
        return np.asarray(weights.reshape(len(weights), -1))

    # -- tables --------------------------------------------------------------------------------------

    @cached_property
    def _simple(self) -> Mapping[str, tuple[Node, ...]]:
        """Nodes that are one item themselves, by what they depend on."""
        nodes = [n for n in self.network.nodes.values() if set(n.emission) == {n.id}]
        return {scope: tuple(n for n in nodes if n.depends_on == scope) for scope in ("cause", "present")}

    @cached_property
    def _patterns(self) -> tuple[Node, ...]:
        return tuple(n for n in self.network.nodes.values() if set(n.emission) != {n.id})

    @cached_property
    def _tables(self) -> Mapping[str, Array]:
        """log P(value | row) of the simple nodes: (values, causes), and (values, rows) where sets matter."""
        of_cause = np.concatenate([np.log(n.base.T) for n in self._simple["cause"]])
        of_present = np.concatenate([self._present_table(n) for n in self._simple["present"]])
        return {"cause": of_cause, "present": of_present}

    def _present_table(self, node: Node) -> Array:
        states = np.eye(len(node.states))
        shape = (len(self.network.causes), len(states))
        rows = [self.engine.node_likelihood(node, np.broadcast_to(state, shape)).ravel() for state in states]
        return np.asarray(np.log(np.maximum(rows, 1e-300)))

    def _columns(self, asked: Asked, nodes: tuple[Node, ...]) -> Array:
        """One column per value of each node, 1 where the person gave it, shape (n, values)."""
        return _one_hot(asked, ((n.id, len(n.states)) for n in nodes))

    def _pattern(self, asked: Asked, node: Node) -> Array:
        """log-likelihood of a pattern's items, shape (n, causes, 1) or (n, causes, sets)."""
        columns = _one_hot(asked, ((item, table.shape[2]) for item, table in node.emission.items()))
        logs = np.concatenate([np.log(table).transpose(2, 0, 1) for table in node.emission.values()])
        evidence = np.exp(np.tensordot(columns, logs, axes=1))
        if node.depends_on == "cause":
            return np.asarray(np.log((node.base * evidence).sum(axis=2, keepdims=True)))
        steps = (evidence[:, :, :-1] - evidence[:, :, 1:]) * node.cumulative
        return np.asarray(np.log(np.maximum(steps @ self.engine.added(node).T + evidence[:, :, -1:], 1e-300)))

    # -- prior ---------------------------------------------------------------------------------------

    def _prior(self, asked: Asked, setting: str | None) -> Array:
        """log of the unnormalised prior of each row, given age, sex and risk items, shape (n, causes, sets)."""
        network = self.network
        cause, odds = np.empty((len(asked.age), len(network.causes))), np.empty((len(asked.age), len(network.present)))
        for (age, sex), rows in alike(asked.age, asked.sex):
            prevalence = network.prevalence_of(age, sex)
            cause[rows], odds[rows] = np.log(network.prior(age, sex, setting)), np.log(prevalence / (1 - prevalence))
        columns = _one_hot(asked, ((item, len(risk.background)) for item, risk in network.risks.items()))
        cause += columns @ np.concatenate([np.log(r.of_cause / r.background).T for r in network.risks.values()])
        odds += columns @ np.concatenate([np.log(r.of_present / r.background).T for r in network.risks.values()])
        cause[:, network.present_index] += np.log1p(np.exp(odds))
        return np.asarray(cause[:, :, None] + (odds @ self.engine.sets.T)[:, None, :])


def _one_hot(asked: Asked, items: Iterator[tuple[str, int]]) -> Array:
    """One column per value of each item, shape (n, values); an item that was not asked has noughts."""
    blocks = []
    for item, size in items:
        codes = asked.values.get(item)
        blocks.append(np.zeros((len(asked.age), size)) if codes is None else (codes[:, None] == np.arange(size)).astype(float))
    return np.concatenate(blocks, axis=1)
