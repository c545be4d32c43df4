"""The result: what to do first, then what it may be, self-care, treatments, when to seek care, and the sources."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus.assessment.assess import assess
from soleus.assessment.result import Assessment
from soleus.delivery.web.pages import page
from soleus.delivery.web.posts import posted
from soleus.delivery.web.visits import Here, Site, here
from soleus.safety.guard import apply_guarded

SHOWN_ABOVE = 0.03
MOST_CAUSES = 4


@cache
def regions() -> list[dict[str, str]]:
    """Emergency numbers by region."""
    found: list[dict[str, str]] = yaml.safe_load((resources.files("soleus.delivery.web") / "regions.yaml").read_text("utf-8"))
    return found


def result(request: Request) -> Response:
    """The page for the person."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    if visit.interview.scope != "in":
        return _elsewhere(request, visit)
    site: Site = request.app.state.site
    given = {"visit": visit, "came_back": bool(site.store.check_ins(visit.visit.id))}
    return page(request, "result.html", given | shown(visit, assess(visit.interview.case, visit.interview.knowledge)))


def _elsewhere(request: Request, visit: Here) -> Response:
    """A child, or another complaint: no causes, but what is urgent is said."""
    knowledge = visit.interview.knowledge
    outcome = apply_guarded(knowledge, visit.interview.case)
    given = {"visit": visit, "outcome": outcome, "level": knowledge.levels[outcome.urgency], "minimum": knowledge.settings.minimum_age}
    return page(request, "elsewhere.html", given | {"regions": regions()})


def shown(visit: Here, assessment: Assessment) -> dict[str, Any]:
    """What the result page needs of an assessment."""
    knowledge = visit.interview.knowledge
    causes = [c for i, c in enumerate(assessment.differential[:MOST_CAUSES]) if i == 0 or c.probability >= SHOWN_ABOVE]
    chosen = next((r for r in regions() if r["id"] == visit.visit.region), None)
    return {
        "a": assessment,
        "causes": causes,
        "other": 1 - sum(c.probability for c in causes),
        "names": {f: finding.name for f, finding in knowledge.findings.items()},
        "questions": {f: finding.question for f, finding in knowledge.findings.items()},
        "numbers": {source.id: i + 1 for i, source in enumerate(assessment.sources)},
        "emergency": assessment.urgency in ("call_ambulance", "emergency_now"),
        "region": chosen,
        "regions": regions(),
        "unfinished": visit.interview.next() is not None,
        "pictures": pictures(),
    }


@cache
def pictures() -> dict[str, Any]:
    """Drawings there are: of causes (file and what it shows) and of exercises."""
    static = resources.files("soleus.delivery.web") / "static"
    causes = static / "causes" / "causes.yaml"
    exercises = static / "exercises"
    return {
        "causes": yaml.safe_load(causes.read_text("utf-8")) if causes.is_file() else {},
        "exercises": {p.name.removesuffix(".svg") for p in exercises.iterdir() if p.name.endswith(".svg")} if exercises.is_dir() else set(),
    }


def region(request: Request, visit: Here, form: Any) -> Response:
    """Choose whose emergency number is shown."""
    site: Site = request.app.state.site
    if (chosen := str(form.get("region", ""))) in {r["id"] for r in regions()}:
        site.store.choose_region(visit.visit.id, chosen)
    return RedirectResponse("/result", 303)


def doctor(request: Request) -> Response:
    """The page for the doctor: a structured summary to print."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    if visit.interview.scope != "in":
        return _elsewhere(request, visit)
    interview = visit.interview
    assessment = assess(interview.case, interview.knowledge)
    given = {"visit": visit, "case": interview.case, "findings": _pertinent(visit), **shown(visit, assessment)}
    return page(request, "doctor.html", given)


def _pertinent(visit: Here) -> dict[str, list[str]]:
    """Answers as positives and negatives, in the knowledge base's words."""
    from soleus.assessment.explain import say
    from soleus.knowledge.case import Options, YesNo

    positive, negative = list[str](), list[str]()
    case, knowledge = visit.interview.case, visit.interview.knowledge
    for finding, answer in case.answers.items():
        denied = answer == YesNo(False) or (isinstance(answer, Options) and not answer.yes and not answer.some)
        (negative if denied else positive).append(knowledge.findings[finding].name if denied else say(knowledge, finding, answer))
    return {"positive": positive, "negative": negative}


ROUTES = [Route("/result", result), Route("/result/region", posted(region), methods=["POST"]), Route("/result/doctor", doctor)]
