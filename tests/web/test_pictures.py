"""Drawings: what is pointed at can be answered, every cause and exercise has one, and none carries anything but drawing."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from soleus.delivery.web.result import pictures
from soleus.knowledge.load import load_knowledge

WEB = Path(__file__).parents[2] / "src" / "soleus" / "delivery" / "web"
KNOWLEDGE = load_knowledge()
DRAWINGS = sorted((WEB / "static").rglob("*.svg"))


def test_every_place_on_the_leg_is_an_answer() -> None:
    (finding,) = [f for f in KNOWLEDGE.findings.values() if f.picture == "leg"]
    regions = re.findall(r'data-region="(\w+)"', (WEB / "templates" / "leg.html").read_text("utf-8"))
    assert len(set(regions)) >= 8
    assert set(regions) <= set(finding.options)


def test_every_cause_has_a_drawing_that_says_what_it_shows() -> None:
    causes = pictures()["causes"]
    assert set(causes) == set(KNOWLEDGE.conditions)
    for entry in causes.values():
        assert (WEB / "static" / "causes" / entry["picture"]).is_file()
        assert len(entry["alt"].split()) >= 4


def test_every_exercise_has_a_drawing() -> None:
    exercises = {c.id for c in KNOWLEDGE.care.values() if c.kind == "exercise"}
    at_home = {care for condition in KNOWLEDGE.conditions.values() for care in condition.self_care}
    assert exercises & at_home <= pictures()["exercises"]
    assert pictures()["exercises"] <= set(KNOWLEDGE.care)


@pytest.mark.parametrize("path", DRAWINGS, ids=[p.stem for p in DRAWINGS])
def test_a_drawing_is_small_and_only_a_drawing(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text) < 10_000
    root = ElementTree.fromstring(text)
    for element in root.iter():
        assert element.tag.split("}")[-1] not in ("script", "style", "foreignObject", "image", "use", "a")
        assert not [name for name in element.attrib if name.startswith("on") or name.endswith("href")]
    assert "url(http" not in text
