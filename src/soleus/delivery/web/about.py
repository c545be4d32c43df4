"""About: how it works, how good it is, how safe, what is stored, accessibility, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from soleus.assessment.assess import assess
from soleus.assessment.result import Assessment
from soleus.delivery.casefile import read_cases
from soleus.delivery.web.figures import figures
from soleus.delivery.web.pages import page
from soleus.delivery.web.remarks import remarks_on
from soleus.delivery.web.visits import Site
from soleus.knowledge.case import Case
from soleus.knowledge.load import Knowledge, load_knowledge
from soleus.knowledge.schema import Sex

EXAMPLE = Path(str(resources.files("soleus"))) / "examples" / "calf_tightens_when_walking.yaml"
SAFETY_CASE = Path(__file__).parents[4] / "docs" / "safety-case.md"
"""The text of the safety case, where the app runs from its source tree."""
LEFT_FROM = 3
"""Risk from which a hazard is listed as left."""
ANSWERS_SHOWN = 4
CAUSES_SHOWN = 3


def how(request: Request) -> Response:
    """How it works, with the model of one example."""
    case, told = example()
    knowledge = request.app.state.site.knowledge
    return _show(request, "how.html", {"told": told, "case": case, "causes": _before_and_after(case, told), **_counting(knowledge, told)})


@cache
def example() -> tuple[Case, Assessment]:
    """The bundled example and its assessment."""
    knowledge = load_knowledge()
    (case,) = read_cases(str(EXAMPLE), knowledge)
    return case, assess(case, knowledge)


@dataclass(frozen=True)
class Share:
    """A cause of the example, with its probability by age and sex alone and after all answers."""

    name: str
    before: float
    after: float


@cache
def _shares_before(age: float | None, sex: Sex | None) -> dict[str, Share]:
    """Every cause by age and sex alone, the commonest first."""
    return {c.condition: Share(c.name, c.probability, 0.0) for c in assess(Case(age=age, sex=sex), load_knowledge()).differential}


def _before_and_after(case: Case, told: Assessment) -> list[Share]:
    """The first cause of the example and what would have been most common."""
    before = _shares_before(case.age, case.sex)
    after = {c.condition: c for c in told.differential}
    chosen = dict.fromkeys((told.differential[0].condition, *before))
    return [replace(before[c], after=after[c].probability if c in after else 0.0) for c in chosen if c in before][:CAUSES_SHOWN]


def _counting(knowledge: Knowledge, told: Assessment) -> dict[str, Any]:
    """What speaks most for the first cause: things about the person, and answers about the leg."""
    risk = {f.id for f in knowledge.findings.values() if f.depends_on == "risk"}
    evidence = [e for e in told.differential[0].evidence if e.decibans > 0]
    return {
        "risks": [e for e in evidence if e.finding in risk][:2],
        "answers": [e for e in evidence if e.finding not in risk][:ANSWERS_SHOWN],
    }


def evaluation(request: Request) -> Response:
    """How good it is: headline figures."""
    return _show(request, "evaluation.html", {"e": figures()["evaluation"]})


def safety(request: Request) -> Response:
    """What is done for safety, what is proven, and what is left."""
    hazards = request.app.state.site.knowledge.hazards.values()
    left = sorted((h for h in hazards if h.after.level >= LEFT_FROM), key=lambda h: (-h.after.level, h.name))
    return _show(request, "safety.html", {"s": figures()["safety"], "left": left, "count": len(hazards), "text": SAFETY_CASE.is_file()})


def hazards(request: Request) -> Response:
    """All hazards by name."""
    every = request.app.state.site.knowledge.hazards.values()
    return _show(request, "hazards.html", {"hazards": sorted(every, key=lambda h: (-h.after.level, -h.before.level, h.name))})


def hazard(request: Request) -> Response:
    """One hazard of the log."""
    known = request.app.state.site.knowledge.hazards
    if (hazard_id := request.path_params["id"]) not in known:
        raise HTTPException(404)
    return _show(request, "hazard.html", {"h": known[hazard_id], "title": known[hazard_id].name})


def safety_case(_request: Request) -> Response:
    """The text of the safety case, where it is at hand."""
    if not SAFETY_CASE.is_file():
        raise HTTPException(404)
    return PlainTextResponse(SAFETY_CASE.read_text("utf-8"))


def privacy(request: Request) -> Response:
    """What is stored, for how long, and how to delete it."""
    return _show(request, "privacy.html", {"days": request.app.state.site.settings.retention_days})


def accessibility(request: Request) -> Response:
    """The accessibility statement."""
    return _show(request, "accessibility.html", {})


def intended_use(request: Request) -> Response:
    """What it is for, and what not."""
    return _show(request, "intended-use.html", {"minimum": request.app.state.site.knowledge.settings.minimum_age})


def _show(request: Request, template: str, given: dict[str, Any]) -> Response:
    site: Site = request.app.state.site
    shared = {"visit": None, "k": site.knowledge, "checked": request.app.state.desk.library.checked()}
    return page(request, f"about/{template}", shared | remarks_on(site.store, request.scope["path"]) | given)


ROUTES = [
    Route("/about", how),
    Route("/about/evaluation", evaluation),
    Route("/about/safety", safety),
    Route("/about/safety/hazards", hazards),
    Route("/about/safety/hazards/{id}", hazard),
    Route("/about/safety/case", safety_case),
    Route("/about/privacy", privacy),
    Route("/about/accessibility", accessibility),
    Route("/about/intended-use", intended_use),
]
