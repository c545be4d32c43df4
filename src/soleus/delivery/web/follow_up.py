"""Coming back: how it goes, held against the expected course; a reminder for the person's own calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus.assessment.assess import assess
from soleus.assessment.result import Assessment
from soleus.delivery.web.calendar_file import reminder_file
from soleus.delivery.web.chart import spoken
from soleus.delivery.web.forms import Fault, Form, FormError
from soleus.delivery.web.pages import page
from soleus.delivery.web.posts import posted
from soleus.delivery.web.result import regions
from soleus.delivery.web.store import CheckIn
from soleus.delivery.web.visits import Here, Site, here, remember
from soleus.interview.session import DANGER
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Course, Urgency

MOST_DAYS = 90


@dataclass(frozen=True)
class Feeling:
    """One way it can go. `early`, `late`: seen at least this soon, before and after the expected days have passed."""

    label: str
    early: Urgency = Urgency.self_care
    late: Urgency = Urgency.self_care


@dataclass(frozen=True)
class Said:
    """What a check-in means: `level` is never below the assessment's; `raised`: it is above it."""

    level: Urgency
    raised: bool
    late: bool
    day: int
    within: int | None
    cause: str

    @property
    def within_words(self) -> str:
        return f"{self.within} days" if (self.within or 0) < 14 else f"{round((self.within or 0) / 7)} weeks"


@cache
def texts() -> Mapping[str, Any]:
    """What a check-in means, as written in the file beside this one."""
    found: Mapping[str, Any] = yaml.safe_load((resources.files("soleus.delivery.web") / "follow_up.yaml").read_text("utf-8"))
    return found


@cache
def feelings() -> Mapping[str, Feeling]:
    """The ways it can go, in the order shown."""
    return {name: _feeling(**told) for name, told in texts()["feelings"].items()}


def _feeling(label: str, **floors: str) -> Feeling:
    return Feeling(label, **{name: Urgency[level] for name, level in floors.items()})


def meaning(knowledge: Knowledge, assessment: Assessment, begun: datetime, check_in: CheckIn) -> Said:
    """A check-in held against the expected course of the leading cause, counted from the day the visit was begun."""
    leading, feeling = assessment.differential[0], feelings()[check_in.feeling]
    within, day = expected_days(knowledge, assessment), (check_in.at - begun).days
    late = within is not None and day >= within and feeling.late > Urgency.self_care
    own = Urgency[assessment.urgency]
    level = max(own, feeling.late if late else feeling.early)
    return Said(level, level > own, late, day, within, leading.name)


def expected_days(knowledge: Knowledge, assessment: Assessment) -> int | None:
    """Days in which the leading cause should be clearly better; None where the knowledge base gives none."""
    course: Course | None = knowledge.conditions[assessment.differential[0].condition].course
    return course.better_within_days if course else None


# -- how is it going? ------------------------------------------------------------------------------


def follow_up(request: Request) -> Response:
    """The form that asks how it is going."""
    visit = here(request)
    return _not_yet(visit) or _ask(request, visit)


def _not_yet(visit: Here | None) -> Response | None:
    """Where to go instead, as long as there is nothing to follow up."""
    if visit is None:
        return RedirectResponse("/", 303)
    if not any(step.id == DANGER for step in visit.interview.path):
        return RedirectResponse("/interview", 303)
    return RedirectResponse("/result", 303) if visit.interview.scope != "in" else None


def _ask(request: Request, visit: Here | None, form: Form | None = None, fault: Fault | None = None) -> Response:
    assert visit is not None
    site: Site = request.app.state.site
    given = {
        "visit": visit,
        "feelings": feelings(),
        "signs": [site.knowledge.findings[sign] for sign in site.knowledge.danger_signs],
        "before": {sign for sign in site.knowledge.danger_signs if visit.interview.case.yes(sign)},
        "feeling": str(form.get("feeling", "")) if form else "",
        "ticked": {str(sign) for sign in form.getlist("sign")} if form else set(),
        "history": history(site, visit),
        "fault": fault,
    }
    return page(request, "follow_up.html", given, 422 if fault else 200)


def history(site: Site, visit: Here) -> list[dict[str, Any]]:
    """Check-ins in words, latest first."""
    names = {sign: finding.name for sign, finding in site.knowledge.findings.items()}
    return [
        {
            "at": c.at.isoformat(timespec="minutes"),
            "day": spoken(c.at.date()),
            "label": feelings()[c.feeling].label,
            "signs": [names.get(sign, sign) for sign in c.signs],
        }
        for c in site.store.check_ins(visit.visit.id)
    ]


