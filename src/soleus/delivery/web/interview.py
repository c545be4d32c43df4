"""Start, interview, answers so far, coming back, and deleting everything."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus.delivery.prompt import ABOUT, Prompt, danger_prompt, finding_prompt, offer_prompt
from soleus.delivery.web.forms import Fault, Filled, FormError, first_field, from_answer, from_form, raw_answer
from soleus.delivery.web.pages import page
from soleus.delivery.web.posts import anybody_posted, client_of, from_our_own_page, keep_pace, posted
from soleus.delivery.web.store import new_token
from soleus.delivery.web.visits import COOKIE, Here, Site, here, remember
from soleus.errors import InputError
from soleus.interview.session import DANGER, Interview, Step
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.guard import apply_guarded


def start(request: Request) -> Response:
    """What it does and does not do; emergency signs before anything else."""
    return page(request, "start.html", {"visit": here(request)})


def begin(request: Request) -> Response:
    """Begin a new visit."""
    from_our_own_page(request)
    site: Site = request.app.state.site
    keep_pace(request, client_of(request))
    token = new_token()
    site.store.begin(token, site.knowledge.version)
    return _going_on(site, token)


def resume(request: Request) -> Response:
    """Go on with a visit by its link: the cookie is set, and the address is left at once. Who has another visit open is asked first, so
    that no link can mix two people's answers."""
    site: Site = request.app.state.site
    token, mine = request.path_params["token"], here(request)
    if site.store.visit(token) is None:
        raise HTTPException(404)
    if mine is not None and mine.token != token:
        return page(request, "resume.html", {"token": token})
    return _going_on(site, token)


def take_over(request: Request, form: Any) -> Response:
    """Leave the visit that is open for the one of the link."""
    from_our_own_page(request)
    keep_pace(request, client_of(request))
    site: Site = request.app.state.site
    token = str(form.get("token", ""))
    if site.store.visit(token) is None:
        raise HTTPException(404)
    return _going_on(site, token)


def _going_on(site: Site, token: str) -> Response:
    response = RedirectResponse("/interview", 303)
    remember(response, token, site.settings)
    return response


def ask(request: Request) -> Response:
    """The next question, or one that is to be changed (`?step=`)."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    wanted = request.query_params.get("step")
    step = (_step(visit.interview, wanted) if wanted else None) or visit.interview.next()
    if step is None:
        return RedirectResponse("/result", 303)
    if step.id != wanted:  # each question has its own address, so that the browser's Back leads to the one before
        return RedirectResponse(f"/interview?step={step.id}", 303)
    return _question(request, visit, step, from_answer(step, visit.interview.answers.get(step.id)), None)


def answer(request: Request, visit: Here, form: Any) -> Response:
    """Take the answer to one step; a fault gives the page again with what was typed."""
    step = _step(visit.interview, request.path_params["step"])
    if step is None:
        return page(request, "moved.html", {"visit": visit}, 409)
    site: Site = request.app.state.site
    try:
        raw = raw_answer(step, form, site.knowledge)
        changed = visit.interview.answer(step.id, raw)
    except FormError as error:
        return _question(request, visit, step, from_form(step, form), error.fault)
    except InputError as error:
        return _question(request, visit, step, from_form(step, form), Fault(first_field(step, site.knowledge), _plain(step, error)))
    site.store.answer(visit.visit.id, step.id, changed.answers[step.id])
    if step.id == DANGER and any(changed.case.yes(sign) for sign in site.knowledge.danger_signs):
        return RedirectResponse("/check", 303)
    coming = changed.next()
    return RedirectResponse(f"/interview?step={coming.id}" if coming else "/result", 303)


def _plain(step: Step, error: InputError) -> str:
    return f"That did not work. {str(error).removeprefix(f'{step.id}: ')}"


def check(request: Request) -> Response:
    """Danger signs that were said yes to are read back once; an emergency is said at once."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    knowledge = visit.interview.knowledge
    signs = [knowledge.findings[s].name for s in knowledge.danger_signs if visit.interview.case.yes(s)]
    outcome = apply_guarded(knowledge, visit.interview.case)
    emergency = knowledge.levels[outcome.urgency] if outcome.urgency >= Urgency.emergency_now else None
    reasons = [rule.reason for rule in outcome.fired[:2]]
    return page(request, "check.html", {"visit": visit, "signs": signs, "emergency": emergency, "reasons": reasons})


