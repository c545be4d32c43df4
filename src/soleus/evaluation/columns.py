"""The rule language over simulated people: one truth value per person, all at once.

Besides findings an expression may ask for `age`, `sex`, `cause is CONDITION` (what the pain comes from),
`condition has CONDITION` (had at all, as the cause or besides) and any score given by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from soleus.errors import InputError
from soleus.inference.sample import Codes, People
from soleus.knowledge.expression import Expression
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding
from soleus.model.network import Array
from soleus.model.shares import items_of
from soleus.safety.columns import Bools, Truths, evaluate_columns

Score = Sequence[tuple[float, Expression]]
COMPARE: Mapping[str, Callable[[Array, float], Bools]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
OF_PEOPLE = ("age", "sex", "cause", "condition")


@dataclass(frozen=True)
class Columns:
    """Simulated people with what is needed to read expressions over them (`ColumnFacts`); everything is known of them."""

    people: People
    knowledge: Knowledge
    scores: Mapping[str, Score] = field(default_factory=dict)

    def holds(self, expression: Expression) -> Bools:
        """Whether the expression holds, shape (n,)."""
        return evaluate_columns(expression, self).true

    def score(self, name: str) -> Array:
        """Points of each person."""
        return np.asarray(np.sum([points * self.holds(when) for points, when in self.scores[name]], axis=0, dtype=np.float64))

    def yes(self, finding: str) -> Truths:
        return Truths.certain(self._ticked(finding))

    def is_one_of(self, finding: str, values: frozenset[str]) -> Truths:
        if finding == "sex":
            return Truths.certain(np.isin(self.people.sex, list(values)))
        network = self.people.network
        codes, states = (self.people.cause, network.causes) if finding == "cause" else (self._values(finding), network.values[finding])
        return Truths.certain(np.isin(codes, [states.index(v) for v in values]))

    def has(self, finding: str, options: frozenset[str]) -> Truths:
        ticked = [self.people.has(o) if finding == "condition" else self._ticked(f"{finding}.{o}") for o in options]
        return Truths.certain(np.any(ticked, axis=0))

    def compare(self, finding: str, op: str, bound: float) -> Truths:
        if finding in self.scores:
            return Truths.certain(COMPARE[op](self.score(finding), bound))
        if finding == "age":
            return Truths.certain(COMPARE[op](self.people.age, bound))
        reached = Truths.certain(self._values(finding) >= edge_of(self.knowledge.findings[finding], bound))
        return reached if op in (">", ">=") else Truths(reached.false, reached.true)

    def known(self, finding: str) -> Truths:  # noqa: ARG002  # as the protocol has it
        return Truths.certain(np.ones(len(self.people), dtype=bool))

    def _values(self, item: str) -> Codes:
        return self.people.values[item]

    def _ticked(self, item: str) -> Bools:
        return np.asarray(self._values(item) == 1)


def edge_of(finding: Finding, bound: float) -> int:
    """Index of the first bin above `bound`. Raises InputError where the bound is no edge of the model's bins."""
    if bound not in finding.bins:
        raise InputError(f"{finding.id}: {bound:g} is no edge of its bins; allowed: {', '.join(f'{b:g}' for b in finding.bins)}")
    return finding.bins.index(bound) + 1


def items_read(knowledge: Knowledge, findings: Sequence[str]) -> frozenset[str]:
    """The model's items that these findings are made of; what is no finding is left out."""
    return frozenset(item for f in findings if f in knowledge.findings for item in items_of(knowledge.findings[f]))
