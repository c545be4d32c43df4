"""The rules for many cases at once: a second reader of the rule language, written apart from `evaluate` and `Case`.

A case is a row. Each answer kind has its own column of NumPy arrays, and an expression is read over whole columns, so that
a million cases take seconds. Where the two readers differ, one of them is wrong: that is what this one is for, besides speed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any as Anything
from typing import Protocol, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Leaf, Not, Yes
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Sex, Urgency

Bools = NDArray[np.bool_]
Bits = NDArray[np.unsignedinteger[Anything]]
"""Sets of names, one a row: bit i is the i-th name."""
Rows = slice | NDArray[np.intp]
A = TypeVar("A", bound=Answer)
TOGETHER = 32768
"""Cases read at once: so many that their columns stay in the processor's cache."""


@dataclass(frozen=True)
class Truths:
    """What is known to be so and known not to be so, each (n,); where neither holds it is unknown."""

    true: Bools
    false: Bools

    @classmethod
    def certain(cls, true: Bools) -> Truths:
        """Truths without an unknown."""
        return cls(true, ~true)

    @property
    def known(self) -> Bools:
        return self.true | self.false

    def part(self, rows: Rows) -> Truths:
        return Truths(self.true[rows], self.false[rows])


class ColumnFacts(Protocol):
    """What an expression asks of n cases: `Facts`, with one answer a row."""

    def yes(self, finding: str) -> Truths: ...
    def is_one_of(self, finding: str, values: frozenset[str]) -> Truths: ...
    def has(self, finding: str, options: frozenset[str]) -> Truths: ...
    def compare(self, finding: str, op: str, bound: float) -> Truths: ...
    def known(self, finding: str) -> Truths: ...


# -- expressions -----------------------------------------------------------------------------------


def evaluate_columns(expression: Expression, facts: ColumnFacts) -> Truths:
    """The truth of the expression in each row, after Kleene's strong logic."""
    return _read(expression, facts, {})


def _read(expression: Expression, facts: ColumnFacts, seen: dict[Leaf, Truths]) -> Truths:
    """The truth of the expression; leaves that were read before are in `seen`, and arrays there are never written to."""
    match expression:
        case Not(part):
            inner = _read(part, facts, seen)
            return Truths(inner.false, inner.true)
        case Certain(part):
            return Truths.certain(_read(part, facts, seen).true)
        case All(parts):
            truths = [_read(part, facts, seen) for part in parts]
            return Truths(_every(t.true for t in truths), _some(t.false for t in truths))
        case Any(parts):
            truths = [_read(part, facts, seen) for part in parts]
            return Truths(_some(t.true for t in truths), _every(t.false for t in truths))
        case AtLeast(count, parts):
            truths = [_read(part, facts, seen) for part in parts]
            return Truths(_count(t.true for t in truths) >= count, _count(t.false for t in truths) > len(parts) - count)
    if (known := seen.get(expression)) is None:
        known = seen[expression] = _leaf(expression, facts)
    return known


def _leaf(leaf: Leaf, facts: ColumnFacts) -> Truths:
    match leaf:
        case Yes(finding):
            return facts.yes(finding)
        case Is(finding, values):
            return facts.is_one_of(finding, values)
        case Has(finding, options):
            return facts.has(finding, options)
        case Compare(finding, op, bound):
            return facts.compare(finding, op, bound)
        case Known(finding):
            return facts.known(finding)


def _every(columns: Iterable[Bools]) -> Bools:
    return reduce(np.logical_and, columns)


def _some(columns: Iterable[Bools]) -> Bools:
    return reduce(np.logical_or, columns)


def _count(columns: Iterable[Bools]) -> NDArray[np.int16]:
    return np.asarray(np.sum(list(columns), axis=0, dtype=np.int16))


# -- columns ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """A choice: the values still possible (n,), as bits over `names`; 0: unknown."""

    names: tuple[str, ...]
    possible: Bits

    @property
    def known(self) -> Bools:
        return np.asarray(self.possible != 0)

    def among(self, values: frozenset[str]) -> Truths:
        """Whether the value is one of `values`."""
        inside = _bits(self.names, values, self.possible.dtype)
        return Truths(self.known & (self.possible & ~inside == 0), self.known & (self.possible & inside == 0))

    def part(self, rows: Rows) -> Choice:
        return Choice(self.names, self.possible[rows])


