"""The published schema of a case and the parser say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soleus.cli.assess import example_file
from soleus.knowledge.case import parse_answer, parse_case
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.read import read_yaml
from tests.unit.test_case import answered

ROOT = Path(__file__).parents[2]
KNOWLEDGE = load_knowledge()
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schemas/case.schema.json").read_text()))
FILES = [example_file(), *sorted((ROOT / "tests/vignettes").glob("*.yaml"))]


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_every_recorded_case_fits_schema_and_parser(path: Path) -> None:
    document = read_yaml(path.read_text("utf-8"), path.name)
    SCHEMA.validate(document.data)
    assert parse_case(document.data, KNOWLEDGE, path.name, document.line).answers


@given(answered())
def test_what_the_parser_takes_the_schema_takes(pair: Any) -> None:
    finding, raw = pair
    try:
        parse_answer(finding, raw)
    except ValueError:
        return
    assert SCHEMA.is_valid({"age": 50, "sex": "male", "answers": {finding.id: raw}})


@given(st.sampled_from(list(KNOWLEDGE.findings.values())), st.sampled_from(["nonsense_value", [["x"]], {"nonsense": True}, [1]]))
def test_what_no_finding_allows_both_refuse(finding: Any, raw: Any) -> None:
    with pytest.raises(ValueError, match="got"):
        parse_answer(finding, raw)
    if finding.type != "number" or not isinstance(raw, str):
        assert not SCHEMA.is_valid({"age": 50, "sex": "male", "answers": {finding.id: raw}})


def test_fifty_published_cases_are_recorded() -> None:
    assert len(FILES) == 51
