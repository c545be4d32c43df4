"""From knowledge to the network's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from soleus.knowledge.cache import cached
from soleus.knowledge.load import Knowledge, code_key
from soleus.knowledge.schema import AGE_BANDS, Condition, Pattern, Sex
from soleus.model.network import Array, Network, Node, Risk
from soleus.model.shares import FLOOR, SEXES, items_of, read_shares
from soleus.model.uncertainty import Draw, spread_of_prevalences, spread_of_priors

AGE_POINTS = (20.0, 40.0, 57.0, 70.0, 82.0)
"""Middle of each age band, in years; factors are interpolated between them on the log scale."""
MAX_AGE = 120


@lru_cache(maxsize=4)
def _network(key: str, knowledge: _Keyed) -> Network:
    return cached("network", key, Network, lambda: compile_network(knowledge.knowledge))


class _Keyed:
    """Knowledge that is compared by its key, so that it can index the memory cache."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge, self.key = knowledge, code_key(knowledge)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def network_for(knowledge: Knowledge) -> Network:
    """The network of `knowledge`, compiled once and cached by knowledge version."""
    keyed = _Keyed(knowledge)
    return _network(keyed.key, keyed)


def compile_network(knowledge: Knowledge, draw: Draw | None = None) -> Network:
    """Compile the arrays; see `Network` for what they mean. With a `draw`, every number is replaced by a
    draw from its uncertainty."""
    conditions = list(knowledge.conditions.values())
    causes = tuple(c.id for c in conditions)
    present = tuple(c.id for c in conditions if c.prevalence)
    rows = [causes.index(d) for d in present]
    read = read_shares(knowledge, draw)
    shares, background, values = read.of_condition, read.background, read.values
    risks = {
        item: Risk(shares[item], _tempered(shares[item][rows], background[item], knowledge.settings.risk_overlap), background[item])
        for item in shares
        if knowledge.findings[item.split(".")[0]].depends_on == "risk"
    }
    settings = knowledge.settings
    shift = draw.of_priors(conditions) if draw else np.zeros(len(causes))
    lift = draw.of_prevalence([knowledge.conditions[d] for d in present]) if draw else np.zeros(len(present))
    age_factor = np.maximum([[c.prior.age[band] for band in AGE_BANDS] for c in conditions], 1e-4)  # type: ignore[index]
    sex_factor: dict[Sex, Array] = {s: np.maximum([dict(c.prior.sex)[s] for c in conditions], 1e-4) for s in SEXES}
    age_weights = np.array([settings.consulter_age[band] for band in AGE_BANDS])  # type: ignore[index]
    prevalence = {s: _tilted(np.array([_prevalence(knowledge.conditions[d], s) for d in present]), lift) for s in SEXES}
    usual = _usual(age_factor * age_weights, sex_factor, prevalence, rows)
    nodes = _nodes(knowledge, shares, background, values, rows, usual)
    return Network(
        causes=causes,
        present=present,
        nodes=nodes,
        risks=risks,
        spread=read.spread,
        prior_spread=spread_of_priors(conditions, settings.judgement_spread),
        prevalence_spread=spread_of_prevalences([knowledge.conditions[d] for d in present], settings.judgement_spread),
        node_of={item: node.id for node in nodes.values() for item in node.emission},
        values=values,
        setting_prior={s: _setting_prior(conditions, s, shift) for s in settings.setting_weights},
        setting_weights={str(s): w for s, w in settings.setting_weights.items()},
        age_points=np.array(AGE_POINTS),
        age_factor=age_factor,
        age_weights=age_weights,
        sex_factor={str(s): table for s, table in sex_factor.items()},
        prevalence={str(s): table for s, table in prevalence.items()},
    )


# -- priors ----------------------------------------------------------------------------------------


def _tempered(shares: Array, background: Array, power: float) -> Array:
    """Shares whose ratio to the background is raised to `power`: risk factors come together, and a product
    of their full ratios counts what they share several times."""
    tilted = background * (shares / background) ** power
    return np.asarray(tilted / tilted.sum(axis=1, keepdims=True))