@dataclass(frozen=True)
class Several:
    """Several choices, as bits over `names`: options that are so (n,), that are not so (n,), and in each column of `some` (n, groups)
    a group of which at least one is so; 0: no group."""

    names: tuple[str, ...]
    yes: Bits
    no: Bits
    some: Bits

    @property
    def known(self) -> Bools:
        return np.asarray((self.yes | self.no != 0) | (self.some != 0).any(axis=1))

    def has(self, options: frozenset[str]) -> Truths:
        """Whether at least one of `options` is so. An option that is none of `names` is never known not to be so."""
        asked = _bits(self.names, options, self.yes.dtype)
        true = self.yes & asked != 0
        for group in self.some.T:
            true |= (group != 0) & (group & ~self.no & ~asked == 0)
        denied = self.no & asked == asked if options <= set(self.names) else np.zeros_like(true)
        return Truths(true, denied & ~true)

    def part(self, rows: Rows) -> Several:
        return Several(self.names, self.yes[rows], self.no[rows], self.some[rows])


@dataclass(frozen=True)
class Span:
    """A number in the finding's unit (age: years): its least and greatest value still possible, each (n,); NaN: unknown."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def known(self) -> Bools:
        return ~np.isnan(self.low)

    def compare(self, op: str, bound: float) -> Truths:
        """Whether the number stands in relation `op` to `bound`; NaN is on neither side."""
        match op:
            case "<":
                return Truths(self.high < bound, self.low >= bound)
            case "<=":
                return Truths(self.high <= bound, self.low > bound)
            case ">":
                return Truths(self.low > bound, self.high <= bound)
            case _:
                return Truths(self.low >= bound, self.high < bound)

    def part(self, rows: Rows) -> Span:
        return Span(self.low[rows], self.high[rows])


Column = Truths | Choice | Several | Span


@dataclass(frozen=True)
class Table:
    """n cases. `columns`: `age`, `sex` and every finding that somebody answered, each by its type (yes/no: Truths); what has no column
    is unknown of everybody."""

    n: int
    columns: Mapping[str, Column]

    @classmethod
    def of(cls, cases: Sequence[Case], knowledge: Knowledge) -> Table:
        """One row a case, in their order. Raises KeyError for a finding or value that the knowledge base lacks, TypeError for an answer
        of another type than its finding's."""
        answered = sorted({finding for case in cases for finding in case.answers})
        columns = {f: _column(knowledge.findings[f], [case.answers.get(f) for case in cases]) for f in answered}
        ages = [None if case.age is None else Between(case.age, case.age) for case in cases]
        sexes = [None if case.sex is None else OneOf(frozenset({case.sex})) for case in cases]
        return cls(len(cases), {"age": _span(ages), "sex": _choice(get_args(Sex), sexes), **columns})

    def __len__(self) -> int:
        return self.n

    def part(self, rows: Rows) -> Table:
        """Some of the cases, in the order of `rows` (a row may come more than once)."""
        return Table(len(np.arange(self.n)[rows]), {name: column.part(rows) for name, column in self.columns.items()})

    def yes(self, finding: str) -> Truths:
        column = self.columns.get(finding)
        return column if isinstance(column, Truths) else self._unknown()

    def is_one_of(self, finding: str, values: frozenset[str]) -> Truths:
        column = self.columns.get(finding)
        return column.among(values) if isinstance(column, Choice) else self._unknown()

    def has(self, finding: str, options: frozenset[str]) -> Truths:
        column = self.columns.get(finding)
        return column.has(options) if isinstance(column, Several) else self._unknown()

    def compare(self, finding: str, op: str, bound: float) -> Truths:
        column = self.columns.get(finding)
        return column.compare(op, bound) if isinstance(column, Span) else self._unknown()

    def known(self, finding: str) -> Truths:
        column = self.columns.get(finding)
        return Truths.certain(self._unknown().true if column is None else column.known)

    def _unknown(self) -> Truths:
        return Truths(np.zeros(self.n, dtype=bool), np.zeros(self.n, dtype=bool))


