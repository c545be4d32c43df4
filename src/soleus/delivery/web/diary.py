"""The diary: pain and walking distance by day, as two charts and a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from soleus.delivery.web.chart import Chart, chart, spoken
from soleus.delivery.web.follow_up import kept, whole
from soleus.delivery.web.forms import Fault, Form, FormError
from soleus.delivery.web.pages import page
from soleus.delivery.web.posts import posted
from soleus.delivery.web.store import Day
from soleus.delivery.web.visits import Here, Site, here

UNITS: Mapping[str, float] = {"metres": 1.0, "yards": 0.9144, "feet": 0.3048}
MOST_METRES = 100_000
MOST_PAIN = 10
OLDEST_DAYS = 400
EARLIEST_ZONE = timedelta(hours=14)
"""Where on earth a day begins first: what is today there is not the future."""


@dataclass(frozen=True)
class Row:
    """A day as shown: the distance in the unit that was chosen."""

    day: date
    pain: int | None
    distance: float | None

    @property
    def spoken(self) -> str:
        return spoken(self.day)


@dataclass(frozen=True)
class Fields:
    """What stands in the form."""

    day: str
    pain: str = ""
    distance: str = ""
    unit: str = "metres"


def diary(request: Request) -> Response:
    """The diary; `?day=` to change a day, `?unit=` to see distances in another unit."""
    visit = here(request)
    if visit is None:
        return RedirectResponse("/", 303)
    site: Site = request.app.state.site
    unit = str(request.query_params.get("unit", ""))
    return _page(request, visit, _filled(site, visit, request.query_params.get("day"), unit if unit in UNITS else usual_unit(visit)))


def usual_unit(visit: Here) -> str:
    """Feet for a person in the US, else metres."""
    return "feet" if visit.visit.region == "us" else "metres"


def _filled(site: Site, visit: Here, wanted: str | None, unit: str) -> Fields:
    """The form for a day as it is stored; today where none is wanted."""
    stored = next((d for d in site.store.diary(visit.visit.id) if d.day == wanted), None)
    if stored is None:
        return Fields(datetime.now().astimezone().date().isoformat(), unit=unit)
    pain = "" if stored.pain is None else str(stored.pain)
    return Fields(stored.day, pain, _plain(_in_unit(stored.metres, unit)), unit)


def _in_unit(metres: float | None, unit: str) -> float | None:
    return None if metres is None else round(metres / UNITS[unit], 1)


def _plain(number: float | None) -> str:
    return "" if number is None else f"{number:g}" if number < 1e6 else f"{number:.0f}"


def _page(request: Request, visit: Here, fields: Fields, faults: Sequence[Fault] = ()) -> Response:
    site: Site = request.app.state.site
    stored = site.store.diary(visit.visit.id)
    shown = fields.unit if fields.unit in UNITS else usual_unit(visit)
    rows = [Row(date.fromisoformat(d.day), d.pain, _in_unit(d.metres, shown)) for d in stored]
    given = {
        "visit": visit,
        "fields": fields,
        "unit": shown,
        "units": list(UNITS),
        "rows": rows[::-1],
        "stored": any(d.day == fields.day for d in stored),
        "first": _first_day(),
        "last": _last_day(),
        "charts": _charts(rows, shown),
        "faults": {fault.field: fault.text for fault in faults},
    }
    return page(request, "diary.html", given, 422 if faults else 200)


def _charts(rows: Sequence[Row], unit: str) -> list[Chart]:
    pain = chart("pain", "Pain, from 0 to 10", {r.day: float(r.pain) for r in rows if r.pain is not None}, MOST_PAIN)
    distance = chart("distance", f"Walking distance in {unit}", {r.day: r.distance for r in rows if r.distance is not None})
    return [drawn for drawn in (pain, distance) if drawn]


# -- writing ---------------------------------------------------------------------------------------


def write(request: Request, visit: Here, form: Any) -> Response:
    """Take one day; faults give the page again with what was typed."""
    day, faults = read_day(form)
    if faults or day is None:
        typed = Fields(*(str(form.get(name, "")) for name in ("day", "pain", "distance", "unit")))
        return _page(request, visit, typed, faults)
    site: Site = request.app.state.site
    site.store.write_day(visit.visit.id, day)
    return kept(RedirectResponse(f"/diary?unit={form.get('unit')}#days", 303), visit, site)


def read_day(form: Form) -> tuple[Day | None, list[Fault]]:
    """One day from a form, or all that is wrong with it."""
    faults, values = list[Fault](), list[Any]()
    for read in (_day, _pain, _distance):
        try:
            values.append(read(form))
        except FormError as error:
            faults.append(error.fault)
    if not faults and values[1] is None and values[2] is None:
        faults.append(Fault("pain", "Fill in the pain, the distance, or both."))
    return (None if faults else Day(values[0], values[1], values[2])), faults


def _day(form: Form) -> str:
    try:
        day = date.fromisoformat(str(form.get("day", "")).strip())
    except ValueError:
        raise FormError("day", "Choose a day, or type it as year-month-day, such as 2026-03-31.") from None
    if day > _last_day():
        raise FormError("day", "This day has not come yet. Choose today or an earlier day.")
    if day < _first_day():
        raise FormError("day", f"This day is too long ago. Choose one of the last {OLDEST_DAYS} days.")
    return day.isoformat()


def _last_day() -> date:
    return (datetime.now(UTC) + EARLIEST_ZONE).date()


def _first_day() -> date:
    return datetime.now(UTC).date() - timedelta(days=OLDEST_DAYS)


def _pain(form: Form) -> int | None:
    text = str(form.get("pain", "")).strip()
    return whole(text, 0, MOST_PAIN, FormError("pain", f"The pain must be a whole number from 0 to {MOST_PAIN}.")) if text else None


def _distance(form: Form) -> float | None:
    text, unit = str(form.get("distance", "")).strip(), str(form.get("unit", ""))
    if unit not in UNITS:
        raise FormError("unit", "Choose metres, yards or feet.")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,2})?", text):
        raise FormError("distance", "Type the distance in digits without commas, such as 400.")
    if (metres := float(text) * UNITS[unit]) > MOST_METRES:
        raise FormError("distance", f"That is too far. Type at most {MOST_METRES / UNITS[unit]:.0f} {unit}.")
    return round(metres, 3)


def remove(request: Request, visit: Here, form: Any) -> Response:
    """Remove a day."""
    site: Site = request.app.state.site
    site.store.remove_day(visit.visit.id, str(form.get("day", "")))
    return RedirectResponse("/diary#days", 303)


ROUTES = [
    Route("/diary", diary),
    Route("/diary", posted(write), methods=["POST"]),
    Route("/diary/remove", posted(remove), methods=["POST"]),
]
