"""The hazard log is complete in form, and every control it names is there."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from soleus.interview import always_asked
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import RISK_MATRIX, Hazard, Risk
from soleus.safety.prove import STATEMENTS
from tests.conftest import named_tests

ROOT = Path(__file__).resolve().parent.parent.parent
KNOWLEDGE = load_knowledge()
HAZARDS = list(KNOWLEDGE.hazards.values())


def test_the_log_is_long_enough_and_of_both_kinds() -> None:
    assert len(HAZARDS) >= 35
    assert {h.kind for h in HAZARDS} == {"clinical", "software"}
    assert len(KNOWLEDGE.situation_when) >= 250


@pytest.mark.parametrize("hazard", HAZARDS, ids=[h.id for h in HAZARDS])
def test_what_holds_it_down_exists(hazard: Hazard) -> None:
    for control in hazard.controls:
        match control.kind:
            case "rule":
                assert control.id in KNOWLEDGE.rules
            case "proof":
                assert control.id in {*STATEMENTS, always_asked.NAME}
            case "design":
                assert (ROOT / control.id.split("#")[0]).is_file(), control.id
            case "test":
                assert control.id in defined(control.id.split("::")[0]), control.id


def defined(file: str) -> set[str]:
    """Tests of a file, as 'file::name' or 'file::Class::name', but for those that are skipped."""
    path = ROOT / file
    if not path.is_file():
        return set()
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = " ".join(ast.unparse(d) for d in node.decorator_list)
            if "skip" not in marks and "xfail" not in marks:
                found.add(f"{file}::{node.name}")
    return found


def test_some_controls_are_tests() -> None:
    assert len(named_tests()) >= 30


def test_every_rule_holds_a_hazard_down() -> None:
    named = {c.id for h in HAZARDS for c in h.controls if c.kind == "rule"}
    assert set(KNOWLEDGE.rules) <= named


def test_every_proof_holds_a_hazard_down() -> None:
    named = {c.id for h in HAZARDS for c in h.controls if c.kind == "proof"}
    assert {*STATEMENTS, always_asked.NAME} <= named


def test_the_risk_matrix_rises_with_severity_and_likelihood() -> None:
    """In the manner of DCB0129: from 1 to 5, never falling when either rises."""
    rows = [RISK_MATRIX[word] for word in ("very_low", "low", "medium", "high", "very_high")]
    assert all(list(row) == sorted(row) for row in rows)
    assert all(a <= b for lower, higher in pairwise(rows) for a, b in zip(lower, higher, strict=True))
    assert Risk(severity="catastrophic", likelihood="very_high").level == 5
    assert Risk(severity="minor", likelihood="very_low").level == 1
