"""Are the proofs worth anything? Break each rule in turn, and at least one proof must fail.

A broken rule is left out, asks for one level less, has one sign flipped, or has lost one alternative or one value of a list.
Where no proof fails, the solver is asked whether anybody's urgency can fall at all: if not, the change is harmless (other rules ask
for the same, or the broken rule fires for more people). What is neither noticed nor harmless is a hole in the hazard log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import z3

from soleus.knowledge.case import Case
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Expression, Has, Is, Not
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.prove import LEVELS, Prover
from soleus.safety.smt import Formula

Breaking = Callable[[Expression], Iterator[Expression]]


@dataclass(frozen=True)
class Mutant:
    """A rule, broken in one place: `when` None leaves it out."""

    rule: str
    how: str
    when: Expression | None
    urgency: Urgency


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant. `by`: the situation or proof that noticed it; `case`: somebody whose urgency falls unnoticed."""

    mutant: Mutant
    outcome: Literal["noticed", "harmless", "survived"]
    by: str = ""
    case: Case | None = None


def mutants(knowledge: Knowledge) -> Iterator[Mutant]:
    """Every way of breaking every rule in one place."""
    for rule in knowledge.rules.values():
        when = knowledge.rule_when[rule.id]
        yield Mutant(rule.id, "left out", None, rule.urgency)
        yield Mutant(rule.id, "one level less", when, Urgency(rule.urgency - 1))
        for number, broken in enumerate(_flipped(when), 1):
            yield Mutant(rule.id, f"sign {number} flipped", broken, rule.urgency)
        for number, broken in enumerate(_without_a_branch(when), 1):
            yield Mutant(rule.id, f"alternative {number} dropped", broken, rule.urgency)
        for number, broken in enumerate(_without_a_value(when), 1):
            yield Mutant(rule.id, f"value {number} dropped", broken, rule.urgency)


def _flipped(when: Expression) -> Iterator[Expression]:
    """The tree with one leaf turned into its opposite."""
    match when:
        case Not(part):
            yield from (Not(broken) for broken in _flipped(part))
        case Certain(part):
            yield from (Certain(broken) for broken in _flipped(part))
        case All(parts) | Any(parts) | AtLeast(_, parts):
            yield from _in_one_part(when, parts, _flipped)
        case _:
            yield Not(when)


def _without_a_branch(when: Expression) -> Iterator[Expression]:
    """The tree with one alternative of an `any` or an `at least` dropped."""
    match when:
        case Not(part):
            yield from (Not(broken) for broken in _without_a_branch(part))
        case Certain(part):
            yield from (Certain(broken) for broken in _without_a_branch(part))
        case All(parts) | Any(parts) | AtLeast(_, parts):
            yield from _in_one_part(when, parts, _without_a_branch)
            fewest = when.count if isinstance(when, AtLeast) else 1
            if not isinstance(when, All) and len(parts) > fewest:
                yield from (replace(when, parts=(*parts[:i], *parts[i + 1 :])) for i in range(len(parts)))


def _without_a_value(when: Expression) -> Iterator[Expression]:
    """The tree with one value of an `in` or a `has` dropped."""
    match when:
        case Not(part):
            yield from (Not(broken) for broken in _without_a_value(part))
        case Certain(part):
            yield from (Certain(broken) for broken in _without_a_value(part))
        case All(parts) | Any(parts) | AtLeast(_, parts):
            yield from _in_one_part(when, parts, _without_a_value)
        case Is(finding, values) if len(values) > 1:
            yield from (Is(finding, values - {value}) for value in sorted(values))
        case Has(finding, options) if len(options) > 1:
            yield from (Has(finding, options - {option}) for option in sorted(options))


def _in_one_part(when: All | Any | AtLeast, parts: Sequence[Expression], broken_in: Breaking) -> Iterator[Expression]:
    for i, part in enumerate(parts):
        yield from (replace(when, parts=(*parts[:i], broken, *parts[i + 1 :])) for broken in broken_in(part))


class Mutation:
    """Tries mutants against the proofs."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.prover = Prover(knowledge)

    def judge(self, mutant: Mutant) -> Verdict:
        """Whether a proof notices it, and if none does, whether it can lower anybody's urgency."""
        for situation in self._resting.get(mutant.rule, ()):
            entry, met = self.prover.situations[situation]
            if self.prover.breaks(z3.And(met, z3.Not(self._at_least(mutant, entry.urgency)))) is not None:
                return Verdict(mutant, "noticed", situation)
        for level in LEVELS:
            lower = z3.And(self.prover.formulas.at_least(level), z3.Not(self._at_least(mutant, level)))
            found = self.prover.breaks(lower)
            if found is not None:
                return Verdict(mutant, "survived", case=found if isinstance(found, Case) else None)
        return Verdict(mutant, "harmless")

    @cached_property
    def _resting(self) -> Mapping[str, list[str]]:
        """Rule to the situations whose proof may need it: a rule without which a situation cannot be proven is in every proof of it, so
        it is in the one that the solver gives. Only these situations can notice that the rule is broken."""
        resting: dict[str, list[str]] = {}
        for name in self.prover.situations:
            for rule in self.prover.rules_used(name):
                resting.setdefault(rule, []).append(name)
        return resting

    def _at_least(self, mutant: Mutant, level: Urgency) -> Formula:
        others = self.prover.formulas.at_least(level, without=mutant.rule)
        if mutant.when is None or mutant.urgency < level:
            return others
        return z3.Or(others, self.prover.rail(mutant.when).true)
