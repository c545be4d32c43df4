"""The record of estimates and the knowledge base agree: each elicited number is what the stated rule makes of its passes."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from soleus.evaluation.literature import read_studies
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.numbers import numbers

RECORD = Path(__file__).resolve().parent.parent.parent / "docs/elicitation.csv"
KNOWLEDGE = load_knowledge()
PASSES = (1, 2, 3, 4, 5)
LATER = ("vasculitis", "complex_regional_pain_syndrome")
"""Conditions that came after the first passes."""
RARE = 0.0051
"""The first pass wrote 0.005 for anything rare: there it yields to the others."""


def rows() -> dict[tuple[str, str], list[dict[str, str]]]:
    found = defaultdict(list)
    with RECORD.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["condition"], row["finding"]].append(row)
    return found


def log_odds(share: float) -> float:
    share = min(max(share, 2e-5), 1 - 2e-5)
    return float(np.log(share / (1 - share)))


def pooled(row: dict[str, str]) -> float:
    """The mean of the passes on the log-odds scale."""
    if row["settled_because"]:
        return float(row["pooled"])
    first, *others = (float(row[f"pass_{k}"]) if row[f"pass_{k}"] else None for k in PASSES)
    said = [x for x in others if x is not None]
    if first is not None and said:
        rest = 1 / (1 + np.exp(-np.mean([log_odds(x) for x in said])))
        if (first <= RARE and rest < first) or (first >= 1 - RARE and rest > first):
            first = None
    estimates = [x for x in (first, *said) if x is not None]
    return float(1 / (1 + np.exp(-np.mean([log_odds(x) for x in estimates]))))


def test_every_elicited_number_is_the_pool_of_its_passes() -> None:
    record = rows()
    checked = 0
    for condition in KNOWLEDGE.conditions.values():
        for key, number in condition.findings.items():
            lines = record.get((condition.id, key))
            if number.note != "elicited" or not lines:
                continue
            shares = {row["option"]: pooled(row) for row in lines}
            if KNOWLEDGE.findings[key].type in ("choice", "number"):
                total = sum(shares.values())
                shares = {state: share / total for state, share in shares.items()}
                if any(row["settled_because"] for row in lines):
                    continue  # the states around a settled one were scaled to make room
            given = number.value if isinstance(number.value, dict) else {"": number.value}
            for option, share in given.items():
                assert share == pytest.approx(shares[option], rel=0.01, abs=2e-4), f"{condition.id} {key} {option}"
                checked += 1
            assert number.weight == float(lines[0]["weight"])
    assert checked > 15_000


@pytest.mark.parametrize("condition", KNOWLEDGE.conditions)
def test_every_finding_has_three_passes(condition: str) -> None:
    """For conditions that came after the first passes, and where the first pass was silent on a number, sign or test, there are two."""
    record = rows()
    for finding in KNOWLEDGE.findings.values():
        if finding.depends_on != "nothing":
            lines = record[condition, finding.id]
            passes = max(sum(bool(row[f"pass_{k}"]) for k in PASSES) for row in lines)
            fewest = 3 if finding.by == "person" and finding.type != "number" and condition not in LATER else 2
            assert passes >= fewest, f"{condition} {finding.id}"


def test_what_was_settled_by_looking_again_says_why() -> None:
    settled = [row for lines in rows().values() for row in lines if row["settled_because"]]
    assert len(settled) >= 30
    for row in settled:
        passes = [float(row[f"pass_{k}"]) for k in PASSES if row[f"pass_{k}"]]
        assert min(passes) <= float(row["pooled"]) * 1.2 + 0.01
        assert max(passes) >= float(row["pooled"]) * 0.8 - 0.01


def test_no_fact_is_both_used_and_listed_as_not_used() -> None:
    listed = set(re.findall(r"^\| `([\w-]+)`", (RECORD.parent / "evidence-not-used.md").read_text("utf-8"), flags=re.MULTILINE))
    studies, _ = read_studies(KNOWLEDGE)
    numbers_used = {placed.number.fact for placed in numbers(KNOWLEDGE)}
    compared = {result.fact for study in studies for result in study.results}
    assert len(listed) > 500
    assert not listed & (numbers_used | compared)
