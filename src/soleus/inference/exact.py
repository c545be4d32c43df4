"""Exact inference over every presenting cause with every set of up to k other conditions present.

A row is a hypothesis (c, S). Nodes that depend on the cause give a factor per cause; a noisy-MAX node
gives, for the evidence e over its states,

    sum_l e_l P(state l | c, S) = e_last + sum_l (e_l - e_(l+1)) P(state <= l | c, S),

and P(state <= l | c, S) is a product of one number per cause and one per set, so that a node costs one
small matrix product. The mass of the sets larger than k that are left out is bounded from above and
the bound returned with the result.

The bound: every larger set has one set T of k as its first k members, so its mass is at most W(c, T) times
the product over the conditions d after T's last of (1 + r_d), less one. Adding d multiplies a crisp
answer's likelihood by at most what it does to the empty set (noisy-MAX has diminishing returns); for soft
evidence e, where d alone shows state l with probability s_l, L(S + d) <= L(S) + sum_(l>0) s_l e_l.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from soleus.inference.observe import Mask, Observation
from soleus.model.network import Array, Network, Node

NEGLIGIBLE = 1e-4
"""A cause that cannot hold more than this is not looked at set by set in the bound, but counted in full."""


@dataclass(frozen=True)
class Posterior:
    """P(c, S | case) over the enumerated rows, shape (causes, sets); it sums to 1.

    `evidence`: node to its likelihood over (causes, states); `likelihood`: node to its factor over
    (causes, sets) or (causes, 1)."""

    weights: Array
    log_evidence: float
    evidence: Mapping[str, Array]
    likelihood: Mapping[str, Array]
    risks: Mapping[str, tuple[Array, Array]]
    odds: Array

    @cached_property
    def cause(self) -> Array:
        """P(c is the presenting cause | case), shape (causes,)."""
        return np.asarray(self.weights.sum(axis=1))


class Engine:
    """Inference on one network; holds the table of sets, never changes the network."""

    def __init__(self, network: Network, most_present: int = 2) -> None:
        self.network = network
        self.most_present = min(most_present, len(network.present))
        self.sets = _sets(len(network.present), self.most_present)
        self.allowed = self._allowed()
        self._products: dict[str, Array] = {}

    def _allowed(self) -> Array:
        """1 where a set does not hold the presenting cause itself, shape (causes, sets)."""
        allowed = np.ones((len(self.network.causes), len(self.sets)))
        for d, c in enumerate(self.network.present_index):
            allowed[c, self.sets[:, d]] = 0.0
        return allowed

    def added(self, node: Node) -> Array:
        """P(the other conditions of a set show state <= l), shape (sets, states - 1); made when first needed."""
        if node.id not in self._products:
            logs = np.log(np.maximum(node.added[:, :-1], 1e-300))
            self._products[node.id] = np.exp(self.sets @ logs)
        return self._products[node.id]

    @cached_property
    def _stacked(self) -> tuple[dict[str, slice], Array]:
        """All products side by side, so that one matrix product serves every unasked node."""
        tables = {node.id: self.added(node) for node in self.network.nodes.values() if node.depends_on == "present"}
        ends = np.cumsum([0, *(table.shape[1] for table in tables.values())])
        slices = {name: slice(int(a), int(b)) for name, a, b in zip(tables, ends[:-1], ends[1:], strict=True)}
        return slices, np.concatenate([np.zeros((len(self.sets), 0)), *tables.values()], axis=1)

    # -- one case --------------------------------------------------------------------------------

    def posterior(
        self, seen: Iterable[Observation], age: float | None = None, sex: str | None = None, setting: str | None = None
    ) -> Posterior:
        """P(c, S | what was seen, age, sex, setting). Raises nothing; contradictory answers lower
        `log_evidence` and are weighed like any other."""
        seen = tuple(seen)
        evidence = self._evidence(seen)
        likelihood = {name: self.node_likelihood(self.network.nodes[name], e) for name, e in evidence.items()}
        for observation in seen:
            for group in observation.groups:
                likelihood |= self._group(observation, group)
        risks = {o.finding: self._risk(o) for o in seen if self._is_risk(o)}
        cause, odds = self._prior(age, sex, setting, risks.values())
        total = cause[:, None] * self._set_weight(odds) * self.allowed
        scale = 0.0
        for factor in likelihood.values():
            total = total * factor
            top = total.max()
            total, scale = total / top, scale + np.log(top)
        mass = total.sum()
        return Posterior(total / mass, float(np.log(mass) + scale), evidence, likelihood, risks, odds)

    def _evidence(self, seen: Iterable[Observation]) -> dict[str, Array]:
        """For each node that was asked about: likelihood over (causes, states) of its items."""
        evidence: dict[str, Array] = {}
        for observation in seen:
            for item, mask in observation.items.items():
                name = self.network.node_of.get(item)
                if name is not None:
                    part = self.network.nodes[name].emission[item] @ mask
                    evidence[name] = evidence[name] * part if name in evidence else part
            for node, group in self._inner_groups(observation):
                none = np.prod([self.network.nodes[node].emission[i][:, :, 0] for i in group], axis=0)
                evidence[node] = evidence.get(node, 1.0) * (1.0 - none)
        return evidence

    def _inner_groups(self, observation: Observation) -> list[tuple[str, tuple[str, ...]]]:
        """Groups of options that all hang on one node."""
        found = []
        for group in observation.groups:
            names = {self.network.node_of.get(item) for item in group}
            name = names.pop()
            if not names and name is not None:
                found.append((name, group))
        return found

    def _group(self, observation: Observation, group: tuple[str, ...]) -> dict[str, Array]:
        """Factor of 'at least one of these' for options that are nodes of their own: 1 - P(none of them)."""
        names = [self.network.node_of.get(item) for item in group]
        if None in names or len(set(names)) == 1:
            return {}
        none = np.ones((len(self.network.causes), 1))
        for name, item in zip(names, group, strict=True):
            assert name is not None
            none = none * self.node_likelihood(self.network.nodes[name], self.network.nodes[name].emission[item][:, :, 0])
        return {f"{observation.finding}:{'|'.join(group)}": np.maximum(1.0 - none, 1e-12)}

    def node_likelihood(self, node: Node, evidence: Array) -> Array:
        """Factor over (causes, sets), or (causes, 1) where sets do not matter, of evidence (causes, states)."""
        if node.depends_on == "cause":
            return np.asarray((node.base * evidence).sum(axis=1, keepdims=True))
        steps = (evidence[:, :-1] - evidence[:, 1:]) * node.cumulative
        return np.asarray(np.maximum(steps @ self.added(node).T + evidence[:, -1:], 1e-300))

    def _is_risk(self, observation: Observation) -> bool:
        return any(name in self.network.risks for name in _names(observation))

    def _risk(self, observation: Observation) -> tuple[Array, Array]:
        """Factor on the prior of each cause, and on the odds of each condition present."""
        cause, present = np.ones(len(self.network.causes)), np.ones(len(self.network.present))
        for item, mask in observation.items.items():
            risk = self.network.risks[item]
            usual = risk.background @ mask
            cause, present = cause * (risk.of_cause @ mask) / usual, present * (risk.of_present @ mask) / usual
        for group in observation.groups:
            risks = [self.network.risks[item] for item in group]
            usual = 1 - np.prod([r.background[0] for r in risks])
            cause = cause * (1 - np.prod([r.of_cause[:, 0] for r in risks], axis=0)) / usual
            present = present * (1 - np.prod([r.of_present[:, 0] for r in risks], axis=0)) / usual
        return cause, present

    def _prior(self, age: float | None, sex: str | None, setting: str | None, risks: Iterable[tuple[Array, Array]]) -> tuple[Array, Array]:
        """Weight of each cause, and odds that each other condition is present."""
        cause = self.network.prior(age, sex, setting)
        prevalence = self.network.prevalence_of(age, sex)
        odds = prevalence / (1 - prevalence)
        for on_cause, on_present in risks:
            cause, odds = cause * on_cause, odds * on_present
        cause = cause.copy()
        # a presenting cause is present for certain, so its own 'absent' is not counted: P(S | c) leaves out d = c
        cause[self.network.present_index] *= 1 + odds
        return cause / cause.sum(), odds

    def _set_weight(self, odds: Array) -> Array:
        return np.asarray(np.exp(self.sets @ np.log(odds)))

    # -- what was left out -----------------------------------------------------------------------

    def left_out(self, posterior: Posterior) -> float:
        """Upper bound on the share of all probability that sets larger than those enumerated hold.

        No probability is further from its exact value than this."""
        if self.most_present == self.sets.shape[1]:
            return 0.0
        largest = np.flatnonzero(self.sets.sum(axis=1) == self.most_present)
        ceiling = self._ceiling(posterior)
        matters = ceiling > NEGLIGIBLE
        rows, columns = np.nonzero(posterior.weights[:, largest] * matters[:, None])
        sets = largest[columns]
        gain = posterior.odds * self._later(posterior)[sets]
        for d, c in enumerate(self.network.present_index):
            gain[rows == c, d] = 0.0
        for name, factor in posterior.likelihood.items():
            if factor.shape[1] > 1:
                gain *= self._growth(name, posterior.evidence.get(name), factor, rows, sets)
        beyond = float(posterior.weights[rows, sets] @ (np.prod(1 + gain, axis=1) - 1) + ceiling[~matters].sum())
        return beyond / (1 + beyond)

    def _ceiling(self, posterior: Posterior) -> Array:
        """Upper bound on what all sets together can hold of each cause: every node as likely as it can get, shape (causes,)."""
        ceiling = posterior.weights[:, 0] * np.prod(1 + posterior.odds)
        for name, factor in posterior.likelihood.items():
            if factor.shape[1] > 1:
                given = posterior.evidence.get(name)
                ceiling = ceiling * (1.0 if given is None else given.max(axis=1)) / factor[:, 0]
        return np.asarray(ceiling)

    def _later(self, posterior: Posterior) -> Mask:
        """For each set, which conditions come after its last member, likeliest first, shape (sets, present)."""
        alone = posterior.weights[:, 1 : 1 + self.sets.shape[1]].sum(axis=0)
        rank = np.argsort(np.argsort(-alone))
        last = np.where(self.sets, rank, -1).max(axis=1, initial=-1)
        return np.asarray(rank[None, :] > last[:, None])

    def _growth(self, name: str, given: Array | None, factor: Array, rows: NDArray[np.int64], sets: NDArray[np.int64]) -> Array:
        """Upper bound on how much each condition multiplies a node's likelihood, for each row, shape (rows, present)."""
        single = factor[:, 1 : 1 + self.sets.shape[1]] / factor[:, :1]
        if given is None:
            return np.asarray(single[rows])
        added = given[:, 1:] @ np.diff(self.network.nodes[name].added, axis=1).T
        growth = 1 + added[rows] / factor[rows, sets][:, None]
        return np.minimum(growth, single[rows]) if _crisp(given) else growth

    # -- taking an answer back -------------------------------------------------------------------

    def withdrawals(self, posterior: Posterior, seen: Iterable[Observation]) -> dict[str, Array]:
        """For each answered finding: P(c, S | case without its answer), shape (causes, sets), from the
        posterior with all of them."""
        seen = tuple(seen)
        nodes = {o.finding: {self.network.node_of.get(i) for i in _names(o)} - {None} for o in seen}
        results = {}
        for observation in seen:
            touched = nodes[observation.finding]
            rest = self._evidence(o for o in seen if o is not observation and touched & nodes[o.finding])
            results[observation.finding] = self._without(posterior, observation, touched, rest)
        return results

    def _without(self, posterior: Posterior, observation: Observation, touched: set[str | None], rest: Mapping[str, Array]) -> Array:
        total = posterior.weights
        for name in touched:
            if name in posterior.evidence:
                total = total / posterior.likelihood[str(name)]
            if name in rest:
                total = total * self.node_likelihood(self.network.nodes[str(name)], rest[str(name)])
        for key, factor in posterior.likelihood.items():
            if key.startswith(f"{observation.finding}:"):
                total = total / factor
        if observation.finding in posterior.risks:
            total = self._without_risk(total, posterior, observation.finding)
        return np.asarray(total / total.sum())

    def _without_risk(self, total: Array, posterior: Posterior, finding: str) -> Array:
        on_cause, on_present = posterior.risks[finding]
        cause = 1 / on_cause
        index = self.network.present_index
        cause[index] *= (1 + posterior.odds / on_present) / (1 + posterior.odds)
        return np.asarray(total * cause[:, None] / self._set_weight(on_present))

    # -- looking ahead ---------------------------------------------------------------------------

    def joint(self, posterior: Posterior, items: Iterable[str] | None = None) -> dict[str, Array]:
        """For each item (default: all): P(c, item has value v | case), shape (causes, values)."""
        wanted = list(self.network.values) if items is None else list(items)
        looked = posterior.weights @ self._stacked[1]
        cause, states, tables = posterior.cause, dict[str, Array](), dict[str, Array]()
        for item in wanted:
            name = self.network.node_of.get(item)
            if name is None:
                tables[item] = cause[:, None] * self.network.risks[item].of_cause
                continue
            if name not in states:
                states[name] = self._joint_states(self.network.nodes[name], posterior, looked)
            state, emission = states[name], self.network.nodes[name].emission
            tables[item] = state if name == item else np.einsum("cl,clv->cv", state, emission[item])
        return tables

    def _joint_states(self, node: Node, posterior: Posterior, looked: Array) -> Array:
        """P(c, node in state l | case), shape (causes, states)."""
        evidence = posterior.evidence.get(node.id)
        if node.depends_on == "cause":
            state = node.base if evidence is None else node.base * evidence
            return np.asarray(state * (posterior.cause / state.sum(axis=1))[:, None])
        rest = posterior.weights if evidence is None else posterior.weights / posterior.likelihood[node.id]
        below = looked[:, self._stacked[0][node.id]] if evidence is None else rest @ self.added(node)
        state = np.empty_like(node.base)
        state[:, :-1] = node.cumulative * below
        state[:, -1] = rest.sum(axis=1)
        state[:, 1:] -= state[:, :-1].copy()
        return state if evidence is None else state * evidence


def _names(observation: Observation) -> tuple[str, ...]:
    return (*observation.items, *(item for group in observation.groups for item in group))


def _crisp(evidence: Array) -> bool:
    """Whether the evidence says that the state lies in one unbroken span, the same for every cause."""
    row = evidence[0]
    if not np.all((row == 0) | (row == 1)) or not np.array_equal(evidence, np.broadcast_to(row, evidence.shape)):
        return False
    return int(np.count_nonzero(np.diff(row, prepend=0.0, append=0.0))) == 2


def _sets(present: int, most: int) -> Mask:
    """Every set of up to `most` conditions as a row of truth values; the empty set first, then the singles."""
    chosen = [s for size in range(most + 1) for s in combinations(range(present), size)]
    table = np.zeros((len(chosen), present), dtype=bool)
    for row, members in enumerate(chosen):
        table[row, list(members)] = True
    return table


def probability_present(engine: Engine, posterior: Posterior) -> Array:
    """P(condition is present | case), whether or not it is the presenting cause, shape (present,)."""
    besides = posterior.weights.sum(axis=0) @ engine.sets
    return np.asarray(besides + posterior.cause[engine.network.present_index])
