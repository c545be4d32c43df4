"""Ids and values by which cases are recorded elsewhere: a case file written in them still loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from soleus.knowledge.case import parse_case
from soleus.knowledge.load import load_knowledge

CONTRACT = json.loads((Path(__file__).parents[1] / "cases/contract.json").read_text())
KNOWLEDGE = load_knowledge()


@pytest.mark.parametrize(("finding", "values"), CONTRACT["findings"].items(), ids=list(CONTRACT["findings"]))
def test_every_value_of_every_finding_loads(finding: str, values: Any) -> None:
    plain: dict[str, list[Any]] = {"boolean": [True, False], "number": [{"min": low, "max": low} for low in _numbers(finding)]}
    for value in plain[values] if isinstance(values, str) else values:
        for raw in (value, [value]) if isinstance(value, str) else (value,):
            case = parse_case({"age": 50, "sex": "male", "answers": {finding: raw}}, KNOWLEDGE)
            assert case.known(finding)


def _numbers(finding: str) -> list[float]:
    span = KNOWLEDGE.findings[finding].range
    return list(span) if span else []


def test_every_condition_and_alias_is_known() -> None:
    assert set(CONTRACT["conditions"]) <= set(KNOWLEDGE.condition_of)
