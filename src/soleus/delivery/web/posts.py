"""What is posted: only from our own pages, by who has the cookie, and not too fast."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from soleus.delivery.web.visits import Here, here

MOST_FIELDS = 400
Endpoint = Callable[[Request], Awaitable[Response]]


def posted(view: Callable[[Request, Here, Any], Response]) -> Endpoint:
    """The endpoint that gives a form of this visit to `view(request, visit, form)`, away from the event loop.
    It raises HTTPException where the form is not one of our own, or comes too fast."""
    return anybody_posted(lambda request, form: view(request, _checked(request, form), form))


def anybody_posted(view: Callable[[Request, Any], Response]) -> Endpoint:
    """The same for a form that needs no visit."""

    async def endpoint(request: Request) -> Response:
        form = await request.form(max_fields=MOST_FIELDS)
        response: Response = await run_in_threadpool(view, request, form)
        return response

    return endpoint


def _checked(request: Request, form: Any) -> Here:
    from_our_own_page(request)
    visit = here(request)
    if visit is None or not hmac.compare_digest(str(form.get("form_token", "")).encode(), visit.form_token.encode()):
        raise HTTPException(403)
    keep_pace(request, visit.token)
    return visit


def from_our_own_page(request: Request) -> None:
    """Raises HTTPException for what another site sent."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403)


def keep_pace(request: Request, key: str) -> None:
    """Raises HTTPException where this visitor posts too fast."""
    if not request.app.state.pace.allows(key):
        raise HTTPException(429)


def client_of(request: Request) -> str:
    """The address a request comes from, for the pace alone."""
    return request.client.host if request.client else ""