def take_check_in(request: Request, visit: Here, form: Any) -> Response:
    """Take a check-in; a fault gives the page again with what was chosen."""
    site: Site = request.app.state.site
    feeling, known = str(form.get("feeling", "")), site.knowledge.danger_signs
    if feeling not in feelings():
        return _ask(request, visit, form, Fault(f"feeling-{next(iter(feelings()))}", "Choose how it is going: better, the same, or worse."))
    ticked = {str(sign) for sign in form.getlist("sign")}
    site.store.check_in(visit.visit.id, feeling, [sign for sign in known if sign in ticked], DANGER, known)
    return kept(RedirectResponse("/check-in", 303), visit, site)


def kept(response: Response, visit: Here, site: Site) -> Response:
    """The response, with the cookie's time begun anew as the visit's is."""
    remember(response, visit.token, site.settings)
    return response


def check_in(request: Request) -> Response:
    """What the latest check-in means: the assessment of the answers as they are now, and the expected course."""
    visit = here(request)
    if (instead := _not_yet(visit)) or visit is None:
        return instead or RedirectResponse("/", 303)
    site: Site = request.app.state.site
    latest = next(iter(site.store.check_ins(visit.visit.id)), None)
    if latest is None:
        return RedirectResponse("/follow-up", 303)
    assessment = assess(visit.interview.case, site.knowledge)
    said = meaning(site.knowledge, assessment, visit.visit.begun, latest)
    past = history(site, visit)
    given = {
        "visit": visit,
        "a": assessment,
        "said": said,
        "level": site.knowledge.levels[said.level],
        "emergency": said.level >= Urgency.emergency_now,
        "region": next((r for r in regions() if r["id"] == visit.visit.region), None),
        "texts": texts(),
        "feeling": latest.feeling,
        "now": past[0],
        "history": past,
    }
    return page(request, "check_in.html", given)


# -- a reminder ------------------------------------------------------------------------------------


def remind(request: Request) -> Response:
    """The form for a reminder."""
    visit = here(request)
    return _not_yet(visit) or _remind(request, visit)


def _remind(request: Request, visit: Here | None, form: Form | None = None, fault: Fault | None = None) -> Response:
    assert visit is not None
    site: Site = request.app.state.site
    given = {
        "visit": visit,
        "days": str(form.get("days", "")) if form else str(default_days(site, visit)),
        "link": bool(form.get("link")) if form else False,
        "most": MOST_DAYS,
        "retention": site.settings.retention_days,
        "fault": fault,
    }
    return page(request, "reminder.html", given, 422 if fault else 200)


def default_days(site: Site, visit: Here) -> int:
    """Days until the leading cause should be better, if the answers are still stored then."""
    within = expected_days(site.knowledge, assess(visit.interview.case, site.knowledge))
    passed = (datetime.now(UTC) - visit.visit.begun).days
    left = within - passed if within is not None and within > passed else int(texts()["reminder_days"])
    return max(1, min(left, MOST_DAYS, site.settings.retention_days))


def reminder(request: Request) -> Response:
    """The calendar file by its bare address: for the usual day, without the link."""
    visit = here(request)
    if (instead := _not_yet(visit)) or visit is None:
        return instead or RedirectResponse("/", 303)
    return _file(request, visit, default_days(request.app.state.site, visit), False)


def make_reminder(request: Request, visit: Here, form: Any) -> Response:
    """The calendar file as asked for."""
    try:
        days = whole(str(form.get("days", "")), 1, MOST_DAYS, FormError("days", f"Type a whole number of days from 1 to {MOST_DAYS}."))
    except FormError as error:
        return _not_yet(visit) or _remind(request, visit, form, error.fault)
    return _file(request, visit, days, bool(form.get("link")))


def whole(text: str, low: int, high: int, error: FormError) -> int:
    """A whole number from low to high. Raises `error` for anything else."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high):
        raise error
    return int(text)


def _file(request: Request, visit: Here, days: int, link: bool) -> Response:
    address = str(request.url_for("resume", token=visit.token)) if link else None
    now = datetime.now(UTC)
    body = reminder_file(now, (now + timedelta(days=days)).date(), address)
    headers = {"Content-Disposition": 'attachment; filename="reminder.ics"'}
    return Response(body.encode(), media_type="text/calendar; charset=utf-8", headers=headers)


ROUTES = [
    Route("/follow-up", follow_up),
    Route("/follow-up", posted(take_check_in), methods=["POST"]),
    Route("/check-in", check_in),
    Route("/reminder", remind),
    Route("/reminder.ics", reminder),
    Route("/reminder.ics", posted(make_reminder), methods=["POST"]),
]
