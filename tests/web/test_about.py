"""About: each page stands by itself, and its figures are those of the evaluation and the safety case."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape
from starlette.routing import Route
from starlette.testclient import TestClient

from soleus.delivery.web import about
from soleus.delivery.web.app import create_app
from soleus.delivery.web.figures import condensed, figures
from soleus.delivery.web.remarks import ABOUT
from soleus.delivery.web.settings import Settings
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.reading import grade
from tests.web.test_library import checked

DOCS = Path(__file__).parents[2] / "docs"
OTHERS = {"/about/safety/case", "/about/safety/hazards/{id}"}
PLAIN = ("/about", "/about/privacy", "/about/accessibility", "/about/intended-use")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('about') / 'soleus.db'}", retention_days=17)
    return TestClient(create_app(settings))


@pytest.mark.parametrize("address", sorted(ABOUT))
def test_every_page_stands(reader: TestClient, address: str) -> None:
    response = reader.get(address)
    assert response.status_code == 200
    page = checked(response.text)
    assert all(reader.get(link).status_code == 200 for link in page.links if link.startswith(("/about", "/library")))


def test_every_page_takes_remarks() -> None:
    assert {route.path for route in about.ROUTES if isinstance(route, Route)} - OTHERS == ABOUT


def test_figures_are_those_of_the_documents() -> None:
    """`make figures` renews them."""
    assert figures() == condensed(DOCS)
    evaluation = json.loads((DOCS / "evaluation.json").read_text("utf-8"))
    assert figures()["evaluation"]["knowledge_version"] == evaluation["knowledge_version"]
    assert figures()["evaluation"]["vignettes"]["history"] == evaluation["vignettes"]["modes"]["history"]["total"]


def test_page_says_when_figures_are_of_other_knowledge(reader: TestClient) -> None:
    same = figures()["evaluation"]["knowledge_version"] == load_knowledge().version
    assert ("This app uses another version" in reader.get("/about/evaluation").text) != same


def test_safety_page_with_and_without_figures(reader: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    safety = {
        "soleus": "0", "knowledge_version": "0" * 64, "date": None, "mutants": {"noticed": 5},
        "proofs": [{"name": "a", "holds": True, "checks": 1200}, {"name": "b", "holds": False, "checks": 1}],
        "adversarial": [{"way": "tired", "people": 1000, "under": 3, "upper95": 0.007, "too_high_by_two": 0.5}],
    }  # fmt: skip
    monkeypatch.setattr(about, "figures", lambda: {"evaluation": None, "safety": safety})
    text = reader.get("/about/safety").text
    checked(text)
    assert "1 of 2 safety statements" in text
    assert "(1,201 checks)" in text
    assert "3.0 (at most 7.0)" in text
    assert "was not measured" in reader.get("/about/evaluation").text
    monkeypatch.setattr(about, "figures", lambda: {"evaluation": None, "safety": None})
    assert "soleus prove" in reader.get("/about/safety").text


def test_safety_page_lists_what_is_left(reader: TestClient) -> None:
    text = reader.get("/about/safety").text
    hazards = load_knowledge().hazards.values()
    assert f"All {len(hazards)} hazards" in text
    left = {h.name for h in hazards if h.after.level >= about.LEFT_FROM}
    assert left
    assert all(f"<strong>{escape(name)}</strong> (risk" in text for name in left)
    assert text.count("</strong> (risk") == len(left)


def test_every_hazard_has_a_page_that_takes_remarks(reader: TestClient) -> None:
    listed = checked(reader.get("/about/safety/hazards").text).links
    for hazard in load_knowledge().hazards:
        address = f"/about/safety/hazards/{hazard}"
        assert address in listed
        checked(reader.get(address).text)
    assert reader.post("/remark", data={"page": address, "helpful": "yes"}, follow_redirects=False).status_code == 303
    assert reader.get("/about/safety/hazards/nothing").status_code == 404


def test_text_of_the_safety_case_where_it_is_at_hand(reader: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "SAFETY_CASE", tmp_path / "safety-case.md")
    assert reader.get("/about/safety/case").status_code == 404
    assert "/about/safety/case" not in reader.get("/about/safety").text
    (tmp_path / "safety-case.md").write_text("# <b>Safety</b>")
    response = reader.get("/about/safety/case")
    assert response.text == "# <b>Safety</b>"
    assert response.headers["content-type"].startswith("text/plain")


def test_privacy_page_says_the_set_time(reader: TestClient) -> None:
    assert "<strong>17 days</strong>" in reader.get("/about/privacy").text


def test_picture_is_of_the_example(reader: TestClient) -> None:
    text = reader.get("/about").text
    first = about.example()[1].differential[0]
    assert "<svg" in text
    assert first.name in text


class Words(HTMLParser):
    """The text of a page."""

    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", [a.rpartition("/")[2] for a in PLAIN[1:]])
def test_about_reads_at_grade_8(reader: TestClient, name: str) -> None:
    words = Words()
    words.feed(reader.get(f"/about/{name}").text.split("<main")[1].split("</main")[0])
    assert grade(words.text) <= 8