def answers(request: Request) -> Response:
    """All answers so far; each can be changed."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    rows = [(s, _prompt(visit.interview.knowledge, s).question, said(visit.interview, s)) for s in visit.interview.path]
    return page(request, "answers.html", {"visit": visit, "rows": rows, "link": request.url_for("resume", token=visit.token)})


def forget(request: Request, visit: Here, _form: Any) -> Response:
    """Delete the visit and all that belongs to it."""
    site: Site = request.app.state.site
    site.store.forget(visit.visit.id)
    response = RedirectResponse("/forgotten", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=site.settings.secure_cookies)
    return response


def forgotten(request: Request) -> Response:
    return page(request, "forgotten.html", {"visit": None})


# -- within ----------------------------------------------------------------------------------------


def _step(interview: Interview, name: str) -> Step | None:
    """A step that is being asked or was answered."""
    coming = interview.next()
    known = (*interview.path, *([coming] if coming else []))
    return next((step for step in known if step.id == name), None)


def _prompt(knowledge: Knowledge, step: Step) -> Prompt:
    match step.kind:
        case "about":
            return ABOUT[step.id]
        case "danger_signs":
            return danger_prompt(knowledge)
        case "offer":
            return offer_prompt(len(step.findings))
    return finding_prompt(knowledge.findings[step.id])


def _question(request: Request, visit: Here, step: Step, filled: Filled, fault: Fault | None) -> Response:
    interview, knowledge = visit.interview, visit.interview.knowledge
    ids = [s.id for s in interview.path]
    place = ids.index(step.id) if step.id in ids else len(ids)
    given = {
        "visit": visit,
        "step": step,
        "prompt": _prompt(knowledge, step),
        "finding": knowledge.findings.get(step.id),
        "signs": [knowledge.findings[s] for s in step.findings] if step.kind == "danger_signs" else [],
        "filled": filled,
        "fault": fault,
        "number": place + 1,
        "left": interview.at_most_left,
        "back": ids[place - 1] if place else None,
    }
    return page(request, "question.html", given, 422 if fault else 200)


def said(interview: Interview, step: Step) -> str:
    """A stored answer in words."""
    raw, knowledge = interview.answers[step.id], interview.knowledge
    if step.kind == "danger_signs":
        yes = [knowledge.findings[s].name for s, so in raw.items() if so is True]
        unsure = sum(so == "unknown" for so in raw.values())
        return "; ".join(yes) or ("none" if not unsure else f"{unsure} not known")
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if raw == "unknown":
        return "I don't know"
    finding = knowledge.findings.get(step.id)
    if finding is None:
        return str(raw)
    names = [n for n, so in raw.items() if so is True] if isinstance(raw, dict) else raw if isinstance(raw, list) else [raw]
    labels = [str(finding.values.get(str(n)) or finding.coarse_labels.get(str(n)) or str(n).replace("_", " ")) for n in names]
    return ", ".join(labels) or "none of these"


ROUTES = [
    Route("/", start),
    Route("/begin", begin, methods=["POST"]),
    Route("/resume/{token}", resume, name="resume"),
    Route("/take-over", anybody_posted(take_over), methods=["POST"]),
    Route("/interview", ask),
    Route("/interview/{step}", posted(answer), methods=["POST"]),
    Route("/check", check),
    Route("/answers", answers),
    Route("/forget", posted(forget), methods=["POST"]),
    Route("/forgotten", forgotten),
]
