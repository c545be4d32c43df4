"""Rules in plain English: every finding is named, no id is left, and what means something else reads otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any as Raw

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soleus.delivery.rule_words import in_words
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Not, evaluate, findings_in, parse
from soleus.knowledge.load import load_knowledge
from tests.spec.strategies import cases, expressions

KNOWLEDGE = load_knowledge()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("fever", "fever: yes"),
        ({"not": "fever"}, "fever: no"),
        ("known fever", "fever: known"),
        ({"not": "known fever"}, "fever: not known"),
        ("diabetes is type_1", "diabetes: “type 1”"),
        ("diabetes in [type_2, type_1]", "diabetes: “type 1” or “type 2”"),
        ({"not": "diabetes in [type_1, type_2]"}, "diabetes: none of “type 1”, “type 2”"),
        ("weakness_kind has move_whole_leg", "what you are too weak to do: includes “move the whole leg”"),
        ({"not": "weakness_kind has move_whole_leg"}, "what you are too weak to do: does not include “move the whole leg”"),
        ("temperature >= 38", "body temperature: 38 °C or more"),
        ({"not": "temperature >= 38"}, "body temperature: less than 38 °C"),
        ("abi_rest <= 0.9", "ankle-brachial index at rest: 0.9 or less"),
        ("creatine_kinase > 1000000", "creatine kinase: more than 1,000,000 U/L"),
        ("age >= 65", "age: 65 years or more"),
        ("sex is female", "sex: “female”"),
        ({"not": {"not": "fever"}}, "fever: yes"),
        ({"all": ["fever"]}, "fever: yes"),
        ({"certain": "diabetes is type_1"}, "it is known that “diabetes” is “type 1”"),
        ({"not": {"certain": "diabetes is type_1"}}, "it is not known that “diabetes” is “type 1”"),
        ({"not": {"certain": {"not": "fever"}}}, "it is not known that “fever” is no"),
        ({"certain": {"not": {"certain": "fever"}}}, "it is known that it is not known that “fever” is yes"),
        ({"all": ["known fever", "diabetes is type_1"]}, "all of these:\n- fever: known\n- diabetes: “type 1”"),
        ({"not": {"any": ["fever", "leg_red"]}}, "none of these:\n- fever: yes\n- red skin on the leg: yes"),
        ({"not": {"all": ["fever", "leg_red"]}}, "not all of these:\n- fever: yes\n- red skin on the leg: yes"),
        ({"not": {"at_least": 2, "of": ["fever", "leg_red"]}}, "fewer than 2 of these:\n- fever: yes\n- red skin on the leg: yes"),
        (
            {"any": ["age > 50", {"at_least": 2, "of": ["fever", {"not": {"certain": {"all": ["leg_red", "age < 9"]}}}]}]},
            "at least one of these:\n- age: more than 50 years\n- at least 2 of these:\n  - fever: yes\n"
            "  - it is not known that all of these hold:\n    - red skin on the leg: yes\n    - age: less than 9 years",
        ),
    ],
)
def test_reads_like_this(raw: Raw, text: str) -> None:
    names = {finding: KNOWLEDGE.findings[finding].name for finding in ("temperature", "leg_red")}
    expected = text.replace("body temperature", names["temperature"]).replace("red skin on the leg", names["leg_red"])
    assert in_words(parse(raw), KNOWLEDGE) == expected


@pytest.mark.parametrize("rule", KNOWLEDGE.rule_when)
def test_a_rule_names_each_finding_it_reads_and_has_no_ids(rule: str) -> None:
    text = in_words(KNOWLEDGE.rule_when[rule], KNOWLEDGE)
    for finding in findings_in(KNOWLEDGE.rule_when[rule]):
        assert (KNOWLEDGE.findings[finding].name if finding in KNOWLEDGE.findings else finding) in text
    assert "_" not in text
    assert "@" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_names_and_labels_tell_findings_and_values_apart() -> None:
    """What the texts rest on: a name names one finding, a label one of its values, and neither holds a quotation mark."""
    names = [finding.name for finding in KNOWLEDGE.findings.values()]
    assert len(set(names)) == len(names)
    assert not {"age", "sex"} & set(names)
    for finding in KNOWLEDGE.findings.values():
        assert len(set(finding.values.values())) == len(finding.values), finding.id
        assert not any(mark in text for text in (finding.name, *finding.values.values()) for mark in "“”\n")


# -- what means something else reads otherwise -----------------------------------------------------


def mutants(expression: Expression) -> Iterator[Expression]:
    """Expressions with one change: a leaf negated or its values or bound changed, a list's kind, count or length changed."""
    match expression:
        case Not(part):
            yield part
            yield from (Not(mutant) for mutant in mutants(part))
        case Certain(part):
            yield part
            yield Not(expression)
            yield from (Certain(mutant) for mutant in mutants(part))
        case All(parts) | Any(parts) | AtLeast(_, parts):
            yield from _lists_like(expression, parts)
            for i, part in enumerate(parts):
                yield from (replace(expression, parts=(*parts[:i], mutant, *parts[i + 1 :])) for mutant in mutants(part))
        case leaf:
            yield Not(leaf)
            yield Known(leaf.finding)
            yield Certain(leaf)
            if isinstance(leaf, Compare):
                yield replace(leaf, bound=leaf.bound + 0.01)
                yield from (replace(leaf, op=op) for op in ("<", "<=", ">", ">=") if op != leaf.op)
            if isinstance(leaf, Is) and len(leaf.values) > 1:
                yield replace(leaf, values=frozenset(sorted(leaf.values)[1:]))
            if isinstance(leaf, Has) and len(leaf.options) > 1:
                yield replace(leaf, options=frozenset(sorted(leaf.options)[1:]))


