"""Rendering: templates that escape everything, and what each of them can use."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from soleus import __version__

FOLDER = resources.files("soleus.delivery.web") / "templates"
ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(str(FOLDER)), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
)
ENVIRONMENT.globals["version"] = __version__
ENVIRONMENT.filters["words"] = lambda name: str(name).replace("_", " ")
PROBLEMS = {
    403: "This form is too old",
    404: "There is no such page",
    405: "That is not possible here",
    413: "That was too much to send at once",
    429: "Too many answers at once",
    500: "Something went wrong on our side",
    503: "We could not save that just now",
}


def page(request: Request, template: str, given: Mapping[str, Any], status: int = 200) -> Response:
    """A page of the app."""
    return HTMLResponse(ENVIRONMENT.get_template(template).render(path=request.scope["path"], **given), status)


def problem(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The page that says what did not work. It never shows what was sent, nor the words of an error."""
    response = page(request, "problem.html", {"title": PROBLEMS.get(status, "That did not work"), "status": status}, status)
    response.headers.update(headers or {})
    return response
