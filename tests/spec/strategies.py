"""Expressions and cases over the real knowledge base, for every test that holds two readers of the rules against each other.

`expressions` makes every kind of node; `cases` answers the findings that an expression reads, in every way in which an answer
can be given: not at all, in part, by a coarse name, as a range, as a group, on a bound and beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any as Raw

from hypothesis import strategies as st

from soleus.knowledge.case import Case, parse_answer
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Leaf, Not, Yes, findings_in, leaves
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding

Strategy = st.SearchStrategy
SEXES = ("female", "male")
AGES = (0.0, 120.0)


# -- expressions -----------------------------------------------------------------------------------


def expressions(knowledge: Knowledge) -> Strategy[Expression]:
    """Trees of every kind over one to four findings (age and sex among them), so that a finding is often read more than once."""
    by_type: dict[str, list[str]] = {"age": ["age"], "sex": ["sex"]}
    for finding in knowledge.findings.values():
        by_type.setdefault(finding.type, []).append(finding.id)
    names = st.one_of(*(st.sampled_from(ids) for ids in by_type.values()))  # each type as often as the others
    about = {name: leaves_about(name, knowledge) for ids in by_type.values() for name in ids}
    return _trees(st.lists(names, min_size=1, max_size=4, unique=True), about)


@st.composite
def _trees(draw: st.DrawFn, pools: Strategy[list[str]], about: Mapping[str, Strategy[Leaf]]) -> Expression:
    pool = st.sampled_from(draw(pools))

    def tree(depth: int, kinds: list[type | None]) -> Expression:
        kind = draw(st.sampled_from(kinds)) if depth else None
        if kind is None:
            return draw(about[draw(pool)])
        return NODES[kind](draw, lambda: tree(depth - 1, [None, None, None, *NODES]))

    return tree(3, [None, *NODES])


def leaves_about(name: str, knowledge: Knowledge) -> Strategy[Leaf]:
    """Leaves that make sense for this finding, as `soleus kb check` has it."""
    known: Strategy[Leaf] = st.just(Known(name))
    if name == "age":
        return _compare(name, AGES) | known
    if name == "sex":
        return _some_of(SEXES).map(lambda values: Is(name, values)) | known
    finding = knowledge.findings[name]
    match finding.type:
        case "boolean":
            return st.just(Yes(name)) | known
        case "choice":
            return _some_of(tuple(finding.values)).map(lambda values: Is(name, values)) | known
        case "multi":
            groups = st.sampled_from([frozenset(map(str, members)) for members in (finding.options, *finding.coarse.values())])
            return (_some_of(finding.options) | groups).map(lambda options: Has(name, options)) | known
    assert finding.range is not None
    return _compare(name, finding.range) | known


def _some_of(names: tuple[str, ...]) -> Strategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names), min_size=1, max_size=4)


def _compare(name: str, span: tuple[float, float]) -> Strategy[Leaf]:
    """Bounds have at most two places, as bounds in rules have."""
    bounds = st.floats(*span).map(lambda bound: round(bound, 2))
    return st.builds(Compare, st.just(name), st.sampled_from(["<", "<=", ">", ">="]), bounds)


def _parts(draw: st.DrawFn, part: Callable[[], Expression]) -> tuple[Expression, ...]:
    return tuple(part() for _ in range(draw(st.integers(1, 3))))


def _at_least(draw: st.DrawFn, part: Callable[[], Expression]) -> Expression:
    parts = _parts(draw, part)
    return AtLeast(draw(st.integers(1, len(parts))), parts)


NODES: Mapping[type, Callable[[st.DrawFn, Callable[[], Expression]], Expression]] = {
    Not: lambda _, part: Not(part()),
    Certain: lambda _, part: Certain(part()),
    All: lambda draw, part: All(_parts(draw, part)),
    Any: lambda draw, part: Any(_parts(draw, part)),
    AtLeast: _at_least,
}
"""Each kind of node that has parts, from a way to draw a part."""


def subtrees(expression: Expression) -> Iterator[Expression]:
    """The expression and every expression in it."""
    yield expression
    match expression:
        case Not(part) | Certain(part):
            yield from subtrees(part)
        case All(parts) | Any(parts) | AtLeast(_, parts):
            for part in parts:
                yield from subtrees(part)


def kinds_in(expression: Expression) -> set[type]:
    """The kinds of node of which the tree is made."""
    return {type(part) for part in subtrees(expression)}


# -- cases -----------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn, knowledge: Knowledge, expression: Expression) -> Case:
    """A case that answers, or leaves open, each finding that the expression reads; contradictions are left open."""
    bounds: dict[str, list[float]] = {}
    for leaf in leaves(expression):
        if isinstance(leaf, Compare):
            bounds.setdefault(leaf.finding, []).append(leaf.bound)
    case = Case(age=draw(st.none() | _numbers(AGES, bounds.get("age", []))), sex=draw(st.none() | st.sampled_from(SEXES)))
    for name in findings_in(expression):
        if name in knowledge.findings:
            finding = knowledge.findings[name]
            case = case.with_answer(name, _answer(finding, draw(raw_answers(finding, bounds.get(name, [])))))
    return case


def _answer(finding: Finding, raw: Raw) -> Raw:
    try:
        return parse_answer(finding, raw)
    except ValueError:
        return None


def raw_answers(finding: Finding, bounds: list[float]) -> Strategy[Raw]:
    """What may stand in a case file for this finding, unknown included; numbers often on and beside `bounds`."""
    names = [*finding.values, *finding.coarse]
    match finding.type:
        case "boolean":
            return st.sampled_from([True, False, None])
        case "choice":
            return st.none() | st.sampled_from(names) | st.lists(st.sampled_from(names), min_size=1, max_size=4)
        case "multi":
            said = st.dictionaries(st.sampled_from(names), st.sampled_from([True, False, False, None]), max_size=len(names))
            none_of_these = st.just(dict.fromkeys(finding.options, False))
            one_of_a_group = st.sampled_from([*([{finding.none_value: False}] if finding.none_value else []), *finding.coarse, None])
            return st.none() | st.lists(st.sampled_from(names), max_size=3) | said | none_of_these | one_of_a_group
    assert finding.range is not None
    number = _numbers(finding.range, bounds)
    span = st.tuples(number, number).map(lambda ends: {"min": min(ends), "max": max(ends)})
    return st.none() | number | span | (st.sampled_from(list(finding.coarse)) if finding.coarse else st.nothing())


def _numbers(span: tuple[float, float], bounds: list[float]) -> Strategy[float]:
    beside = [bound + step for bound in bounds for step in (-0.01, 0, 0.01) if span[0] <= bound + step <= span[1]]
    anywhere = st.floats(*span, allow_subnormal=False)
    return anywhere | st.sampled_from(beside) if beside else anywhere


def expressions_with_cases(knowledge: Knowledge) -> Strategy[tuple[Expression, Case]]:
    """An expression and a case that answers what it reads."""
    return expressions(knowledge).flatmap(lambda expression: st.tuples(st.just(expression), cases(knowledge, expression)))
