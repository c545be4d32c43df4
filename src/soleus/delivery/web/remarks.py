"""What readers say of a page: was it helpful, is there a fault in it. No cookie, no visit, no address is kept with it."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus.delivery.web.catalogue import Library
from soleus.delivery.web.forms import Fault
from soleus.delivery.web.pages import page
from soleus.delivery.web.posts import anybody_posted, client_of, from_our_own_page, keep_pace
from soleus.delivery.web.store import Store
from soleus.delivery.web.visits import Site

MOST_CHARACTERS = 2000
ABOUT = frozenset(
    {"/about", *(f"/about/{name}" for name in ("evaluation", "safety", "safety/hazards", "privacy", "accessibility", "intended-use"))}
)
"""Pages outside the library that take remarks."""
HAZARDS = "/about/safety/hazards"
HELPFUL = {"yes": True, "no": False}


def remarks_on(store: Store, path: str) -> dict[str, Any]:
    """What a page needs to take remarks and to show those that were answered."""
    return {"answered": store.answered(path), "most_characters": MOST_CHARACTERS}


def remark(request: Request, form: Any) -> Response:
    """Keep a remark; one that cannot be kept comes back with what was typed."""
    from_our_own_page(request)
    keep_pace(request, f"remark {client_of(request)}")
    place = str(form.get("page", ""))
    if not _known(request, place):
        raise HTTPException(404)
    helpful, text = HELPFUL.get(str(form.get("helpful", ""))), cleaned(str(form.get("text", "")))
    if fault := _fault(helpful, text):
        return page(request, "remark.html", {"page": place, "text": text, "fault": fault, "most_characters": MOST_CHARACTERS}, 422)
    site: Site = request.app.state.site
    site.store.remark(place, helpful, text)
    return RedirectResponse(f"/remark?page={place}", 303)


def thanks(request: Request) -> Response:
    """Thanks, and the way back."""
    place = request.query_params.get("page", "")
    return page(request, "thanks.html", {"back": place if _known(request, place) else "/library"})


def _known(request: Request, place: str) -> bool:
    library: Library = request.app.state.desk.library
    folder, _, last = place.rpartition("/")
    return place in library.addresses or place in ABOUT or (folder == HAZARDS and last in library.knowledge.hazards)


def cleaned(text: str) -> str:
    """Text without control characters, with plain line ends: a browser counts a line end as one character and sends two."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c == "\n" or c.isprintable()).strip()


def _fault(helpful: bool | None, text: str) -> Fault | None:
    if len(text) > MOST_CHARACTERS:
        return Fault("text", f"Your text is {len(text):,} characters long. Please use at most {MOST_CHARACTERS:,}.")
    if helpful is None and not text:
        return Fault("text", "Type what is wrong, or use the buttons “Yes” and “No”.")
    return None


ROUTES = [Route("/remark", anybody_posted(remark), methods=["POST"]), Route("/remark", thanks)]