def _setting_prior(conditions: list[Condition], setting: str, shift: Array) -> Array:
    shares = np.array([c.prior.by_setting.get(setting, c.prior.by_setting["primary_care"]) for c in conditions])  # type: ignore[call-overload]
    shares = shares * np.exp(shift)
    return np.asarray(shares / shares.sum())


def _tilted(prevalence: Array, lift: Array) -> Array:
    """Prevalences (present, ages) with the log-odds of each condition raised by `lift`."""
    odds = prevalence / (1 - prevalence) * np.exp(lift)[:, None]
    return np.asarray(odds / (1 + odds))


def _prevalence(condition: Condition, sex: str) -> Array:
    """P(present) for each age from 0 to MAX_AGE."""
    table = np.full(MAX_AGE + 1, np.nan)
    for entry in condition.prevalence:
        if entry.sex in (sex, "any"):
            table[entry.age[0] : entry.age[1] + 1] = entry.value
    known = np.flatnonzero(~np.isnan(table))
    assert known.size, "checked when knowledge is loaded"
    return np.asarray(np.clip(np.interp(np.arange(MAX_AGE + 1), known, table[known]), FLOOR, 1 - FLOOR))


# -- nodes -----------------------------------------------------------------------------------------


def _nodes(
    knowledge: Knowledge,
    shares: Mapping[str, Array],
    background: Mapping[str, Array],
    values: Mapping[str, tuple[str, ...]],
    rows: list[int],
    usual: Array,
) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    taken: set[str] = set()
    for pattern in knowledge.patterns.values():
        node = _pattern_node(knowledge, pattern, shares, background, rows, usual)
        nodes[node.id] = node
        taken |= set(node.emission)
    for item, table in shares.items():
        scope = knowledge.findings[item.split(".")[0]].depends_on
        if item in taken or scope not in ("cause", "present"):
            continue
        identity = np.broadcast_to(np.eye(table.shape[1]), (len(table), *[table.shape[1]] * 2))
        added = _added(table[rows], background[item]) if scope == "present" else np.ones((len(rows), table.shape[1]))
        nodes[item] = _alone(Node(item, scope, values[item], table, added, {item: identity}), usual)
    return nodes


def _added(of_present: Array, background: Array) -> Array:
    """What a condition adds to a finding when it is present besides: P(it shows state <= l), such that
    together with the background it gives the condition's own share. Shape (present, states)."""
    ratio = np.cumsum(of_present, axis=1) / np.cumsum(background)
    ratio = np.minimum(ratio, 1.0)
    # a higher state can only be less likely to be exceeded
    ratio = np.maximum.accumulate(ratio, axis=1)
    ratio[:, -1] = 1.0
    return ratio


def _usual(age: Array, sex: Mapping[Sex, Array], prevalence: Mapping[Sex, Array], rows: list[int]) -> Array:
    """P(condition d is present besides | cause c) at the ages and sexes of those with c, shape (causes, present)."""
    points = np.round(AGE_POINTS).astype(int)
    weight = age / age.sum(axis=1, keepdims=True)
    both = sum(sex.values())
    usual = np.asarray(sum((sex[s] / both)[:, None] * (weight @ prevalence[s][:, points].T) for s in SEXES))
    usual[rows, np.arange(len(rows))] = 0.0
    return usual


def _alone(node: Node, usual: Array) -> Node:
    """The node with what conditions present besides usually add taken out of each cause's own shares: the shares in the
    knowledge base are of people who have them too, and they are added again when present."""
    if node.depends_on == "cause":
        return node
    below = np.concatenate([np.minimum(node.cumulative / _others(node, usual), 1.0), np.ones((len(node.base), 1))], axis=1)
    base = np.maximum(np.diff(np.maximum.accumulate(below, axis=1), axis=1, prepend=0.0), FLOOR)
    return replace(node, base=base / base.sum(axis=1, keepdims=True))


