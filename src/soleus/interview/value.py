"""What asking is worth: how much an answer is expected to lower the loss of a wrong decision.

The loss of a state of belief is the expected cost of the best urgency (being sent too late costs far
more than too soon) plus `naming` times the entropy of the cause in nats, the logarithmic score of the
probabilities shown. A question's value is the loss now minus the expected loss after its answer; its
price is its burden.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from soleus.inference.exact import Engine, Posterior
from soleus.inference.observe import observations
from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import evaluate
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Urgency
from soleus.model.compile import network_for
from soleus.model.network import Array, Network
from soleus.model.shares import items_of
from soleus.safety.rules import apply_rules

JOINT_OPTIONS = 3
"""Options of a several-choices question that are valued together; the rest adds little."""


def loss_matrix(knowledge: Knowledge) -> Array:
    """Cost of choosing urgency u when n was needed, shape (urgencies, urgencies)."""
    losses, levels = knowledge.settings.losses, len(Urgency)
    table = np.zeros((levels, levels))
    for chosen in range(levels):
        for needed in range(levels):
            gap = needed - chosen
            below = sum(losses.under * losses.under_growth**step for step in range(gap))
            table[chosen, needed] = below if gap > 0 else -gap * losses.over
    return table


@dataclass(frozen=True)
class Mind:
    """The knowledge base made ready to think with: engine, needs of each cause, losses."""

    knowledge: Knowledge
    engine: Engine
    need: Array
    loss: Array

    def posterior(self, case: Case) -> Posterior:
        seen = observations(case, self.knowledge.findings)
        return self.engine.posterior(seen, case.age, case.sex, case.setting)

    def loss_of(self, joint: Array) -> Array:
        """Loss of each row of joint probabilities (rows, causes); a row that sums to p counts p times."""
        total = joint.sum(axis=1)
        urgency = (joint @ self.loss[:, self.need.astype(int)].T).min(axis=1)
        share = joint / np.maximum(total, 1e-300)[:, None]
        entropy = -(joint * np.log(np.maximum(share, 1e-300))).sum(axis=1)
        return np.asarray(urgency + self.knowledge.settings.losses.naming * entropy)


def mind(knowledge: Knowledge) -> Mind:
    """The `Mind` of a knowledge base, made once."""
    return _mind(_Holder(knowledge))


class _Holder:
    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and self.knowledge.version == other.knowledge.version

    def __hash__(self) -> int:
        return hash(self.knowledge.version)


@lru_cache(maxsize=4)
def _mind(holder: _Holder) -> Mind:
    return mind_with(holder.knowledge, network_for(holder.knowledge))


def mind_with(knowledge: Knowledge, network: Network) -> Mind:
    """A `Mind` that believes `network` instead of the one compiled from `knowledge`: for asking what other numbers would do."""
    need = np.array([knowledge.conditions[c].urgency for c in network.causes], dtype=float)
    return Mind(knowledge, Engine(network, knowledge.settings.most_present), need, loss_matrix(knowledge))


def rule_values(mind: Mind, case: Case, posterior: Posterior, findings: Iterable[Finding]) -> Mapping[str, float]:
    """Value of asking what could by itself make a safety rule fire above the present urgency: how likely
    that answer is, times the cost of not knowing it. So the interview does not end with a rule open that
    one likely enough answer would close."""
    current = apply_rules(mind.knowledge, case).urgency
    joint = mind.engine.joint(posterior)
    return {f.id: value for f in findings if (value := _rule_value(mind, case, joint, f, current)) > 0}


def _rule_value(mind: Mind, case: Case, joint: Mapping[str, Array], finding: Finding, current: Urgency) -> float:
    knowledge, total = mind.knowledge, 0.0
    rules = [r for r in knowledge.rules_reading.get(finding.id, ()) if knowledge.rules[r].urgency > current]
    for item, value, answer in _single_answers(finding) if rules else ():
        told = case.with_answer(finding.id, answer)
        levels = [knowledge.rules[r].urgency for r in rules if evaluate(knowledge.rule_when[r], told)]
        if levels:
            total += float(joint[item][:, value].sum() * mind.loss[current, max(levels)])
    return total * knowledge.settings.losses.precaution


def _single_answers(finding: Finding) -> Iterator[tuple[str, int, Answer]]:
    """Each answer that says one thing: item, index of its value in the model, answer."""
    match finding.type:
        case "boolean":
            yield finding.id, 1, YesNo(True)
        case "choice":
            for index, state in enumerate(finding.states):
                yield finding.id, index, OneOf(frozenset({state}))
        case "multi":
            for option in finding.options:
                yield f"{finding.id}.{option}", 1, Options(yes=frozenset({option}))
        case "number":
            assert finding.range is not None
            edges = (finding.range[0], *finding.bins, finding.range[1])
            for index in range(len(edges) - 1):
                yield finding.id, index, Between(edges[index], edges[index])


def values(mind: Mind, posterior: Posterior, findings: Iterable[Finding]) -> Mapping[str, float]:
    """Value of learning each finding, in units of loss; a finding that was answered in part may be given again."""
    asked = {f.id: items_of(f) for f in findings if f.depends_on != "nothing"}
    names = [item for items in asked.values() for item in items]
    if not names:
        return {}
    joint = mind.engine.joint(posterior, names)
    now = float(mind.loss_of(posterior.cause[None, :])[0])
    tables = [joint[item].T for item in names]
    losses = mind.loss_of(np.concatenate(tables))
    starts = np.cumsum([0, *(len(t) for t in tables)])[:-1]
    single = dict(zip(names, now - np.add.reduceat(losses, starts), strict=True))
    return {f: _value(mind, items, single, joint, posterior, now) for f, items in asked.items()}


def _value(
    mind: Mind, items: tuple[str, ...], single: Mapping[str, float], joint: Mapping[str, Array], posterior: Posterior, now: float
) -> float:
    if len(items) == 1:
        return float(single[items[0]])
    best = sorted(items, key=lambda item: -single[item])[:JOINT_OPTIONS]
    cause = posterior.cause
    given = [joint[item] / np.maximum(cause, 1e-300)[:, None] for item in best]
    combined = [
        cause * np.prod([table[:, v] for table, v in zip(given, choice, strict=True)], axis=0)
        for choice in product((0, 1), repeat=len(best))
    ]
    return now - float(mind.loss_of(np.array(combined)).sum())
