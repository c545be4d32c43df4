"""The answer space and the rule language for an SMT solver (Z3): what one case may say, and when an expression holds.

Every truth is two-railed: one formula for "known to hold", one for "known not to hold"; where neither holds it is unknown. The
space is that of `knowledge.case`: part-answers, groups of options and ranges included, whatever an interview would ask.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any as Anything

import z3

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Not, Yes
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding

AGE = (0.0, 120.0)
SEXES = ("male", "female")
Formula = Anything
"""A z3.BoolRef; the solver's Python interface carries no types."""


@dataclass(frozen=True)
class Rail:
    """`true` and `false`: formulas for known to hold and known not to hold."""

    true: Formula
    false: Formula


class Space:
    """Variables for everything one case may say about the findings that are asked for, with their constraints."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self._answers: dict[str, _Answer] = {}

    def __getitem__(self, finding: str) -> _Answer:
        """What can be said about a finding (or `age`, `sex`)."""
        if finding not in self._answers:
            self._answers[finding] = _variables(finding, self.knowledge)
        return self._answers[finding]

    @property
    def constraints(self) -> list[Formula]:
        """What makes the variables used so far a possible case."""
        return [constraint for answer in self._answers.values() for constraint in answer.constraints]

    @property
    def size(self) -> int:
        """How many different answers there are to all findings together, numbers counted by whether they are known."""
        total = 1
        for answer in (self[f] for f in self.knowledge.findings):
            total *= answer.size
        return total

    def rail(self, expression: Expression) -> Rail:
        """When `expression` is known to hold, and when it is known not to."""
        match expression:
            case Yes(finding):
                return self[finding].one_of(frozenset({"yes"}))
            case Is(finding, values) | Has(finding, values):
                return self[finding].one_of(values)
            case Compare(finding, op, bound):
                return self[finding].compare(op, bound)
            case Known(finding):
                known = self[finding].known
                return Rail(known, z3.Not(known))
            case Not(part):
                inner = self.rail(part)
                return Rail(inner.false, inner.true)
            case Certain(part):
                holds = self.rail(part).true
                return Rail(holds, z3.Not(holds))
            case All(parts):
                return self._at_least(len(parts), parts)
            case Any(parts):
                return self._at_least(1, parts)
            case AtLeast(count, parts):
                return self._at_least(count, parts)

    def _at_least(self, count: int, parts: Sequence[Expression]) -> Rail:
        rails = [self.rail(part) for part in parts]
        return Rail(_count([r.true for r in rails], count), _count([r.false for r in rails], len(parts) - count + 1))

    def case(self, model: Anything) -> Case:
        """The case that a model of the solver describes."""
        about = {name: self[name].read(model) for name in ("age", "sex") if name in self._answers}
        age, sex = about.get("age"), about.get("sex")
        answers = {f: said for f, a in self._answers.items() if f not in about and (said := a.read(model)) is not None}
        return Case(
            age=age.low if isinstance(age, Between) else None,
            sex=next(iter(sex.values)) if isinstance(sex, OneOf) else None,  # type: ignore[arg-type]  # one of SEXES
            answers=answers,
            origins=dict.fromkeys(answers, "asked"),
        )


def _count(formulas: Sequence[Formula], count: int) -> Formula:
    """At least `count` of them hold."""
    if count == 1:
        return z3.Or(*formulas)
    return z3.And(*formulas) if count == len(formulas) else z3.AtLeast(*formulas, count)


def _variables(name: str, knowledge: Knowledge) -> _Answer:
    if name == "age":
        return _NumberAnswer(name, AGE, exact=True)
    if name == "sex":
        return _ChoiceAnswer(name, SEXES, parts=False)
    finding = knowledge.findings[name]
    match finding.type:
        case "boolean":
            return _ChoiceAnswer(name, ("yes", "no"), parts=False)
        case "choice":
            return _ChoiceAnswer(name, tuple(finding.values), parts=True)
        case "multi":
            return _MultiAnswer(finding)
        case "number":
            assert finding.range is not None, "a number has a range"
            return _NumberAnswer(name, finding.range, exact=False)


class _Answer(ABC):
    """What can be said about one finding."""

    known: Formula
    constraints: list[Formula]
    size: int
    possible: dict[str, Formula]
    """For one value at a time: value to the variable that says it is still possible."""

    def one_of(self, _values: frozenset[str]) -> Rail:
        """When it is known to be one of these, and when not. Raises TypeError for a number."""
        raise TypeError("a number is compared, not one of some values")

    def compare(self, _op: str, _bound: float) -> Rail:
        """When it is known to stand in this relation, and when not. Raises TypeError for what is no number."""
        raise TypeError("only a number is compared")

    @abstractmethod
    def read(self, model: Anything) -> Answer | None:
        """The answer that a model of the solver gives; None: unknown."""


class _ChoiceAnswer(_Answer):
    """The values still possible; none of the variables true means unknown. `parts`: may more than one be possible?"""

    def __init__(self, name: str, values: tuple[str, ...], *, parts: bool) -> None:
        self.possible = {v: z3.Bool(f"{name}={v}") for v in values}
        self.boolean = values == ("yes", "no")
        every = list(self.possible.values())
        self.known = z3.Or(*every)
        self.constraints = [z3.Not(z3.And(*every)) if parts else z3.AtMost(*every, 1)]
        self.size = 2 ** len(values) - 1 if parts else len(values) + 1

    def one_of(self, values: frozenset[str]) -> Rail:
        inside = z3.Or(*(p for v, p in self.possible.items() if v in values))
        outside = z3.Or(*(p for v, p in self.possible.items() if v not in values))
        return Rail(z3.And(inside, z3.Not(outside)), z3.And(outside, z3.Not(inside)))

    def read(self, model: Anything) -> Answer | None:
        values = frozenset(v for v, p in self.possible.items() if _said(model, p))
        if not values:
            return None
        return YesNo("yes" in values) if self.boolean else OneOf(values)


class _MultiAnswer(_Answer):
    """Options that are so, that are not so, and groups of which at least one is so (coarse answers, and 'not none')."""

    def __init__(self, finding: Finding) -> None:
        self.yes = {o: z3.Bool(f"{finding.id}.{o}") for o in finding.options}
        self.no = {o: z3.Bool(f"{finding.id}.{o}.not") for o in finding.options}
        self.some = {group: z3.Bool(f"{finding.id}.{'|'.join(sorted(group))}") for group in _groups(finding)}
        self.possible = {}
        self.known = z3.Or(*self.yes.values(), *self.no.values(), *self.some.values())
        self.constraints = [z3.Not(z3.And(self.yes[o], self.no[o])) for o in finding.options]
        self.constraints += [z3.Implies(said, self._open(group)) for group, said in self.some.items()]
        self.size = 3 ** len(self.yes) * 2 ** len(self.some)

    def _open(self, group: frozenset[str]) -> Formula:
        """A group says something of its own: none of it is known to be so, and two or more may be."""
        return z3.And(z3.Not(z3.Or(*(self.yes[o] for o in group))), z3.AtMost(*(self.no[o] for o in group), len(group) - 2))

    def one_of(self, values: frozenset[str]) -> Rail:
        within = [z3.And(said, *(self.no[o] for o in group - values)) for group, said in self.some.items() if group & values]
        return Rail(z3.Or(*(self.yes[o] for o in values), *within), z3.And(*(self.no[o] for o in values)))

    def read(self, model: Anything) -> Answer | None:
        yes, no = ({o for o, said in rail.items() if _said(model, said)} for rail in (self.yes, self.no))
        some = tuple(group - no for group, said in self.some.items() if _said(model, said))
        return Options(frozenset(yes), frozenset(no), some) if yes or no or some else None


def _groups(finding: Finding) -> Iterator[frozenset[str]]:
    """The groups that an answer can name: coarse answers, and all options when 'none of these' is denied."""
    named = {frozenset(map(str, members)) for members in finding.coarse.values()}
    every = {frozenset(finding.options)} if finding.none_value else set()
    yield from sorted((g for g in named | every if len(g) > 1), key=sorted)


class _NumberAnswer(_Answer):
    """A range within what is possible. `exact`: it is one number."""

    def __init__(self, name: str, span: tuple[float, float], *, exact: bool) -> None:
        self.possible = {}
        self.known = z3.Bool(f"{name} known")
        self.low = z3.Real(f"{name} low")
        self.high = self.low if exact else z3.Real(f"{name} high")
        self.constraints = [self.low >= span[0], self.low <= self.high, self.high <= span[1]]
        self.size = 2

    def compare(self, op: str, bound: float) -> Rail:
        low, high = _compared(self.low, op, bound), _compared(self.high, op, bound)
        return Rail(z3.And(self.known, low, high), z3.And(self.known, z3.Not(low), z3.Not(high)))

    def read(self, model: Anything) -> Answer | None:
        return Between(_number(model, self.low), _number(model, self.high)) if _said(model, self.known) else None


def _compared(variable: Anything, op: str, bound: float) -> Formula:
    limit = z3.RealVal(str(Fraction(str(bound))))
    return {"<": variable < limit, "<=": variable <= limit, ">": variable > limit, ">=": variable >= limit}[op]


def _said(model: Anything, formula: Formula) -> bool:
    return bool(z3.is_true(model.eval(formula, model_completion=True)))


def _number(model: Anything, variable: Anything) -> float:
    value = model.eval(variable, model_completion=True)
    return float(Fraction(value.numerator_as_long(), value.denominator_as_long()))


class RuleFormulas:
    """The rules of a knowledge base over one answer space."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.space = Space(knowledge)

    @cached_property
    def rules(self) -> dict[str, Rail]:
        """Rule id to when it fires (true) and when it cannot (false)."""
        return {rule: self.space.rail(when) for rule, when in self.knowledge.rule_when.items()}

    @cached_property
    def floor(self) -> Formula:
        """A danger sign has not been answered."""
        return z3.Or(*(z3.Not(self.space[sign].known) for sign in self.knowledge.danger_signs))

    def at_least(self, level: int, without: str | None = None) -> Formula:
        """The rules ask for this urgency or more; `without`: a rule that is left out."""
        asking = [rail.true for rule, rail in self.rules.items() if self.knowledge.rules[rule].urgency >= level and rule != without]
        return z3.Or(*asking, *([self.floor] if level <= 1 else []))
