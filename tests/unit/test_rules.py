"""Every safety rule on both sides of its boundary, and the invariants of urgency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import soleus
from soleus.knowledge.case import Case, YesNo, parse_answer, parse_case
from soleus.knowledge.expression import evaluate
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.read import read_yaml
from soleus.knowledge.schema import Urgency
from soleus.safety.rules import apply_rules, what_would_raise
from tests.unit.test_case import raw_answers

KNOWLEDGE = load_knowledge()
CASES = read_yaml((Path(__file__).parents[1] / "cases" / "rules.yaml").read_text(), "rules.yaml").data


def case(answers: Any) -> Case:
    return parse_case({"age": 50, "sex": "male", "answers": answers}, KNOWLEDGE)


def test_every_rule_has_its_two_cases() -> None:
    assert set(CASES) == set(KNOWLEDGE.rules)


@pytest.mark.parametrize("rule", CASES)
def test_fires_on_one_side_and_not_on_the_other(rule: str) -> None:
    fires, silent = case(CASES[rule]["fires"]), case(CASES[rule]["silent"])
    assert evaluate(KNOWLEDGE.rule_when[rule], fires) is True
    assert evaluate(KNOWLEDGE.rule_when[rule], silent) is not True
    assert KNOWLEDGE.rules[rule].urgency.name == CASES[rule]["urgency"]
    assert apply_rules(KNOWLEDGE, fires).urgency >= KNOWLEDGE.rules[rule].urgency


def test_silence_is_never_reassured() -> None:
    assert apply_rules(KNOWLEDGE, Case()).urgency == Urgency.routine
    assert soleus.assess(Case()).urgency != "self_care"
    assert set(apply_rules(KNOWLEDGE, Case()).unanswered) == set(KNOWLEDGE.danger_signs)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any answers to up to twelve findings."""
    found = Case(age=draw(st.floats(18, 95)), sex=draw(st.sampled_from(["male", "female"])))
    for name in draw(st.lists(st.sampled_from(list(KNOWLEDGE.findings)), max_size=12, unique=True)):
        finding = KNOWLEDGE.findings[name]
        try:
            answer = parse_answer(finding, draw(raw_answers(finding)))
        except ValueError:
            continue
        found = found.with_answer(name, answer)
    return found


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from(KNOWLEDGE.danger_signs))
def test_a_danger_sign_never_lowers_the_urgency(person: Case, sign: str) -> None:
    before = apply_rules(KNOWLEDGE, person.with_answer(sign, None)).urgency
    denied = apply_rules(KNOWLEDGE, person.with_answer(sign, YesNo(False))).urgency
    after = apply_rules(KNOWLEDGE, person.with_answer(sign, YesNo(True))).urgency
    assert after >= before
    assert after >= denied


@settings(max_examples=25, deadline=None)
@given(cases())
def test_assessment_keeps_its_promises(person: Case) -> None:
    """Urgency is at least the rules'; no medicine unless every contraindication is known to be false;
    the same case gives the same assessment; probabilities sum to one."""
    result = soleus.assess(person)
    outcome = apply_rules(KNOWLEDGE, person)
    assert Urgency[result.urgency] >= outcome.urgency
    for action in result.plan.now:
        assert all(evaluate(when, person) is False for when in KNOWLEDGE.not_if[action.id])
        assert action.kind not in ("medicine", "exercise") or Urgency[result.urgency] < Urgency.same_day
    assert sum(c.probability for c in result.differential) == pytest.approx(1)
    assert soleus.assess(person).model_dump_json() == result.model_dump_json()


@settings(max_examples=40, deadline=None)
@given(cases())
def test_what_would_raise_it_does_raise_it(person: Case) -> None:
    urgency = apply_rules(KNOWLEDGE, person).urgency
    for finding, level in what_would_raise(KNOWLEDGE, person, urgency).items():
        assert apply_rules(KNOWLEDGE, person.with_answer(finding, YesNo(True))).urgency >= level > urgency


def test_answers_that_are_not_about_danger_cannot_hide_it() -> None:
    """Each danger sign alone asks for at least the same day, whatever else is denied."""
    for sign in KNOWLEDGE.danger_signs:
        person = case({**dict.fromkeys(KNOWLEDGE.danger_signs, "no"), sign: "yes"})
        assert apply_rules(KNOWLEDGE, person).urgency >= Urgency.same_day, sign


@pytest.mark.parametrize("sign", KNOWLEDGE.danger_signs)
def test_a_single_danger_sign_is_named_to_be_double_checked(sign: str) -> None:
    """Where one answer alone makes it urgent, the assessment asks to check that answer; two signs of one level carry each other."""
    person = case({**dict.fromkeys(KNOWLEDGE.danger_signs, "no"), sign: "yes"})
    result = soleus.assess(person)
    outcome = apply_rules(KNOWLEDGE, person)
    without = soleus.assess(person.with_answer(sign, YesNo(False)))
    if "alone" in " ".join(d.would for d in result.double_check if d.finding == sign):
        assert Urgency[without.urgency] < Urgency[result.urgency]
    elif Urgency[result.urgency] == outcome.urgency:
        assert Urgency[without.urgency] == Urgency[result.urgency]
    both = soleus.assess(case({**dict.fromkeys(KNOWLEDGE.danger_signs, "no"), "breathless_new": "yes", "chest_pain_new": "yes"}))
    assert not [d for d in both.double_check if "alone" in d.would]
