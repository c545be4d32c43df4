"""Whether the leading causes can be told apart by questions, and if not, which examination or test would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from soleus.assessment.plan import LEADING
from soleus.assessment.result import Undecided
from soleus.inference.exact import Posterior
from soleus.interview.choose import askable
from soleus.interview.value import Mind
from soleus.knowledge.case import Case
from soleus.knowledge.schema import Care, Finding
from soleus.model.network import Array
from soleus.model.shares import items_of

TELLS = 0.1
"""A question or test tells causes apart when it is expected to take away at least this share of their entropy."""
MOST_TESTS = 2


def undecided(mind: Mind, case: Case, posterior: Posterior, bounds: tuple[Array, Array]) -> Undecided | None:
    """The leading causes whose intervals overlap with that of the likeliest, when no question that is left tells them apart; with the
    tests that would. None where one cause leads clearly, or where more answers would help."""
    rows = _rivals(posterior.cause, bounds)
    if len(rows) < 2 or max(_gains(mind, posterior, rows, askable_left(mind, case)).values(), default=0.0) >= TELLS:
        return None
    knowledge = mind.knowledge
    conditions = [knowledge.conditions[mind.engine.network.causes[i]] for i in rows]
    tests = [knowledge.care[t] for t in dict.fromkeys(t for c in conditions for t in c.tests)]
    open_tests = [t for t in tests if t.finding and not case.known(t.finding)]
    gains = _gains(mind, posterior, rows, [knowledge.findings[str(t.finding)] for t in open_tests])
    return Undecided(
        conditions=tuple(c.id for c in conditions),
        names=tuple(c.name.lay for c in conditions),
        tests=tuple(t.name.lay for t in _best(open_tests, gains)),
    )


def _rivals(cause: Array, bounds: tuple[Array, Array]) -> list[int]:
    """Causes that lead, likeliest first: likely enough, and with an interval that reaches into that of the first."""
    first, low, high = int(np.argmax(cause)), bounds[0], bounds[1]
    return [int(i) for i in np.argsort(-cause, kind="stable") if i == first or (cause[i] >= LEADING and high[i] >= low[first])]


def askable_left(mind: Mind, case: Case) -> list[Finding]:
    """Questions that may still be asked."""
    return [f for f in askable(mind.knowledge, case) if not case.known(f.id)]


def _gains(mind: Mind, posterior: Posterior, rows: Sequence[int], findings: Iterable[Finding]) -> Mapping[str, float]:
    """For each finding, the share of the entropy among `rows` that its best item is expected to take away."""
    asked = {f.id: items_of(f) for f in findings if f.depends_on != "nothing"}
    joint = mind.engine.joint(posterior, [item for items in asked.values() for item in items])
    before = _entropy(posterior.cause[rows][:, None])
    return {f: max(1 - _entropy(joint[item][rows]) / before for item in items) for f, items in asked.items()}


def _entropy(joint: Array) -> float:
    """Entropy of the cause given the value, of a table (causes, values), in nats."""
    table = joint / joint.sum()
    given = table / np.maximum(table.sum(axis=0, keepdims=True), 1e-300)
    return float(-(table * np.log(np.maximum(given, 1e-300))).sum())


def _best(tests: Sequence[Care], gains: Mapping[str, float]) -> list[Care]:
    telling = [t for t in tests if gains[str(t.finding)] >= TELLS]
    return sorted(telling, key=lambda t: -gains[str(t.finding)])[:MOST_TESTS]