def _with_others(node: Node, usual: Array) -> Array:
    """P(state | cause) with what conditions present besides usually add, shape (causes, states)."""
    if node.depends_on == "cause":
        return node.base
    below = np.concatenate([node.cumulative * _others(node, usual), np.ones((len(node.base), 1))], axis=1)
    return np.diff(below, axis=1, prepend=0.0)


def _others(node: Node, usual: Array) -> Array:
    """P(the conditions present besides show state <= l | cause), shape (causes, states - 1)."""
    return np.asarray(np.prod(1 - usual[:, :, None] + usual[:, :, None] * node.added[None, :, :-1], axis=1))


def pattern_items(knowledge: Knowledge, pattern: Pattern) -> tuple[str, ...]:
    """The items a pattern carries: a bare several-choices finding stands for all its options."""
    items: list[str] = []
    for name in pattern.findings:
        items += [name] if "." in name else items_of(knowledge.findings[name])
    return tuple(items)


def _pattern_node(
    knowledge: Knowledge, pattern: Pattern, shares: Mapping[str, Array], background: Mapping[str, Array], rows: list[int], usual: Array
) -> Node:
    """A latent pattern. Each archetype looks like the mean of the conditions that show it purely; how
    much of each a condition has is fitted to the condition's own shares, with a share of atypical people who
    are like all who consult; and then the items are tilted
    within the condition so that its own shares are kept exactly."""
    causes = list(knowledge.conditions)
    items = pattern_items(knowledge, pattern)
    like = [[causes.index(c) for c in a.like] for a in pattern.archetypes]
    profiles = {item: np.array([shares[item][members].mean(axis=0) for members in like]) for item in items}
    flat = np.concatenate([profiles[item] for item in items], axis=1)
    own = _mixture(np.concatenate([shares[item] for item in items], axis=1), flat, len(items))
    common = _mixture(np.concatenate([background[item] for item in items])[None, :], flat, len(items))
    atypical = knowledge.settings.atypical
    weights = (1 - atypical) * own + atypical * common
    present = pattern.depends_on == "present"
    added = _added(weights[rows], common[0]) if present else np.ones((len(rows), len(like)))
    alone = _alone(Node(pattern.id, pattern.depends_on, tuple(a.id for a in pattern.archetypes), weights, added, {}), usual)
    return replace(alone, emission={item: _emission(alone, _with_others(alone, usual), profiles[item], shares[item]) for item in items})


def _emission(alone: Node, shown: Array, profile: Array, own: Array) -> Array:
    """P(value | cause, state), shape (causes, states, values), with the margin `own` in people who also have what is usually present
    besides. A state that is mostly due to others looks like the archetype, not like the cause; the lowest state, which nobody else
    can bring about, makes up for it."""
    table = _rake(shown, profile, own)
    if alone.depends_on == "cause":
        return table
    due = np.minimum(alone.base / np.maximum(shown, FLOOR), 1.0)[:, 1:, None]
    table[:, 1:] = due * table[:, 1:] + (1 - due) * profile[None, 1:]
    rest = np.maximum(own - np.einsum("cl,clv->cv", shown[:, 1:], table[:, 1:]), FLOOR)
    table[:, 0] = rest / rest.sum(axis=1, keepdims=True)
    return table


def _mixture(own: Array, profiles: Array, items: int) -> Array:
    """Weights (rows, archetypes) of the mixture of `profiles` nearest to `own` in Kullback-Leibler
    divergence, by expectation maximisation."""
    weights = np.full((len(own), len(profiles)), 1 / len(profiles))
    for _ in range(200):
        weights = weights * ((own / (weights @ profiles)) @ profiles.T) / items
    weights = np.maximum(weights, FLOOR)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _rake(weights: Array, profile: Array, own: Array) -> Array:
    """P(value | condition, archetype) with the association of `profile` and the margin `own`: iterative
    proportional fitting (Deming and Stephan 1940). Shape (conditions, archetypes, values)."""
    table = weights[:, :, None] * profile[None, :, :]
    for _ in range(60):
        table = table * (own / table.sum(axis=1))[:, None, :]
        table = table * (weights / table.sum(axis=2))[:, :, None]
    return np.asarray(table / table.sum(axis=2, keepdims=True))
