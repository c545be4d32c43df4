"""Advice in one plan does not contradict itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from soleus.assessment.assess import assess
from soleus.assessment.plan import Checked, _without_contradictions
from soleus.assessment.result import Assessment
from soleus.evaluation.vignettes import read_vignettes
from soleus.knowledge.case import Case, YesNo
from soleus.knowledge.load import load_knowledge
from soleus.safety.rules import apply_rules

KNOWLEDGE = load_knowledge()
CASES = [v.case for v in read_vignettes(Path(__file__).parent.parent / "vignettes", KNOWLEDGE)[0]]
CARE = KNOWLEDGE.care


def answered(case: Case) -> Case:
    """The case with every danger sign that it leaves open denied, so that care is suggested at all."""
    for sign in KNOWLEDGE.danger_signs:
        if not case.known(sign):
            case = case.with_answer(sign, YesNo(False))
    return case


def clashes(case: Case, result: Assessment) -> set[tuple[str, str]]:
    """Care in the plan that does what a rule that fired, or other care in the plan, forbids."""
    now, fired = [CARE[a.id] for a in result.plan.now], apply_rules(KNOWLEDGE, case).fired
    rules = {(rule.id, care.id) for rule in fired for care in now if set(rule.forbids) & set(care.does)}
    return rules | {(one.id, other.id) for one in now for other in now if one != other and set(one.forbids) & set(other.does)}


@pytest.mark.parametrize("case", CASES, ids=[str(c.id) for c in CASES])
def test_no_plan_of_a_recorded_case_contradicts_itself(case: Case) -> None:
    told = answered(case)
    assert clashes(told, assess(told)) == set()


def test_care_that_a_fired_rule_forbids_is_withheld_and_says_why() -> None:
    rule = KNOWLEDGE.rules["blue_swollen_leg"]
    raising = next(c for c in CARE.values() if "raise_leg" in c.does and c.kind == "self_care")
    free = unopposed(raising.id)
    assert free[raising.id].may_suggest
    kept = _without_contradictions(free, [rule], [])
    assert not kept[raising.id].may_suggest
    assert rule.action is not None
    assert rule.action in kept[raising.id].against[0]


def unopposed(*ids: str) -> dict[str, Checked]:
    """Care entries that nothing of this person's speaks against."""
    return {i: Checked(CARE[i], (), ()) for i in ids}


def test_of_two_that_forbid_each_other_the_first_stays() -> None:
    kept = _without_contradictions(unopposed("naproxen", "ibuprofen", "crutches_no_weight", "relative_rest"), [], [])
    assert [i for i, c in kept.items() if c.may_suggest] == ["naproxen", "crutches_no_weight"]


def test_what_a_cause_says_to_avoid_is_withheld() -> None:
    condition = next(c for c in KNOWLEDGE.conditions.values() if any("rub" in a.forbids for a in c.avoid))
    rubbing = next(c for c in CARE.values() if "rub" in c.does)
    assert not _without_contradictions(unopposed(rubbing.id), [], [condition])[rubbing.id].may_suggest
