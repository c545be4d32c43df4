"""The column reader says of every row what the reader of one case says of that case."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, combinations_with_replacement
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo, parse_answer
from soleus.knowledge.expression import Compare, Expression, Has, Is, evaluate, findings_in, leaves, parse
from soleus.knowledge.load import Knowledge, load_knowledge
from soleus.knowledge.schema import Finding
from soleus.safety.columns import TOGETHER, Table, Truths, apply_columns, evaluate_columns
from soleus.safety.rules import apply_rules
from tests.spec.test_expression import CASE, DEFINITIONS, TABLE
from tests.unit.test_case import raw_answers
from tests.unit.test_rules import cases

KNOWLEDGE = load_knowledge()
COMPARED = [leaf for when in KNOWLEDGE.rule_when.values() for leaf in leaves(when) if isinstance(leaf, Compare)]
BOUNDS = {name: sorted({leaf.bound for leaf in COMPARED if leaf.finding == name}) for name in ("age", *KNOWLEDGE.findings)}
"""The numbers that rules compare a finding with."""


def in_row(truths: Truths, row: int) -> bool | None:
    """What the columns say of one row; both at once is a fault."""
    assert not (truths.true[row] and truths.false[row])
    return True if truths.true[row] else False if truths.false[row] else None


# -- the meaning, as a table -----------------------------------------------------------------------

Op = Literal["<", "<=", ">", ">="]
Kind = Literal["boolean", "choice", "multi", "number"]
TYPES: dict[type[Answer], Kind] = {YesNo: "boolean", OneOf: "choice", Options: "multi", Between: "number"}


def finding(name: str, kind: Kind) -> Finding:
    values = {"choice": "abcd", "multi": "xyz"}.get(kind, "")
    fields: dict[str, Any] = {"values": {v: v for v in values}} | ({"unit": "1", "range": (0, 10)} if kind == "number" else {})
    return Finding(id=name, kind="symptom", by="person", type=kind, name=name, question=name, why=name, depends_on="nothing", **fields)


def knows(answers: dict[str, Answer]) -> Knowledge:
    """The knowledge base with findings that these could be answers to instead of its own."""
    return replace(KNOWLEDGE, findings={name: finding(name, TYPES[type(a)]) for name, a in answers.items()})


SMALL = knows(dict(CASE.answers))


@pytest.mark.parametrize(("raw", "truth"), TABLE, ids=[str(raw) for raw, _ in TABLE])
def test_meaning(raw: Any, truth: bool | None) -> None:
    """In the row of that case, and unmoved by its neighbours."""
    table = Table.of([Case(), CASE, Case(), CASE], SMALL)
    truths = evaluate_columns(parse(raw, DEFINITIONS), table)
    assert [in_row(truths, row) for row in (1, 3)] == [truth, truth]
    assert in_row(truths, 0) is in_row(truths, 2) is evaluate(parse(raw, DEFINITIONS), Case())


@pytest.mark.parametrize("raw", ["one is elsewhere", "ticks has elsewhere", "ticks has [y, elsewhere]", "one", "number has x", "yes is a"])
def test_a_value_or_a_type_that_the_finding_does_not_have(raw: str) -> None:
    assert in_row(evaluate_columns(parse(raw), Table.of([CASE], SMALL)), 0) is evaluate(parse(raw), CASE)


SETS = {names: [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)] for names in ("abcd", "xyz")}
GROUPS = [(), *((group,) for group in SETS["xyz"] if group), (frozenset("xy"), frozenset("yz"))]
EVERY: dict[str, list[Answer]] = {
    "one": [OneOf(values) for values in SETS["abcd"] if values],
    "ticks": [Options(yes, no, some) for yes in SETS["xyz"] for no in SETS["xyz"] for some in GROUPS],
    "number": [Between(low, high) for low, high in combinations_with_replacement(range(5), 2)],
}
"""Every answer to a small finding, those that contradict themselves included."""
ASKED: dict[str, list[Expression]] = {
    "one": [Is("one", values) for values in SETS["abcd"] if values],
    "ticks": [Has("ticks", options) for options in SETS["xyz"] if options],
    "number": [Compare("number", op, bound) for op in get_args(Op) for bound in range(5)],
}


@pytest.mark.parametrize("name", EVERY)
def test_every_question_about_every_answer(name: str) -> None:
    batch = [Case(answers={name: answer}) for answer in EVERY[name]]
    table = Table.of(batch, SMALL)
    for asked in ASKED[name]:
        truths = evaluate_columns(asked, table)
        assert [in_row(truths, row) for row in range(len(batch))] == [evaluate(asked, case) for case in batch], asked


def test_an_answer_of_another_type_is_no_table() -> None:
    with pytest.raises(TypeError, match=r"number: got YesNo\(value=True\); a number finding has answers of type Between"):
        Table.of([Case(answers={"number": YesNo(True)})], SMALL)


# -- the real rules --------------------------------------------------------------------------------


@st.composite
def numbers(draw: st.DrawFn, name: str) -> Between:
    """A number, or a span of numbers, on the edges that rules ask about or between them."""
    low, high = KNOWLEDGE.findings[name].range or (0, 0)
    ends = st.sampled_from([low, high, *BOUNDS[name]]) | st.floats(low, high)
    first, second = draw(ends), draw(ends)
    return draw(st.sampled_from([Between(first, first), Between(min(first, second), max(first, second))]))


@st.composite
def near_a_rule(draw: st.DrawFn) -> Case:
    """Any case, and besides any answers to what one of the rules asks about."""
    ages = st.none() | st.floats(18, 95) | st.sampled_from([float(b) for b in BOUNDS["age"]])
    found = replace(draw(cases()), age=draw(ages), sex=draw(st.sampled_from([None, "male", "female"])))
    for name in findings_in(KNOWLEDGE.rule_when[draw(st.sampled_from(list(KNOWLEDGE.rules)))]):
        if name in KNOWLEDGE.findings:
            found = found.with_answer(name, draw(answers(KNOWLEDGE.findings[name])))
    return found


@st.composite
def answers(draw: st.DrawFn, finding: Finding) -> Answer | None:
    if finding.type == "number":
        return draw(st.none() | numbers(finding.id))
    try:
        return parse_answer(finding, draw(raw_answers(finding)))
    except ValueError:
        return None


@settings(max_examples=60, deadline=None)
@given(st.lists(near_a_rule(), max_size=8))
def test_every_rule_reads_the_same_in_columns(batch: list[Case]) -> None:
    table = Table.of(batch, KNOWLEDGE)
    for rule, when in KNOWLEDGE.rule_when.items():
        truths = evaluate_columns(when, table)
        assert len(truths.true) == len(truths.false) == len(batch)
        assert [in_row(truths, row) for row in range(len(batch))] == [evaluate(when, case) for case in batch], rule


@settings(max_examples=60, deadline=None)
@given(st.lists(near_a_rule(), max_size=8))
def test_the_outcome_is_the_same_in_columns(batch: list[Case]) -> None:
    columns = apply_columns(KNOWLEDGE, Table.of(batch, KNOWLEDGE))
    for row, case in enumerate(batch):
        outcome = apply_rules(KNOWLEDGE, case)
        assert columns.urgency[row] == outcome.urgency
        assert {r for r, fired in zip(columns.rules, columns.fired[:, row], strict=True) if fired} == {r.id for r in outcome.fired}
        assert {r for r, open_ in zip(columns.rules, columns.possible[:, row], strict=True) if open_} == {r.id for r in outcome.possible}


@settings(max_examples=20, deadline=None)
@given(st.lists(near_a_rule(), min_size=1, max_size=8))
def test_a_long_table_is_read_as_its_rows_are(batch: list[Case]) -> None:
    """Across the seam between the rows read at once."""
    table = Table.of(batch, KNOWLEDGE)
    rows = np.arange(TOGETHER + 5) % len(batch)
    once, often = apply_columns(KNOWLEDGE, table), apply_columns(KNOWLEDGE, table.part(rows))
    assert np.array_equal(once.fired[:, rows], often.fired)
    assert np.array_equal(once.possible[:, rows], often.possible)
    assert np.array_equal(once.urgency[rows], often.urgency)


def test_a_part_of_a_table_has_those_rows() -> None:
    table = Table.of([Case(age=30), Case(age=40), Case()], KNOWLEDGE)
    old = Compare("age", ">=", 40)
    assert [len(table.part(rows)) for rows in (slice(1, 9), np.array([2, 2, 0, 1]))] == [2, 4]
    assert evaluate_columns(old, table.part(np.array([2, 1, 1]))).true.tolist() == [False, True, True]


def test_silence_and_denial_in_columns() -> None:
    denied: dict[str, Answer] = {sign: YesNo(False) for sign in KNOWLEDGE.danger_signs}
    assert apply_columns(KNOWLEDGE, Table.of([Case(), Case(answers=denied)], KNOWLEDGE)).urgency.tolist() == [1, 0]
