"""The library: every condition, care entry, question, rule and source as a page to read, and a search over all of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus.assessment.assess import cited
from soleus.delivery.web import search as searching
from soleus.delivery.web.catalogue import ROOMS, Library, References, link_of, word, words
from soleus.delivery.web.pages import page
from soleus.delivery.web.remarks import remarks_on
from soleus.delivery.web.result import pictures
from soleus.delivery.web.visits import Site
from soleus.knowledge.expression import findings_in
from soleus.knowledge.schema import Finding


class Desk:
    """The library of an app and the index that is searched, each made when first asked for."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._index: tuple[searching.Page, ...] | None = None

    def find(self, query: str) -> list[searching.Hit]:
        """Entries that hold every word of the query."""
        if self._index is None:
            self._index = searching.pages(self.library)
        return searching.search(self._index, query)


def contents(request: Request) -> Response:
    """What there is, and the search box with what was found."""
    desk: Desk = request.app.state.desk
    query = request.query_params.get("q", "").strip()[: searching.MOST_CHARACTERS]
    hits = desk.find(query) if query else []
    counts = Counter(hit.room for hit in hits)
    given = {"query": query, "hits": hits, "counts": counts, "most": searching.MOST_HITS, "shelves": desk.library.shelves}
    return _show(request, "contents.html", given)


def room(request: Request) -> Response:
    """All entries of one room."""
    name = request.path_params["room"]
    if name not in ROOMS:
        raise HTTPException(404)
    return _show(request, "room.html", {"title": ROOMS[name], "shelves": request.app.state.desk.library.shelves[name]})


def entry(request: Request) -> Response:
    """One entry; a condition is also found by its aliases."""
    name, entry_id = request.path_params["room"], request.path_params["id"]
    library: Library = request.app.state.desk.library
    known = getattr(library.knowledge, name) if name in ROOMS else {}
    if name == "conditions" and entry_id not in known and entry_id in library.knowledge.condition_of:
        return RedirectResponse(f"/library/conditions/{library.knowledge.condition_of[entry_id]}", 301)
    if entry_id not in known:
        raise HTTPException(404)
    found = known[entry_id]
    given = {
        "x": found,
        "title": library.name(found),
        "trail": (f"/library/{name}", ROOMS[name]),
        "pictures": pictures(),
        "sourced": library.names_sources(found),
    }
    return _show(request, f"{name}.html", given | _VIEWS[name](library, entry_id))


def _show(request: Request, template: str, given: dict[str, Any]) -> Response:
    library: Library = request.app.state.desk.library
    site: Site = request.app.state.site
    shared = {"library": library, "k": library.knowledge, "refs": References(library.knowledge), "rooms": ROOMS, "word": word}
    return page(request, f"library/{template}", shared | {"visit": None} | remarks_on(site.store, request.scope["path"]) | given)


# -- what each kind of page needs --------------------------------------------------------------------


def _condition(library: Library, entry_id: str) -> dict[str, Any]:
    x = library.knowledge.conditions[entry_id]
    supports, opposes = library.signals(entry_id)
    treatments = {
        name: library.links("care", (t for t in x.treatments if library.knowledge.care[t].step == step))
        for step, name in words()["steps"].items()
    }
    seek = {u: [s for s in x.seek_care if s.urgency == u] for u in sorted({s.urgency for s in x.seek_care}, reverse=True)}
    return {
        "supports": supports,
        "opposes": opposes,
        "treatments": {step: links for step, links in treatments.items() if links},
        "seek": seek,
        "rules": library.links("rules", library.rules_about(entry_id)),
        "studied": library.studied(entry_id),
        "checked": x.review.checked,
    }


def _care(library: Library, entry_id: str) -> dict[str, Any]:
    used = library.conditions_with(entry_id)
    limits = [
        (n, library.words_of(when))
        for n, when in zip(library.knowledge.care[entry_id].not_if, library.knowledge.not_if[entry_id], strict=True)
    ]
    return {"used": library.links("conditions", used), "limits": limits, "checked": library.checked(used)}


def _finding(library: Library, entry_id: str) -> dict[str, Any]:
    x = library.knowledge.findings[entry_id]
    basis = library.numbers_of(entry_id)
    sources = dict.fromkeys(s for _, number in basis for s in number.sources)
    return {
        "tells": library.tells(x),
        "answers": _values(x),
        "rules": library.links("rules", library.knowledge.rules_reading.get(entry_id, ())),
        "care": library.links("care", library.care_reading.get(entry_id, ())),
        "answered_by": library.links("care", (c.id for c in library.knowledge.care.values() if c.finding == entry_id)),
        "basis": (sum(bool(n.sources) for _, n in basis), len(basis)),
        "based": sources,
        "ask_if": library.words_of(library.knowledge.ask_if[entry_id]) if entry_id in library.knowledge.ask_if else (),
        "checked": library.checked(c for c, _ in basis if c is not None),
    }


def _values(x: Finding) -> list[str]:
    """The answers that can be given, in words."""
    if x.type == "boolean":
        return ["Yes", "No"]
    if x.type == "number":
        low, high = x.range or (0, 0)
        return [f"A number from {low:g} to {high:g}{'' if x.unit in ('0-10', 'ratio') else f' {x.unit}'}"]
    return list(x.values.values())


def _rule(library: Library, entry_id: str) -> dict[str, Any]:
    knowledge = library.knowledge
    x, when = knowledge.rules[entry_id], knowledge.rule_when[entry_id]
    return {
        "when": library.words_of(when),
        "level": knowledge.levels[x.urgency],
        "asks": library.links("findings", (f for f in findings_in(when) if f in knowledge.findings)),
        "guards": library.links("conditions", x.guards),
        "checked": library.checked(x.guards),
    }


def _source(library: Library, entry_id: str) -> dict[str, Any]:
    uses = library.resting.get(entry_id, ())
    conditions = [u.entry.href.rpartition("/")[2] for u in uses if "/conditions/" in u.entry.href]
    source = library.knowledge.sources[entry_id]
    return {"uses": uses, "citation": cited(source).citation, "href": link_of(source), "checked": library.checked(conditions)}


_VIEWS = {"conditions": _condition, "care": _care, "findings": _finding, "rules": _rule, "sources": _source}

ROUTES = [
    Route("/library", contents),
    Route("/library/{room}", room),
    Route("/library/{room}/{id}", entry),
]
