"""A visitor of the web app: reads a page, fills in its form, goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import cast

from httpx import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from soleus.delivery.web.visits import COOKIE, Site
from soleus.interview.session import ABOUT, DANGER

VOID = {"input", "meta", "link", "img", "br", "hr", "progress"}


@dataclass(frozen=True)
class Tag:
    """A start tag with its attributes."""

    name: str
    given: dict[str, str]


@dataclass
class Page(HTMLParser):
    """A page, read as a browser would."""

    html: str
    tags: list[Tag] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def ids(self) -> list[str]:
        return [t.given["id"] for t in self.tags if "id" in t.given]

    @property
    def links(self) -> list[str]:
        return [t.given["href"] for t in self.tags if t.name == "a" and "href" in t.given]

    def fields(self, name: str) -> list[Tag]:
        return [t for t in self.tags if t.name in ("input", "button", "select", "textarea") and t.given.get("name") == name]

    def value(self, name: str) -> str:
        return self.fields(name)[0].given.get("value", "")

    def ticked(self, name: str) -> set[str]:
        return {t.given["value"] for t in self.fields(name) if "checked" in t.given}

    @property
    def action(self) -> str:
        return next(t.given["action"] for t in self.tags if t.name == "form")


def site(client: TestClient) -> Site:
    """What the app behind this client shares."""
    assert isinstance(client.app, Starlette)
    found: Site = client.app.state.site
    return found


def read(response: Response) -> Page:
    return Page(response.text)


def begin(client: TestClient) -> str:
    """Begin a visit; its token."""
    client.cookies.clear()
    response = client.post("/begin", follow_redirects=False)
    assert response.status_code == 303
    return cast(str, client.cookies[COOKIE])


def send(client: TestClient, step: str, given: Mapping[str, str | list[str]]) -> Response:
    """Answer a step with the form token of the page it is on."""
    token = read(client.get("/interview")).value("form_token")
    return cast(Response, client.post(f"/interview/{step}", data={"form_token": token, **given}, follow_redirects=False))


ABOUT_FORMS: dict[str, dict[str, str | list[str]]] = {
    "age": {"value": "60"},
    "sex": {"answer": "female"},
    "lower_leg": {"answer": "yes"},
    DANGER: {"none_true": "yes"},
}


def begin_at(client: TestClient, step: str) -> str:
    """Begin a visit whose form is about to be this step of the first four, or what comes after them."""
    token = begin(client)
    for name in (*ABOUT, DANGER):
        if name == step:
            break
        assert send(client, name, ABOUT_FORMS[name]).status_code == 303
    return token


def guess(page: Page) -> dict[str, str | list[str]]:
    """Some valid answer to the question on a page."""
    name = page.action.rpartition("/")[2]
    if name in ABOUT_FORMS:
        return ABOUT_FORMS[name]
    kinds = [t for t in page.fields("answer") if t.given["type"] == "checkbox"]
    if kinds:
        return {"answer": [kinds[0].given["value"]]}
    if page.fields("value"):
        return {"unsure": "yes"}
    return {"answer": page.fields("answer")[0].given["value"]}


def walk(client: TestClient, most: int = 60) -> list[Page]:
    """Go through the whole interview; the pages seen."""
    seen: list[Page] = []
    while len(seen) < most:
        response = client.get("/interview")
        if response.url.path != "/interview":
            return seen
        page = read(response)
        seen.append(page)
        sent = client.post(page.action, data={"form_token": page.value("form_token")} | guess(page), follow_redirects=False)
        assert sent.status_code == 303, sent.text
    return seen