def _column(finding: Finding, answers: Sequence[Answer | None]) -> Column:
    match finding.type:
        case "boolean":
            return _yes_no(_only(YesNo, answers, finding))
        case "choice":
            return _choice(tuple(finding.values), _only(OneOf, answers, finding))
        case "multi":
            return _several(finding.options, _only(Options, answers, finding))
        case "number":
            return _span(_only(Between, answers, finding))


def _only(kind: type[A], answers: Sequence[Answer | None], finding: Finding) -> list[A | None]:
    for answer in answers:
        if answer is not None and not isinstance(answer, kind):
            raise TypeError(f"{finding.id}: got {answer!r}; a {finding.type} finding has answers of type {kind.__name__}")
    return answers  # type: ignore[return-value]  # each was looked at


def _yes_no(answers: Sequence[YesNo | None]) -> Truths:
    return Truths(
        np.array([a is not None and a.value for a in answers], dtype=bool),
        np.array([a is not None and not a.value for a in answers], dtype=bool),
    )


def _choice(names: tuple[str, ...], answers: Sequence[OneOf | None]) -> Choice:
    return Choice(names, _sets(names, [() if a is None else a.values for a in answers]))


def _several(names: tuple[str, ...], answers: Sequence[Options | None]) -> Several:
    said = [Options() if a is None else a for a in answers]
    groups = max((len(a.some) for a in said), default=0)
    some = [group for a in said for group in (*a.some, *[()] * (groups - len(a.some)))]
    return Several(
        names,
        _sets(names, [a.yes for a in said]),
        _sets(names, [a.no for a in said]),
        _sets(names, some).reshape(len(said), groups),
    )


def _span(answers: Sequence[Between | None]) -> Span:
    return Span(
        np.array([np.nan if a is None else a.low for a in answers], dtype=np.float64),
        np.array([np.nan if a is None else a.high for a in answers], dtype=np.float64),
    )


def _sets(names: tuple[str, ...], sets: Sequence[Collection[str]]) -> Bits:
    """The sets as bits, shape (sets,), in the smallest type that holds `names`. Raises KeyError for what is none of them, ValueError
    for more than 64 names."""
    if len(names) > 64:
        raise ValueError(f"{len(names)} names; a column holds at most 64")
    bit = {name: 1 << i for i, name in enumerate(names)}
    return np.array([sum(bit[name] for name in chosen) for chosen in sets], dtype=np.min_scalar_type((1 << len(names)) - 1))


def _bits(names: tuple[str, ...], chosen: frozenset[str], kind: np.dtype[Anything]) -> Anything:
    """Those of `names` that are chosen, as one number of type `kind`."""
    return kind.type(sum(1 << i for i, name in enumerate(names) if name in chosen))


# -- rules -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleColumns:
    """What `apply_rules` says of each case. `rules`: ids in the order of the rows of `fired` and `possible`, each (rules, n);
    `urgency` (n,): an `Urgency` as number."""

    rules: tuple[str, ...]
    fired: Bools
    possible: Bools
    urgency: NDArray[np.int8]


def apply_columns(knowledge: Knowledge, table: Table) -> RuleColumns:
    """Read every rule for every case of the table."""
    shape = (len(knowledge.rule_when), len(table))
    out = RuleColumns(tuple(knowledge.rule_when), np.empty(shape, bool), np.empty(shape, bool), np.empty(len(table), np.int8))
    for start in range(0, len(table), TOGETHER):
        rows = slice(start, start + TOGETHER)
        _apply(knowledge, table.part(rows), out.fired[:, rows], out.possible[:, rows], out.urgency[rows])
    return out


def _apply(knowledge: Knowledge, table: Table, fired: Bools, possible: Bools, urgency: NDArray[np.int8]) -> None:
    """Read every rule for a table that fits the cache, into `fired`, `possible` and `urgency`."""
    seen: dict[Leaf, Truths] = {}
    urgency[:] = Urgency.self_care
    for sign in knowledge.danger_signs:
        urgency[table.known(sign).false] = Urgency.routine
    for row, (rule, when) in enumerate(knowledge.rule_when.items()):
        truths = _read(when, table, seen)
        fired[row] = truths.true
        np.logical_not(truths.known, out=possible[row])
        np.maximum(urgency, truths.true * np.int8(knowledge.rules[rule].urgency), out=urgency)
