"""People whom general advice fits badly (`tests/cases/groups.yaml`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import soleus
from soleus.knowledge.case import parse_case
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.read import read_yaml
from soleus.knowledge.schema import Urgency

KNOWLEDGE = load_knowledge()
PEOPLE: list[dict[str, Any]] = read_yaml((Path(__file__).parents[1] / "cases/groups.yaml").read_text("utf-8"), "groups.yaml").data
GROUPS = {"pregnancy", "after birth", "over 75", "diabetes with numb feet", "dark skin", "cannot walk far"}


@pytest.mark.parametrize("person", PEOPLE, ids=[p["id"] for p in PEOPLE])
def test_group(person: dict[str, Any]) -> None:
    raw = dict(person["case"])
    denied = dict.fromkeys(KNOWLEDGE.danger_signs, False) if raw.pop("signs") == "none" else {}
    result = soleus.assess(parse_case(raw | {"answers": denied | raw["answers"]}, KNOWLEDGE, person["id"]))
    urgency = Urgency[result.urgency]
    assert urgency >= Urgency[person.get("at_least", "self_care")]
    assert urgency <= Urgency[person.get("at_most", "call_ambulance")]
    assert not {action.id for action in result.plan.now} & set(person.get("never", ()))
    assert set(person.get("rule_out", ())) <= {entry.condition for entry in result.must_rule_out}
    if "among_three" in person:
        assert person["among_three"] in [cause.condition for cause in result.differential[:3]]


def test_every_group_is_there_and_every_care_entry_named_exists() -> None:
    assert {p["group"] for p in PEOPLE} == GROUPS
    assert {care for p in PEOPLE for care in p.get("never", ())} <= set(KNOWLEDGE.care)


def test_questions_about_colour_say_how_it_looks_on_dark_skin() -> None:
    for finding in ("leg_red", "leg_pale_new", "leg_blue_new", "brown_skin_ankles", "redness_spreading_fast"):
        text = f"{KNOWLEDGE.findings[finding].question} {KNOWLEDGE.findings[finding].help}"
        assert "dark" in text.lower() or "brown or black skin" in text.lower(), finding
