"""The visit behind a request: its cookie, its interview, and what every page of it shares."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from soleus.delivery.web.settings import Settings
from soleus.delivery.web.store import Store, Visit, form_token
from soleus.errors import InputError
from soleus.interview.session import Interview
from soleus.knowledge.load import Knowledge

COOKIE = "soleus"
MOST_REMEMBERED = 20_000


class Remembered(OrderedDict[Any, Any]):
    """What came next after which answers, for all visitors; the oldest is forgotten. So a page does not work out the way anew."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        if len(self) > MOST_REMEMBERED:
            self.popitem(last=False)


@dataclass
class Site:
    """What all requests share."""

    knowledge: Knowledge
    settings: Settings
    store: Store
    remembered: Remembered


@dataclass(frozen=True)
class Here:
    """The visit of this request. `dropped`: steps whose stored answer the present knowledge base does not allow any more."""

    visit: Visit
    token: str
    interview: Interview
    dropped: tuple[str, ...]
    same_knowledge: bool

    @property
    def form_token(self) -> str:
        return form_token(self.token)


def here(request: Request) -> Here | None:
    """The visit that the request's cookie stands for, or None."""
    site: Site = request.app.state.site
    token = request.cookies.get(COOKIE, "")
    visit = site.store.visit(token) if token else None
    if visit is None:
        return None
    interview, dropped = Interview(site.knowledge, _memo=site.remembered), list[str]()
    for step, raw in visit.answers.items():
        try:
            interview = interview.answer(step, raw)
        except InputError:
            dropped.append(step)
    return Here(visit, token, interview, tuple(dropped), visit.knowledge_version == site.knowledge.version)


def remember(response: Response, token: str, settings: Settings) -> None:
    """Set the cookie of a visit."""
    response.set_cookie(
        COOKIE, token, max_age=settings.retention_days * 86_400, httponly=True, samesite="lax", secure=settings.secure_cookies, path="/"
    )
