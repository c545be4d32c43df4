"""Whole presentations: dangers that the person does not recognise, and harmless trouble with every danger sign denied."""

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
PEOPLE: list[dict[str, Any]] = read_yaml((Path(__file__).parents[1] / "cases/presentations.yaml").read_text(), "presentations.yaml").data


@pytest.mark.parametrize("person", PEOPLE, ids=[p["id"] for p in PEOPLE])
def test_urgency(person: dict[str, Any]) -> None:
    urgency = Urgency[soleus.assess(parse_case(person["case"], KNOWLEDGE, person["id"])).urgency]
    if "at_least" in person:
        assert urgency >= Urgency[person["at_least"]]
    else:
        assert urgency <= Urgency[person["at_most"]]


def test_both_kinds_are_there() -> None:
    assert sum("at_least" in p for p in PEOPLE) >= 20
    assert sum("at_most" in p for p in PEOPLE) >= 10
