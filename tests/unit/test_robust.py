"""How many answers have to be wrong: checked against trying them all."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings

from soleus.knowledge.case import Case, YesNo, parse_answer
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.robust import rests_on, would_raise_if_wrong
from soleus.safety.rules import apply_rules
from tests.unit.test_rules import cases

KNOWLEDGE = load_knowledge()


def case(**answers: object) -> Case:
    told = {f: answer for f, raw in answers.items() if (answer := parse_answer(KNOWLEDGE.findings[f], raw)) is not None}
    return Case(60, "male", answers=told)


@pytest.mark.parametrize(
    ("answers", "level", "rests"),
    [
        ({"chest_pain_new": True}, "call_ambulance", {"chest_pain_new"}),
        ({"chest_pain_new": True, "coughing_blood": True}, "call_ambulance", {"chest_pain_new", "coughing_blood"}),
        ({"one_leg_swollen": True, "foot_sore_not_healing": True}, "same_day", {"one_leg_swollen", "foot_sore_not_healing"}),
        ({"leg_cold_new": True, "leg_pale_new": True, "foot_numb_new": False}, "call_ambulance", {"leg_cold_new"}),
        ({"fever": False}, "same_day", set()),
    ],
)
def test_the_answers_that_hold_the_urgency_up(answers: dict[str, object], level: str, rests: set[str]) -> None:
    assert set(rests_on(KNOWLEDGE, case(**answers), Urgency[level])) == rests


@settings(max_examples=60, deadline=None)
@given(cases())
def test_fewer_wrong_yes_or_no_answers_cannot_lower_the_urgency(person: Case) -> None:
    """All smaller sets of yes/no answers, turned round or taken back, are tried (up to two)."""
    level = apply_rules(KNOWLEDGE, person).urgency
    needed = len(rests_on(KNOWLEDGE, person, level))
    yes_no = [f for f, answer in person.answers.items() if isinstance(answer, YesNo)]
    for size in range(1, min(needed, 3)):
        for chosen in combinations(yes_no, size):
            for said in product((True, False), repeat=size):
                changed = person
                for finding, value in zip(chosen, said, strict=True):
                    changed = changed.with_answer(finding, YesNo(value))
                assert apply_rules(KNOWLEDGE, changed).urgency >= level or level <= Urgency.routine


@settings(max_examples=40, deadline=None)
@given(cases())
def test_a_no_that_hides_a_rule_is_named(person: Case) -> None:
    level = apply_rules(KNOWLEDGE, person).urgency
    hiding = would_raise_if_wrong(KNOWLEDGE, person, level)
    for finding, answer in person.answers.items():
        if isinstance(answer, YesNo):
            raised = apply_rules(KNOWLEDGE, person.with_answer(finding, YesNo(not answer.value))).urgency > level
            assert raised == (finding in hiding)