def _lists_like(expression: Expression, parts: tuple[Expression, ...]) -> Iterator[Expression]:
    yield Not(expression)
    yield Certain(expression)
    yield from (AtLeast(count, parts) for count in range(1, len(parts) + 1))
    for some in (parts, parts[1:]) if len(parts) > 1 else (parts,):
        yield All(some)
        yield Any(some)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_same_text_has_the_same_meaning(data: st.DataObject) -> None:
    expression = data.draw(expressions(KNOWLEDGE))
    mutant = data.draw(st.sampled_from(list(mutants(expression))))
    if in_words(mutant, KNOWLEDGE) == in_words(expression, KNOWLEDGE):
        for _ in range(3):
            case = data.draw(cases(KNOWLEDGE, All((expression, mutant))))
            assert evaluate(mutant, case) is evaluate(expression, case)


@given(expressions(KNOWLEDGE))
@settings(max_examples=200, deadline=None)
def test_a_negated_leaf_changes_the_text(expression: Expression) -> None:
    for mutant in negated_leaves(expression):
        assert in_words(mutant, KNOWLEDGE) != in_words(expression, KNOWLEDGE)


@pytest.mark.parametrize("rule", KNOWLEDGE.rule_when)
def test_a_negated_leaf_changes_a_rule_s_text(rule: str) -> None:
    texts = [in_words(mutant, KNOWLEDGE) for mutant in negated_leaves(KNOWLEDGE.rule_when[rule])]
    assert in_words(KNOWLEDGE.rule_when[rule], KNOWLEDGE) not in texts


def negated_leaves(expression: Expression) -> Iterator[Expression]:
    """The expression with one of its leaves negated, for each leaf."""
    match expression:
        case Not(part):
            yield from map(Not, negated_leaves(part))
        case Certain(part):
            yield from map(Certain, negated_leaves(part))
        case All(parts) | Any(parts) | AtLeast(_, parts):
            for i, part in enumerate(parts):
                yield from (replace(expression, parts=(*parts[:i], mutant, *parts[i + 1 :])) for mutant in negated_leaves(part))
        case leaf:
            yield Not(leaf)
