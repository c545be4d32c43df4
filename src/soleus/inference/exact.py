"""Exact inference over every presenting cause with every set of up to k other conditions present.

A row is a hypothesis (c, S). Nodes that depend on the cause give a factor per cause; a noisy-MAX node
gives, for the evidence e over its states,

    sum_l e_l P(state l | c, S) = e_last + sum_l (e_l - e_(l+1)) P(state <= l | c, S),

and P(state <= l | c, S) is a product of one number per cause and one per set, so that a node costs one
small matrix product. The mass of the sets larger than k that are left out is bounded from above and
the bound returned with the result.

The bound: adding a condition d to a set multiplies a crisp answer's likelihood by at most what it does
to the empty set (noisy-MAX has diminishing returns), and for soft evidence, where d shows anything with
probability a_d, L(S + d) <= L(S) + a_d max(e). So the left-out mass of a cause is at most
W(c, {}) (prod_d (1 + r_d) - sum_(j<=k) e_j(r)) with e_j the elementary symmetric polynomials of the
factors r_d.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from soleus.inference.observe import Mask, Observation
from soleus.model.network import Array, Network, Node


@dataclass(frozen=True)
class Posterior:
    """P(c, S | case) over the enumerated rows, shape (causes, sets); it sums to 1.

    `left_out`: upper bound on the share of probability that sets larger than enumerated would hold.
    `evidence`: node to its likelihood over (causes, states); `likelihood`: node to its factor over
    (causes, sets) or (causes, 1)."""

    weights: Array
    left_out: float
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

    def _added(self, node: Node) -> Array:
        """P(the other conditions of a set show state <= l), shape (sets, states - 1); made when first needed."""
        if node.id not in self._products:
            logs = np.log(np.maximum(node.added[:, :-1], 1e-300))
            self._products[node.id] = np.exp(self.sets @ logs)
        return self._products[node.id]

    @cached_property
    def _stacked(self) -> tuple[dict[str, slice], Array]:
        """All products side by side, so that one matrix product serves every unasked node."""
        tables = {node.id: self._added(node) for node in self.network.nodes.values() if node.depends_on == "present"}
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
        left_out = self._left_out(total[:, 0], odds, evidence, likelihood)
        return Posterior(total / mass, float(left_out / (left_out + mass)), float(np.log(mass) + scale), evidence, likelihood, risks, odds)

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
        return np.asarray(np.maximum(steps @ self._added(node).T + evidence[:, -1:], 1e-300))

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

    def _left_out(self, empty: Array, odds: Array, evidence: Mapping[str, Array], likelihood: Mapping[str, Array]) -> float:
        if self.most_present == len(self.network.present):
            return 0.0
        ratio = np.broadcast_to(odds, (len(empty), len(odds))).copy()
        for d, c in enumerate(self.network.present_index):
            ratio[c, d] = 0.0
        for name, factor in likelihood.items():
            if factor.shape[1] > 1:
                ratio = ratio * self._growth(name, evidence.get(name), factor)
        layers = [np.ones(len(empty))] + [np.zeros(len(empty)) for _ in range(self.most_present)]
        for d in range(ratio.shape[1]):
            for j in range(self.most_present, 0, -1):
                layers[j] = layers[j] + layers[j - 1] * ratio[:, d]
        beyond = np.maximum(np.prod(1 + ratio, axis=1) - sum(layers), 0.0)
        return float(empty @ beyond)

    def _growth(self, name: str, evidence: Array | None, factor: Array) -> Array:
        """Upper bound on how much a condition multiplies a node's likelihood, shape (causes, present)."""
        single = factor[:, 1 : 1 + len(self.network.present)] / factor[:, :1]
        if evidence is None or _crisp(evidence):
            return np.asarray(single)
        shows = 1 - self.network.nodes[name].added[:, 0]
        return np.asarray(1 + shows[None, :] * evidence.max(axis=1, keepdims=True) / factor[:, :1])

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
        below = looked[:, self._stacked[0][node.id]] if evidence is None else rest @ self._added(node)
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
