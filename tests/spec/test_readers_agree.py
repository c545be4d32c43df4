"""Every reader of the rule language gives the same true, false or unknown, on generated and on real expressions.

To add a reader, add it to `READERS`. A kind of node that is in the language and never generated fails here, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any as Raw
from typing import get_args

import fhirpathpy
import pytest
from fhirpathpy.models import models
from hypothesis import given, settings
from hypothesis import strategies as st

from soleus.delivery.fhirpath import to_fhirpath, to_questionnaire_response
from soleus.knowledge.case import Case, OneOf, Options, YesNo
from soleus.knowledge.check import leaf_fault
from soleus.knowledge.expression import Certain, Compare, Expression, Has, Is, Known, Truth, evaluate, leaves, parse
from soleus.knowledge.load import load_knowledge
from soleus.safety.columns import Table, evaluate_columns
from tests.spec.strategies import NODES, Strategy, cases, expressions, expressions_with_cases, kinds_in, subtrees

KNOWLEDGE = load_knowledge()
DEFINITIONS = {d.id: d.when for d in KNOWLEDGE.definitions.values()}
OTHERS: tuple[Expression, ...] = (
    *(parse(f"@{name}", DEFINITIONS) for name in DEFINITIONS),
    *KNOWLEDGE.ask_if.values(),
    *(when for whens in KNOWLEDGE.not_if.values() for when in whens),
    *KNOWLEDGE.situation_when.values(),
    *(when for whens in KNOWLEDGE.never_when.values() for when in whens),
)
"""Every expression of the knowledge base that is not a rule's."""
F = frozenset


# -- readers ---------------------------------------------------------------------------------------


@cache
def _engine(text: str) -> Callable[..., Raw]:
    return fhirpathpy.compile(text, models["r4"])


def by_fhirpath(expression: Expression, case: Case) -> Truth:
    """What a FHIRPath engine makes of the response, sent as JSON."""
    sent = json.dumps(to_questionnaire_response(case, KNOWLEDGE))
    result = _engine(to_fhirpath(expression, KNOWLEDGE))(json.loads(sent, parse_float=Decimal))
    assert result in ([], [True], [False])
    return result[0] if result else None


def by_columns(expression: Expression, case: Case) -> Truth:
    truths = evaluate_columns(expression, Table.of([case], KNOWLEDGE))
    (true,), (false,) = truths.true, truths.false
    assert not (true and false)
    return True if true else False if false else None


READERS: Mapping[str, Callable[[Expression, Case], Truth]] = {"fhirpath": by_fhirpath, "columns": by_columns}


@pytest.mark.parametrize("reader", READERS)
def test_on_generated_expressions(reader: str) -> None:
    seen: set[tuple[type, Truth]] = set()

    @settings(max_examples=300, deadline=None)
    @given(expressions_with_cases(KNOWLEDGE))
    def agree(pair: tuple[Expression, Case]) -> None:
        expression, case = pair
        seen.update((type(part), evaluate(part, case)) for part in subtrees(expression))
        assert READERS[reader](expression, case) is evaluate(expression, case)

    agree()
    wanted = {(kind, truth) for kind in get_args(Expression) for truth in (True, False, None)} - {(Known, None), (Certain, None)}
    assert wanted <= seen, f"never compared: {wanted - seen}"


def agreed(expression: Expression, case: Case) -> None:
    """Every reader gives what `evaluate` gives."""
    truth = evaluate(expression, case)
    assert {reader: read(expression, case) for reader, read in READERS.items()} == dict.fromkeys(READERS, truth)


@pytest.mark.parametrize("rule", KNOWLEDGE.rule_when)
def test_on_every_rule(rule: str) -> None:
    @settings(max_examples=20, deadline=None)
    @given(cases(KNOWLEDGE, KNOWLEDGE.rule_when[rule]))
    def agree(case: Case) -> None:
        agreed(KNOWLEDGE.rule_when[rule], case)

    agree()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_on_every_other_expression(data: st.DataObject) -> None:
    """Definitions, contraindications, conditions of questions, situations and what advice is never given in."""
    expression = data.draw(st.sampled_from(OTHERS))
    agreed(expression, data.draw(cases(KNOWLEDGE, expression)))


# -- the generators --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sometimes:
    """A kind of node that the language does not have."""

    finding: str


def never_generated(strategy: Strategy[Expression], language: Raw) -> set[type]:
    """Members of the union `language` that are in none of 500 generated expressions."""
    seen: set[type] = set()

    @settings(max_examples=500, deadline=None, database=None)
    @given(strategy)
    def look(expression: Expression) -> None:
        seen.update(kinds_in(expression))

    look()
    return set(get_args(language)) - seen


