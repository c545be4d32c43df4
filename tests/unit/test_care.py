"""Care is suggested only when nothing speaks against it: each hazard alone blocks what could harm."""

from __future__ import annotations

from typing import Any

import pytest

from soleus.assessment.plan import check_care
from soleus.knowledge.case import Case, Options, YesNo, parse_answer
from soleus.knowledge.load import load_knowledge

KNOWLEDGE = load_knowledge()
NSAIDS = ("ibuprofen", "naproxen")
MEDICINES = (*NSAIDS, "paracetamol", "diclofenac_gel")


def healthy(**answers: Any) -> Case:
    """A man of 40 who answered every question, each with the answer of a person in good health, but for `answers`."""
    case = Case(age=40, sex="male")
    for finding in KNOWLEDGE.findings.values():
        if finding.by != "person":
            continue
        match finding.type:
            case "boolean":
                case = case.with_answer(finding.id, YesNo(False))
            case "multi":
                case = case.with_answer(finding.id, Options(no=frozenset(finding.options)))
            case "choice":
                first = next(
                    v
                    for v in finding.values
                    if v in ("none", "never", "neither", "no_clot", "no_swelling", "normal") or v == next(iter(finding.values))
                )
                case = case.with_answer(finding.id, parse_answer(finding, first))
            case "number":
                case = case.with_answer(finding.id, parse_answer(finding, {"pain_severity": 3, "bmi": 24}.get(finding.id, 0)))
    for name, raw in answers.items():
        case = case.with_answer(name, parse_answer(KNOWLEDGE.findings[name], raw))
    return case


@pytest.mark.parametrize("care", MEDICINES)
def test_a_healthy_person_may_have_it_and_silence_may_not(care: str) -> None:
    assert check_care(KNOWLEDGE, healthy(), KNOWLEDGE.care[care]).may_suggest
    assert not check_care(KNOWLEDGE, Case(age=40, sex="male"), KNOWLEDGE.care[care]).may_suggest


HAZARDS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"blood_thinner_use": "taken_every_dose"}, (*NSAIDS, "price_first_days")),
    ({"kidney_disease": "weak_kidneys"}, NSAIDS),
    ({"heart_or_stroke_disease": ["heart_failure"]}, (*NSAIDS, "leg_elevation")),
    ({"high_blood_pressure": "yes"}, NSAIDS),
    ({"stomach_ulcer_or_bleed": "yes"}, NSAIDS),
    ({"nsaid_reaction": "yes"}, (*NSAIDS, "diclofenac_gel")),
    ({"other_medicines": ["lithium_or_methotrexate"]}, NSAIDS),
    ({"other_medicines": ["anti_inflammatory_painkiller"]}, NSAIDS),
    ({"other_long_term_illness": ["liver_disease"]}, ("paracetamol", *NSAIDS)),
    ({"alcohol_use": "more_than_14_drinks_a_week"}, ("paracetamol", *NSAIDS)),
    ({"dark_urine": "yes"}, ("paracetamol", *NSAIDS)),
    ({"one_leg_swollen": "yes"}, (*NSAIDS, "stretch_gastrocnemius", "price_first_days")),
    ({"known_leg_artery_disease": ["narrowed_leg_arteries"]}, ("compression_stockings", "leg_elevation", "price_first_days", "ice_pack")),
    ({"known_leg_artery_disease": ["swollen_artery_behind_knee"]}, ("compression_stockings", "leg_elevation", "price_first_days")),
    ({"foot_often_cold": "yes"}, ("compression_stockings", "price_first_days")),
    ({"foot_numb_new": "yes"}, ("ice_pack", "price_first_days", "cramp_release")),
    ({"numbness_site": ["both_feet"]}, ("ice_pack", "warm_pack")),
    ({"diabetes": "type_2"}, ("warm_pack",)),
    ({"muscle_hard_all_the_time": "yes"}, ("ice_pack", "calf_stretch_before_bed")),
    ({"gap_or_dent": "in_tendon_above_heel"}, ("stretch_gastrocnemius", "stretch_soleus", "heel_raise_programme", "eccentric_heel_drops")),
    ({"pop_or_kick_at_onset": "yes"}, ("stretch_gastrocnemius", "heel_raise_programme")),
    ({"foot_sore_not_healing": "yes"}, ("walking_programme_pad", "compression_stockings")),
]


@pytest.mark.parametrize(("answers", "blocked"), HAZARDS, ids=[str(a) for a, _ in HAZARDS])
def test_each_hazard_alone_blocks_what_could_harm(answers: dict[str, Any], blocked: tuple[str, ...]) -> None:
    case = healthy(**answers)
    for care in blocked:
        assert check_care(KNOWLEDGE, case, KNOWLEDGE.care[care]).against, care


@pytest.mark.parametrize("weeks", [v for v in KNOWLEDGE.findings["pregnancy_status"].values if v.startswith("pregnant")])
def test_no_nsaid_in_any_week_of_pregnancy(weeks: str) -> None:
    case = healthy(pregnancy_status=weeks)
    for care in NSAIDS:
        assert check_care(KNOWLEDGE, case, KNOWLEDGE.care[care]).against


@pytest.mark.parametrize("age", [17, 65, 80])
def test_no_nsaid_for_the_young_and_the_old(age: int) -> None:
    case = healthy()
    person = Case(age=age, sex="male", answers=case.answers)
    for care in NSAIDS:
        assert check_care(KNOWLEDGE, person, KNOWLEDGE.care[care]).against


def test_every_question_that_a_contraindication_asks_can_be_answered_by_a_person() -> None:
    for care in KNOWLEDGE.care.values():
        for not_if in care.not_if:
            if not_if.ask and care.kind != "treatment":
                assert KNOWLEDGE.findings[not_if.ask].by == "person", care.id
