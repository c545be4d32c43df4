"""The rule language over simulated people: one truth value per person, all at once.

Besides findings an expression may ask for `age`, `sex`, `cause is CONDITION` (what the pain comes from),
`condition has CONDITION` (had at all, as the cause or besides) and any score given by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from soleus.errors import InputError
from soleus.inference.sample import People
from soleus.knowledge.expression import All, Any, AtLeast, Compare, Expression, Has, Is, Known, Not, Yes
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding
from soleus.model.network import Array
from soleus.model.shares import items_of

Truths = NDArray[np.bool_]
Score = Sequence[tuple[float, Expression]]
COMPARE: Mapping[str, Callable[[Array, float], Truths]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
OF_PEOPLE = ("age", "sex", "cause", "condition")


@dataclass(frozen=True)
class Columns:
    """Simulated people with what is needed to read expressions over them."""

    people: People
    knowledge: Knowledge
    scores: Mapping[str, Score] = field(default_factory=dict)

    def holds(self, expression: Expression) -> Truths:
        """Whether the expression holds, shape (n,). Every finding of a simulated person is known."""
        match expression:
            case Yes(finding):
                return np.asarray(self._values(finding) == 1)
            case Is(finding, values):
                return self._is(finding, values)
            case Has(finding, options):
                return self._has(finding, options)
            case Compare(finding, op, bound):
                return self._compare(finding, op, bound)
            case Known():
                return np.ones(len(self.people), dtype=bool)
            case Not(part):
                return np.logical_not(self.holds(part))
            case All(parts):
                return np.asarray(self._count(parts) == len(parts))
            case Any(parts):
                return np.asarray(self._count(parts) >= 1)
            case AtLeast(count, parts):
                return np.asarray(self._count(parts) >= count)

    def score(self, name: str) -> Array:
        """Points of each person."""
        return np.asarray(np.sum([points * self.holds(when) for points, when in self.scores[name]], axis=0, dtype=np.float64))

    def _count(self, parts: Sequence[Expression]) -> NDArray[np.int64]:
        return np.asarray(np.sum([self.holds(part) for part in parts], axis=0, dtype=np.int64))

    def _values(self, item: str) -> NDArray[np.int8]:
        return self.people.values[item]

    def _is(self, finding: str, values: frozenset[str]) -> Truths:
        if finding == "sex":
            return np.isin(self.people.sex, list(values))
        if finding == "cause":
            return np.isin(self.people.cause, [self.people.network.causes.index(c) for c in values])
        states = self.people.network.values[finding]
        return np.isin(self._values(finding), [states.index(v) for v in values])

    def _has(self, finding: str, options: frozenset[str]) -> Truths:
        if finding == "condition":
            return np.asarray(np.any([self.people.has(c) for c in options], axis=0))
        return np.asarray(np.any([self._values(f"{finding}.{o}") == 1 for o in options], axis=0))

    def _compare(self, finding: str, op: str, bound: float) -> Truths:
        if finding in self.scores:
            return COMPARE[op](self.score(finding), bound)
        if finding == "age":
            return COMPARE[op](self.people.age, bound)
        above = op in (">", ">=")
        reached = self._values(finding) >= edge_of(self.knowledge.findings[finding], bound)
        return np.asarray(reached if above else ~reached)


def edge_of(finding: Finding, bound: float) -> int:
    """Index of the first bin above `bound`. Raises InputError where the bound is no edge of the model's bins."""
    if bound not in finding.bins:
        raise InputError(f"{finding.id}: {bound:g} is no edge of its bins; allowed: {', '.join(f'{b:g}' for b in finding.bins)}")
    return finding.bins.index(bound) + 1


def items_read(knowledge: Knowledge, findings: Sequence[str]) -> frozenset[str]:
    """The model's items that these findings are made of; what is no finding is left out."""
    return frozenset(item for f in findings if f in knowledge.findings for item in items_of(knowledge.findings[f]))
