"""The interview as a whole: order, determinism, changing answers, nothing lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import soleus
from soleus.errors import InputError
from soleus.interview.choose import askable, best_question
from soleus.interview.session import ABOUT, DANGER, Interview, Step
from soleus.interview.store import Log
from soleus.interview.value import mind_with, rule_values
from soleus.knowledge.case import Case, YesNo, parse_answer
from soleus.knowledge.expression import evaluate
from soleus.knowledge.load import load_knowledge
from soleus.model.compile import network_for
from tests.unit.test_case import raw_answers

KNOWLEDGE = load_knowledge()


def begun(**signs: Any) -> Interview:
    return (
        Interview(KNOWLEDGE)
        .answer("age", 60)
        .answer("sex", "male")
        .answer("lower_leg", True)
        .answer(DANGER, signs or dict.fromkeys(KNOWLEDGE.danger_signs, "no"))
    )


def reply(draw: Any, step: Step) -> Any:
    """Any answer that the step allows."""
    if step.kind == "offer":
        return draw(st.booleans())
    finding = KNOWLEDGE.findings[step.id]
    raw = draw(raw_answers(finding) | st.just("unknown"))
    try:
        parse_answer(finding, raw)
    except ValueError:
        return "unknown"
    return raw


def test_about_you_then_danger_signs_then_the_rest() -> None:
    interview = Interview(KNOWLEDGE)
    order = []
    answers: tuple[Any, ...] = (60, "female", True, {})
    for raw in answers:
        step = interview.next()
        assert step is not None
        order.append(step.id)
        interview = interview.answer(step.id, raw)
    assert order == [*ABOUT, DANGER]
    step = interview.next()
    assert step is not None
    assert step.kind == "finding"


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_interview_ends_asks_nothing_twice_and_replays_the_same(data: st.DataObject) -> None:
    interview, asked = begun(), list[str]()
    while (step := interview.next()) is not None:
        assert step.id not in asked
        asked.append(step.id)
        interview = interview.answer(step.id, reply(data.draw, step))
    questions = [s for s in interview.path if s.kind == "finding"]
    assert len(questions) <= KNOWLEDGE.settings.most_questions
    assert interview.at_most_left == 0
    fresh = Interview(KNOWLEDGE)
    for step_id, raw in interview.answers.items():
        following = fresh.next()
        assert following is not None
        assert following.id == step_id
        fresh = fresh.answer(step_id, raw)
    assert fresh.case == interview.case
    assert all(set(KNOWLEDGE.danger_signs) == set(s.findings) for s in interview.path if s.kind == "danger_signs")


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_changing_an_answer_keeps_later_ones_aside_and_brings_them_back(data: st.DataObject) -> None:
    interview = begun()
    for _ in range(5):
        step = interview.next()
        if step is None:
            break
        interview = interview.answer(step.id, reply(data.draw, step))
    first = next((s for s in interview.path if s.kind == "finding"), None)
    if first is None:
        return
    before = interview.answers[first.id]
    changed = interview.change(first.id, "unknown")
    assert set(changed.aside) | {s.id for s in changed.path} == set(interview.answers)
    assert changed.change(first.id, before).case.answers == interview.case.answers


def test_a_question_that_makes_no_sense_is_not_asked() -> None:
    interview = begun()
    while (step := interview.next()) is not None:
        for finding in step.findings:
            if finding in KNOWLEDGE.ask_if:
                assert evaluate(KNOWLEDGE.ask_if[finding], interview.case) is not False
        interview = interview.answer(step.id, False if step.kind == "offer" else "unknown")


def test_child_and_other_complaint_end_after_the_danger_signs() -> None:
    for age, leg, scope in ((12, True, "child"), (50, False, "elsewhere")):
        interview = Interview(KNOWLEDGE).answer("age", age).answer("sex", "male").answer("lower_leg", leg)
        step = interview.next()
        assert step is not None
        assert step.id == DANGER
        interview = interview.answer(DANGER, {})
        assert interview.next() is None
        assert interview.scope == scope


def test_medicine_safety_is_asked_only_when_wanted_and_gates_the_medicine() -> None:
    answers = {"pain_onset": "sudden_with_movement_or_effort", "pain_site": ["upper_calf"], "activity_at_onset": "pushing_off_or_sprinting"}
    interview = begun()
    while (step := interview.next()) is not None and step.kind != "offer":
        interview = interview.answer(step.id, answers.get(step.id, "unknown"))
    if step is None:
        pytest.fail("a strained calf should lead to the medicine check")
    declined = interview.answer(step.id, False)
    assert declined.next() is None
    plan = soleus.assess(declined.case).plan
    assert not [a for a in plan.now if a.kind == "medicine"]
    assert plan.ask_first


@pytest.mark.parametrize(
    ("step", "raw", "message"),
    [
        ("age", 200, "age: got 200; allowed: 0 to 120"),
        ("sex", "m", "sex: got 'm'; allowed: male, female, unknown"),
        ("lower_leg", "perhaps", "lower_leg: got 'perhaps'; allowed: true, false"),
        (DANGER, {"fever": True}, "allowed: a mapping of danger sign to yes, no or unknown"),
        (DANGER, {"dark_urine": "perhaps"}, "dark_urine: got 'perhaps'"),
        ("nowhere", 1, "nowhere: no such question"),
        ("diabetes", "type_9", "diabetes: got 'type_9'"),
    ],
)
def test_an_answer_that_is_not_allowed_changes_nothing(step: str, raw: Any, message: str) -> None:
    interview = Interview(KNOWLEDGE)
    with pytest.raises(InputError) as error:
        interview.answer(step, raw)
    assert message in str(error.value)
    assert interview.answers == {}


def test_saved_line_by_line_and_a_torn_last_line_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLEUS_STATE_DIR", str(tmp_path))
    log = Log.create("one", KNOWLEDGE)
    interview = begun()
    for step, raw in interview.answers.items():
        log.record(step, raw)
    with log.path.open("a") as file:
        file.write('{"step": "fever", "ans')
    latest = Log.latest()
    assert latest is not None
    saved = latest.read(KNOWLEDGE)
    assert saved.interview.case == interview.case
    assert saved.same_knowledge
    assert log.path.stat().st_mode & 0o077 == 0


def test_it_does_not_end_with_a_rule_that_one_likely_answer_would_fire() -> None:
    """A torn calf by all it tells, after a flight nobody asked about: clot risks are asked before it ends."""
    story = {
        "pain_site": ["upper_calf"],
        "affected_side": "right",
        "pain_onset": "sudden_with_movement_or_effort",
        "pain_duration": "days_2_to_7",
        "pain_pattern": "activity_and_rest",
        "activity_at_onset": "pushing_off_or_sprinting",
        "pain_triggers": ["pushing_off_or_tiptoe", "walking"],
        "bruise_site": ["none"],
    }
    interview = begun()
    while (step := interview.next()) is not None and step.kind == "finding":
        finding = KNOWLEDGE.findings[step.id]
        denied = [finding.none_value] if finding.none_value else "unknown"
        plain = {"boolean": False, "multi": denied, "choice": "none" if "none" in finding.values else "unknown"}
        interview = interview.answer(step.id, story.get(step.id, plain.get(finding.type, "unknown")))
    asked = {s.id for s in interview.path}
    assert {"long_travel", "recent_surgery", "previous_clot"} <= asked


def test_who_cannot_say_much_is_not_asked_less_about_danger() -> None:
    """However dear "don't know" makes other questions, what could make a rule fire is still asked before the end."""
    dear = KNOWLEDGE.settings.losses.model_copy(update={"unknown": 100.0})
    thinking = mind_with(replace(KNOWLEDGE, settings=KNOWLEDGE.settings.model_copy(update={"losses": dear})), network_for(KNOWLEDGE))
    case = Case(44.0, "female")
    for sign in KNOWLEDGE.danger_signs:
        case = case.with_answer(sign, YesNo(False))
    done: set[str] = set()
    while (question := best_question(thinking, case, done)) is not None:
        done.add(question)
    worth = rule_values(thinking, case, thinking.posterior(case), [f for f in askable(KNOWLEDGE, case) if f.id not in done])
    assert len(done) > len(KNOWLEDGE.settings.core_questions)
    assert all(value <= dear.question * KNOWLEDGE.findings[f].burden for f, value in worth.items())