def test_every_kind_of_node_is_generated() -> None:
    assert never_generated(expressions(KNOWLEDGE), Expression) == set()
    assert {kind for kind in get_args(Expression) if not hasattr(kind, "finding")} == set(NODES)


def test_a_kind_that_is_not_generated_is_noticed() -> None:
    assert never_generated(expressions(KNOWLEDGE), Expression | Sometimes) == {Sometimes}
    without = expressions(KNOWLEDGE).filter(lambda expression: Known not in kinds_in(expression))
    assert never_generated(without, Expression) == {Known}


@given(expressions(KNOWLEDGE))
@settings(deadline=None)
def test_generated_leaves_fit_their_findings(expression: Expression) -> None:
    assert [leaf_fault(KNOWLEDGE, leaf) for leaf in leaves(expression)] == [None] * len(list(leaves(expression)))


def test_age_and_sex_are_read_and_answers_are_of_every_shape() -> None:
    seen: set[str] = set()

    @settings(max_examples=1000, deadline=None, database=None)
    @given(expressions_with_cases(KNOWLEDGE))
    def look(pair: tuple[Expression, Case]) -> None:
        seen.update(_shapes(*pair))

    look()
    assert seen >= {
        "age",
        "no age",
        "sex",
        "no sex",
        "yes",
        "no",
        "one",
        "part",
        "ticked",
        "denied",
        "group",
        "group met",
        "number",
        "range",
        "open",
    }


def _shapes(expression: Expression, case: Case) -> set[str]:
    read = list(leaves(expression))
    shapes = {"age" if case.known("age") else "no age" for leaf in read if isinstance(leaf, Compare) and leaf.finding == "age"}
    shapes |= {"sex" if case.known("sex") else "no sex" for leaf in read if isinstance(leaf, Is) and leaf.finding == "sex"}
    shapes |= {"open" for leaf in read if leaf.finding in KNOWLEDGE.findings and not case.known(leaf.finding)}
    shapes |= {"group met" for leaf in read if isinstance(leaf, Has) and _by_a_group(leaf, case)}
    for answer in case.answers.values():
        match answer:
            case YesNo(value):
                shapes.add("yes" if value else "no")
            case OneOf(values):
                shapes.add("one" if len(values) == 1 else "part")
            case Options(yes, no, some):
                shapes |= {name for name, there in (("ticked", yes), ("denied", no), ("group", some)) if there}
            case _:
                shapes.add("number" if answer.low == answer.high else "range")
    return shapes


def _by_a_group(leaf: Has, case: Case) -> bool:
    """Whether the leaf is true though none of its options alone is known to be so."""
    answer = case.answers.get(leaf.finding)
    return isinstance(answer, Options) and not answer.yes & leaf.options and evaluate(leaf, case) is True


# -- the response ----------------------------------------------------------------------------------


def test_a_response_is_a_tree_of_items() -> None:
    (multi,) = [f for f in KNOWLEDGE.findings.values() if f.type == "multi" and len(f.coarse) > 0][:1]
    first, second, third = multi.options[:3]
    answer = Options(F({first}), F({second}), (F({second, third}), F({third, multi.options[3]})))
    sent = to_questionnaire_response(Case(age=70, answers={multi.id: answer}), KNOWLEDGE)
    assert sent["status"] == "completed"
    assert [item["linkId"] for item in sent["item"]] == ["age", multi.id]
    children = {item["linkId"]: item for item in sent["item"][1]["item"]}
    assert [children[f"{multi.id}.{option}"]["answer"][0]["valueBoolean"] for option in (first, second, third)] == [True, False, True]
    (group,) = children[f"{multi.id}.some-of"]["item"]
    assert {entry["valueCoding"]["code"] for entry in group["answer"]} == {third, multi.options[3]}


def test_nothing_known_is_a_response_without_items() -> None:
    assert to_questionnaire_response(Case(), KNOWLEDGE) == {"resourceType": "QuestionnaireResponse", "status": "completed"}


def test_a_finding_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown finding 'feverr'; did you mean fever"):
        to_fhirpath(parse("feverr"), KNOWLEDGE)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_number_on_its_bound(data: st.DataObject) -> None:
    """Bounds such as 0.9 have no exact binary form; the readers have to agree there above all."""
    numbers = [f for f in KNOWLEDGE.findings.values() if f.type == "number"]
    finding = data.draw(st.sampled_from(numbers))
    assert finding.range is not None
    bound = round(data.draw(st.floats(*finding.range)), 2)
    expression = parse(f"{finding.id} {data.draw(st.sampled_from(['<', '<=', '>', '>=']))} {bound}")
    agreed(expression, data.draw(cases(KNOWLEDGE, expression)))
