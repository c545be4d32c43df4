"""The second reader of the rules: when one of the two is broken, the assessment is not less urgent, and says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import soleus
from soleus.knowledge.case import Case, YesNo
from soleus.knowledge.expression import Expression, Facts, Truth, evaluate
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety import columns, guard, rules
from soleus.safety.guard import apply_guarded
from soleus.safety.rules import apply_rules

KNOWLEDGE = load_knowledge()
CASE = Case(60, "male", answers={"chest_pain_new": YesNo(True), "one_leg_swollen": YesNo(True)})
RIGHT = apply_rules(KNOWLEDGE, CASE).urgency


def test_two_sound_readers_agree() -> None:
    assert apply_guarded(KNOWLEDGE, CASE) == apply_rules(KNOWLEDGE, CASE)


@pytest.mark.parametrize("rule", ["clot_in_lung", "one_leg_swollen"])
def test_a_first_reader_that_misses_a_rule_is_overruled(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    missed = KNOWLEDGE.rule_when[rule]

    def blind(expression: Expression, facts: Facts) -> Truth:
        return False if expression == missed else evaluate(expression, facts)

    monkeypatch.setattr(rules, "evaluate", blind)
    outcome = apply_guarded(KNOWLEDGE, CASE)
    assert rule in outcome.disputed
    assert rule in {r.id for r in outcome.fired}
    assert outcome.urgency == RIGHT
    assert any(reason.kind == "guard" for reason in soleus.assess(CASE).urgency_reasons)


@pytest.mark.parametrize("fault", [lambda u: u - 2, lambda u: 0 * u])
def test_a_second_reader_that_is_too_low_changes_nothing_but_says_so(fault: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    def low(*given: object) -> columns.RuleColumns:
        outcome = columns.apply_columns(*given)  # type: ignore[arg-type]
        return replace(outcome, urgency=fault(outcome.urgency))  # type: ignore[arg-type]

    monkeypatch.setattr(guard, "apply_columns", low)
    outcome = apply_guarded(KNOWLEDGE, CASE)
    assert outcome.urgency == RIGHT
    assert outcome.disputed == ("urgency",)


def test_a_second_reader_that_asks_for_more_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def high(*given: object) -> columns.RuleColumns:
        outcome = columns.apply_columns(*given)  # type: ignore[arg-type]
        return replace(outcome, urgency=outcome.urgency * 0 + Urgency.call_ambulance)

    monkeypatch.setattr(guard, "apply_columns", high)
    assert apply_guarded(KNOWLEDGE, Case(30, "female")).urgency == Urgency.call_ambulance


def test_a_second_reader_that_breaks_does_not_stop_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> columns.RuleColumns:
        raise KeyError("chest_pain_new")

    monkeypatch.setattr(guard, "apply_columns", broken)
    outcome = apply_guarded(KNOWLEDGE, CASE)
    assert outcome.urgency == RIGHT
    assert outcome.disputed == ("second reading",)
