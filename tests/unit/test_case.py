"""Answers and cases: what may be given, what it means, and that it survives writing and reading."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soleus.errors import InputError
from soleus.knowledge.case import Between, Case, OneOf, Options, YesNo, case_dict, parse_answer, parse_case, raw_answer
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Finding

KNOWLEDGE = load_knowledge()
F = frozenset


def near(value: float) -> Any:
    """A number equal to `value` to two digits after the point."""
    return pytest.approx(value, abs=0.01)


def answer(finding: str, raw: Any) -> Any:
    return parse_answer(KNOWLEDGE.findings[finding], raw)


@pytest.mark.parametrize(
    ("finding", "raw", "meaning"),
    [
        ("fever", True, YesNo(True)),
        ("fever", "no", YesNo(False)),
        ("fever", "unknown", None),
        ("fever", None, None),
        ("diabetes", "type_2", OneOf(F({"type_2"}))),
        ("diabetes", "yes_type_unknown", OneOf(F({"type_1", "type_2"}))),
        ("diabetes", ["none", "prediabetes"], OneOf(F({"none", "prediabetes"}))),
        ("diabetes", ["none", "prediabetes", "type_1", "type_2"], None),
        ("pain_site", ["foot_or_toes"], Options(yes=F({"foot_or_toes"}))),
        ("pain_site", ["calf"], Options(some=(F({"upper_calf", "mid_calf", "lower_calf"}),))),
        (
            "pain_site",
            {"calf": True, "upper_calf": False, "mid_calf": False},
            Options(yes=F({"lower_calf"}), no=F({"upper_calf", "mid_calf"})),
        ),
        ("pain_site", {"calf": True, "lower_calf": True}, Options(yes=F({"lower_calf"}))),
        ("previous_clot", ["none"], Options(no=F({"deep_vein_this_leg", "deep_vein_other_leg", "vein_under_skin", "lung", "elsewhere"}))),
        ("pain_severity", 7, Between(7, 7)),
        ("pain_severity", "severe", Between(7, 10)),
        ("pain_severity", {"min": 4, "max": 6}, Between(4, 6)),
        ("temperature", "101.3 °F", near(38.5)),
        ("temperature", {"value": 38.5, "unit": "°C"}, Between(38.5, 38.5)),
        ("bmi", "5 ft 8 in, 180 lb", near(27.37)),
        ("bmi", "80 kg 178 cm", near(25.25)),
    ],
)
def test_meaning_of_an_answer(finding: str, raw: Any, meaning: Any) -> None:
    found = answer(finding, raw)
    if isinstance(found, Between) and not isinstance(meaning, Between):
        assert found.low == found.high == meaning
    else:
        assert found == meaning


@pytest.mark.parametrize(
    ("finding", "raw", "message"),
    [
        ("fever", 1, "got 1; allowed: yes, no, unknown"),
        ("diabetes", [], "got an empty list"),
        ("pain_site", {"calf": "perhaps"}, "option calf: got 'perhaps'; allowed: yes, no, unknown"),
        ("pain_site", {"calf": True, "upper_calf": False, "mid_calf": False, "lower_calf": False}, "each of the group not to be so"),
        ("pain_severity", 11, "got 11; allowed: 0 to 10"),
        ("pain_severity", {"min": 7, "max": 3}, "min 7 is above max 3"),
        ("pain_severity", math.nan, "got nan"),
        ("pain_severity", True, "got True"),
        ("previous_clot", ["none", "lung"], "lung is both so and not so; none excludes the rest"),
    ],
)
def test_what_is_not_allowed(finding: str, raw: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        answer(finding, raw)


def raw_answers(finding: Finding) -> st.SearchStrategy[Any]:
    names = [*finding.values, *finding.coarse]
    match finding.type:
        case "boolean":
            return st.sampled_from([True, False, "yes", "no", "unknown", None])
        case "choice":
            return st.sampled_from(names) | st.lists(st.sampled_from(names), min_size=1, max_size=3)
        case "multi":
            return st.lists(st.sampled_from(names), max_size=3) | st.dictionaries(
                st.sampled_from(names), st.sampled_from([True, False, None])
            )
    assert finding.range is not None
    return st.floats(*finding.range) | st.just({"min": finding.range[0], "max": finding.range[1]})


@st.composite
def answered(draw: st.DrawFn) -> tuple[Finding, Any]:
    finding = draw(st.sampled_from(list(KNOWLEDGE.findings.values())))
    return finding, draw(raw_answers(finding))


@given(answered())
def test_written_and_read_back_is_the_same(pair: tuple[Finding, Any]) -> None:
    finding, raw = pair
    try:
        first = parse_answer(finding, raw)
    except ValueError as error:
        assert "so" in str(error)  # only contradictions within a several-choices answer
        return
    if first is not None:
        assert parse_answer(finding, raw_answer(finding, first)) == first


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda x: st.lists(x) | st.dictionaries(st.text(max_size=8), x),
    )
)
def test_anything_at_all_is_a_case_or_an_input_error(raw: Any) -> None:
    for document in (raw, {"age": raw, "sex": raw, "answers": raw}, {"age": 50, "sex": "male", "answers": {"pain_site": raw, "bmi": raw}}):
        try:
            assert isinstance(parse_case(document, KNOWLEDGE), Case)
        except InputError as error:
            assert all(fault.startswith("case: ") for fault in error.faults)


def test_every_fault_is_reported_at_once() -> None:
    with pytest.raises(InputError) as error:
        parse_case({"age": -1, "sex": "x", "answers": {"fever": "perhaps", "nowhere": 1}}, KNOWLEDGE)
    assert len(error.value.faults) == 4


def test_a_case_survives_writing() -> None:
    raw = {"age": 50, "sex": "male", "id": "a", "setting": "at_home", "answers": {"fever": True, "pain_site": ["calf"], "bmi": 31}}
    case = parse_case(raw, KNOWLEDGE)
    again = parse_case(case_dict(case, KNOWLEDGE.findings), KNOWLEDGE)
    assert again == case


def test_provenance_is_kept() -> None:
    case = parse_case(
        {"age": 50, "sex": "male", "answers": {"fever": {"value": True, "from": "clinician"}, "pain_site": ["calf"]}}, KNOWLEDGE
    )
    assert case.origins == {"fever": "clinician", "pain_site": "record"}
