"""Everything that is stored for a visit, for the person to take along: as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus import __version__
from soleus.delivery.web.visits import Here, Site, here

COLUMNS = ("part", "when", "item", "name", "value")


def everything(site: Site, visit: Here) -> dict[str, Any]:
    """All that is stored for this visit, except for the token's hash."""
    stored = visit.visit
    return {
        "soleus": __version__,
        "knowledge_version": stored.knowledge_version,
        "begun": stored.begun.isoformat(),
        "region": stored.region,
        "answers": dict(stored.answers),
        "check_ins": [{"at": c.at.isoformat(), "feeling": c.feeling, "new_danger_signs": list(c.signs)} for c in _check_ins(site, visit)],
        "diary": [{"day": d.day, "pain": d.pain, "metres": d.metres} for d in site.store.diary(stored.id)],
    }


def _check_ins(site: Site, visit: Here) -> tuple[Any, ...]:
    return site.store.check_ins(visit.visit.id)[::-1]


def as_json(request: Request) -> Response:
    """Everything as one JSON document."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    text = json.dumps(everything(request.app.state.site, visit), indent=2, ensure_ascii=False)
    return _file(text, "application/json", "soleus.json")


def as_csv(request: Request) -> Response:
    """Everything as one table: a row for each thing stored."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    site: Site = request.app.state.site
    names = {finding.id: finding.name for finding in site.knowledge.findings.values()}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for part, when, item, value in rows(everything(site, visit)):
        writer.writerow([_harmless(cell) for cell in (part, when, item, _name(names, item), value)])
    return _file(out.getvalue(), "text/csv; charset=utf-8", "soleus.csv")


def _name(names: Mapping[str, str], item: str) -> str:
    """What the knowledge base calls this item: a danger sign of the list, else the finding it is an option of."""
    step, _, option = item.partition(".")
    return names.get(option) or names.get(step, "")


def rows(stored: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """What is stored as rows: part, when, item, value."""
    for name in ("soleus", "knowledge_version", "begun", "region"):
        yield "visit", "", name, stored[name]
    for step, raw in stored["answers"].items():
        for item, value in _items(step, raw):
            yield "answer", "", item, value
    for check_in in stored["check_ins"]:
        yield "check_in", check_in["at"], "feeling", check_in["feeling"]
        for sign in check_in["new_danger_signs"]:
            yield "check_in", check_in["at"], sign, True
    for day in stored["diary"]:
        for item in ("pain", "metres"):
            if day[item] is not None:
                yield "diary", day["day"], item, day[item]


def _items(step: str, raw: Any) -> Iterator[tuple[str, Any]]:
    """An answer as one row, or one for each option."""
    if isinstance(raw, Mapping):
        yield from ((f"{step}.{option}", value) for option, value in raw.items())
    elif isinstance(raw, list):
        yield from ((f"{step}.{option}", True) for option in raw)
    else:
        yield step, raw


def _harmless(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = {True: "yes", False: "no"}.get(cell, "") if isinstance(cell, bool) else str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _file(text: str, kind: str, name: str) -> Response:
    return Response(text.encode(), media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


ROUTES = [Route("/export.json", as_json), Route("/export.csv", as_csv)]
