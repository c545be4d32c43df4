"""Security of the web app: headers, cookie, forgery, limits, hostile answers, deletion, and what never leaves."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from starlette.routing import Route
from starlette.testclient import TestClient

from soleus.delivery.web import tables
from soleus.delivery.web.app import create_app
from soleus.delivery.web.limits import MOST_BYTES, Pace
from soleus.delivery.web.pages import FOLDER
from soleus.delivery.web.settings import Settings
from soleus.delivery.web.store import TOKEN_BYTES, BusyError, GoneError, Store, form_token
from soleus.delivery.web.visits import COOKIE
from soleus.interview.session import DANGER
from tests.web.visiting import Page, begin, begin_at, read, send, site, walk

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
HOSTILE = [
    "<script>alert('soleus-was-here')</script>",
    "\"><img src=x onerror=alert('soleus-was-here')>",
    "' onfocus='alert(1)' autofocus='",
    "{{ 7 * 191 }} {% include 'base.html' %} ${7 * 191} #{7 * 191}",
    "soleus\0was\0here",
    "\u202eereh-saw-sueoslos\u202c \u2066x\u2069 \u200f",
    "😀🦵" * 200,
    "</title></main><h1>soleus-was-here</h1>",
    "javascript:alert(1)",
    "x" * 5000,
]


def _rows(client: TestClient) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored."""
    with site(client).store.engine.connect() as connection:
        return {t.name: [tuple(row) for row in connection.execute(select(t))] for t in tables.Base.metadata.sorted_tables}


# -- headers and what pages hold -------------------------------------------------------------------


def _is_safe(page: Page) -> None:
    """Nothing that the policy would have to allow: no script or style within the page, none from elsewhere, no handler."""
    assert page.html.count("<script") == sum(t.name == "script" for t in page.tags)
    for tag in page.tags:
        assert not [name for name in tag.given if name.startswith("on") or name in ("style", "srcdoc", "formaction", "http-equiv")], tag
        assert tag.name not in ("style", "iframe", "object", "embed", "base"), tag
        for name in ("src", "action"):
            assert tag.given.get(name, "/").startswith("/"), tag
        assert re.match(r"(/(?!/)|#|https?://|tel:\d+$|$)", tag.given.get("href", "")), tag
        if tag.name == "link":
            assert tag.given["href"].startswith("/static/")
        if tag.name == "script":
            assert tag.given["src"].startswith("/static/")
    assert not re.search(r"<script[^>]*>[^<]+", page.html)


def _addresses(client: TestClient) -> list[str]:
    """Every address without a parameter that can be read."""
    routes = [r for r in client.app.routes if isinstance(r, Route)]  # type: ignore[attr-defined]  # it is a Starlette
    return [r.path for r in routes if "{" not in r.path and "GET" in (r.methods or ())]


def _is_ours(response: Any) -> Page:
    """A page of our own with all headers."""
    page = read(response)
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    assert response.headers["cache-control"] == "no-store"
    assert "Soleus" in page.text
    assert page.text.count("Traceback") == 0
    return page


@pytest.mark.parametrize("template", sorted(p.relative_to(str(FOLDER)).as_posix() for p in Path(str(FOLDER)).rglob("*.html")))
def test_templates_hold_no_script_or_style(template: str) -> None:
    source = (Path(str(FOLDER)) / template).read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+\s*=|javascript:|<base|<iframe|http-equiv", source)
    assert not re.search(r"<script(?! src=\"/static/[\w./-]+\"( defer| type=\"module\")?></script>)", source)
    assert not re.search(r"\|\s*safe|autoescape|Markup", source)
    assert not re.search(r"<\w+[^>]*\s[\w-]+=\{\{", source), "an attribute without quotes"


def test_every_page_is_safe(client: TestClient) -> None:
    begin(client)
    for page in walk(client):
        _is_safe(page)
    for address in _addresses(client):
        response = client.get(address)
        assert response.status_code in (200, *([404] if address == "/about/safety/case" else [])), address
        for name, value in HEADERS.items():
            assert response.headers[name] == value
        assert response.headers["cache-control"].startswith("no-store"), address
        if response.headers["content-type"].startswith("text/html"):
            _is_safe(read(response))
            assert read(response).html.startswith("<!doctype html>")


def test_drawings_hold_no_script(client: TestClient) -> None:
    folder = Path(str(FOLDER)).parent / "static"
    for file in folder.rglob("*.svg"):
        assert not re.search(r"<script|\son\w+=|<foreignObject|href=\"(?!#)|<style|@import", file.read_text("utf-8")), file
        response = client.get(f"/static/{file.relative_to(folder).as_posix()}")
        assert response.headers["content-security-policy"] == CSP
        assert response.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/%2e%2e/app.py", "/static//etc/passwd", "/static/"]
)
def test_only_static_files_are_given_out(path: str, client: TestClient) -> None:
    response = client.get(path)
    assert response.status_code == 404
    _is_ours(response)


# -- pages for what does not work ------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/interview/age/x", "/resume/wrong", "/resume/", "/static/nothing.css", "/%00", "/%F0%9F%A6%B5", "/%2F/evil.example"],
)
def test_unknown_pages_are_404(path: str, client: TestClient) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert _is_ours(response).text.count("There is no such page") >= 1


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/begin"), ("GET", "/forget"), ("GET", "/interview/age"), ("POST", "/"), ("POST", "/result"), ("POST", "/static/soleus.css"),
    ("PUT", "/interview/age"), ("DELETE", "/answers"), ("OPTIONS", "/"), ("PATCH", "/forget"), ("TRACE", "/"),
])  # fmt: skip
def test_methods_that_are_not_allowed_are_405(method: str, path: str, client: TestClient) -> None:
    response = client.request(method, path)
    assert response.status_code == 405
    assert "That is not possible here" in _is_ours(response).text


def test_bodies_that_are_too_large_are_413(client: TestClient) -> None:
    begin(client)
    before = _rows(client)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    said = client.post("/interview/age", content=b"x" * (MOST_BYTES + 1), headers=headers)
    unsaid = client.post("/interview/age", content=(b"x" * 8192 for _ in range(9)), headers=headers)
    wrong = client.post("/interview/age", content=b"x", headers={"Content-Length": "²".encode("latin-1")})
    for response in (said, unsaid, wrong):
        assert response.status_code == 413
        assert "too much" in _is_ours(response).text
    assert _rows(client) == before
    assert client.post("/interview/age", content=b"x" * MOST_BYTES, headers=headers).status_code == 403


def test_too_many_answers_are_429(tmp_path: Path) -> None:
    with TestClient(create_app(Settings(database_url=f"sqlite:///{tmp_path}/t.db", steps_per_minute=5))) as client:
        begin(client)
        responses = [send(client, "age", {"value": str(20 + n)}) for n in range(7)]
        assert [r.status_code for r in responses] == [303] * 5 + [429] * 2
        assert "Too many answers" in _is_ours(responses[-1]).text
        assert [row[-1] for row in _rows(client)["answers"]] == [24]
        begun = [client.post("/begin", follow_redirects=False).status_code for _ in range(5)]
        assert begun == [303] * 4 + [429]


def test_pace_is_forgotten_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("soleus.delivery.web.limits.time.monotonic", lambda: now[0])
    pace = Pace(2)
    assert [pace.allows("a") for _ in range(3)] == [True, True, False]
    assert pace.allows("b")
    now[0] = 60.0
    assert pace.allows("a")
    monkeypatch.setattr(Pace, "MOST_KEYS", 3)
    for key in range(10):
        pace.allows(str(key))
    assert len(pace._counts) == 3


@pytest.mark.parametrize(("error", "status"), [(BusyError("secret"), 503), (GoneError("secret"), 403), (RuntimeError("secret"), 500)])
def test_no_words_of_an_error_reach_the_page_or_the_log(
    error: Exception, status: int, client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begin(client)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Store, "visit", fail)
    response = client.get("/answers")
    assert response.status_code == status
    assert "secret" not in _is_ours(response).html
    assert "secret" not in caplog.text
    assert ("Retry-After" in response.headers) == (status == 503)
    if status == 500:
        assert "RuntimeError" in caplog.text


# -- cookie and token ------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [False, True])
def test_cookie(secure: bool, tmp_path: Path) -> None:
    chosen = Settings(database_url=f"sqlite:///{tmp_path}/t.db", secure_cookies=secure)
    with TestClient(create_app(chosen), base_url="https://testserver") as client:
        begun = client.post("/begin", follow_redirects=False)
        client.cookies.set(COOKIE, re.findall(r"soleus=([^;]+)", begun.headers["set-cookie"])[0])
        link = read(client.get("/answers"))
        address = re.findall(r"/resume/[\w-]+", link.text)[0]
        resumed = client.get(address, follow_redirects=False)
        forgot = client.post("/forget", data={"form_token": link.value("form_token")}, follow_redirects=False)
        for response in (begun, resumed, forgot):
            assert response.status_code == 303
            attributes = {a.strip().lower() for a in response.headers["set-cookie"].split(";")[1:]}
            assert {"httponly", "samesite=lax", "path=/"} <= attributes
            assert ("secure" in attributes) == secure
            assert not any(a.startswith("domain") for a in attributes)
        assert "max-age=2592000" in begun.headers["set-cookie"].lower()


def test_the_token_is_long_and_only_its_hash_is_stored(client: TestClient, tmp_path: Path) -> None:
    tokens = {begin(client) for _ in range(50)}
    assert len(tokens) == 50
    assert TOKEN_BYTES * 8 >= 128
    assert all(len(token) >= 43 for token in tokens)
    with site(client).store.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    stored = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"visits" in stored
    for token in tokens:
        assert token.encode() not in stored
        assert form_token(token).encode() not in stored
        assert token not in str(_rows(client))


def test_the_database_is_for_its_owner_only(client: TestClient, tmp_path: Path) -> None:
    begin(client)
    assert {p.stat().st_mode & 0o077 for p in tmp_path.iterdir()} == {0}


def test_the_resume_link_leaves_the_address_at_once(client: TestClient) -> None:
    token = begin(client)
    send(client, "age", {"value": "44"})
    address = re.findall(r"/resume/[\w-]+", client.get("/answers").text)[0]
    client.cookies.clear()
    response = client.get(address, follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == "/interview"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    assert client.cookies[COOKIE] == token
    assert "44" in client.get("/answers").text


def test_a_link_does_not_mix_two_peoples_answers(client: TestClient) -> None:
    """Who has answers of their own open is asked first, and only our own page can change over."""
    theirs = begin(client)
    address = re.findall(r"/resume/[\w-]+", client.get("/answers").text)[0]
    client.cookies.clear()
    mine = begin(client)
    asked = client.get(address, follow_redirects=False)
    assert asked.status_code == 200
    assert "other answers open" in asked.text
    assert client.cookies[COOKIE] == mine
    foreign = client.post("/take-over", data={"token": theirs}, headers={"Sec-Fetch-Site": "cross-site"}, follow_redirects=False)
    assert foreign.status_code == 403
    assert client.cookies[COOKIE] == mine
    assert client.post("/take-over", data={"token": "x"}, follow_redirects=False).status_code == 404
    assert client.post("/take-over", data={"token": theirs}, follow_redirects=False).status_code == 303
    assert client.cookies[COOKIE] == theirs


def test_an_answer_to_a_question_that_is_not_asked_any_more_is_said_not_to_be_taken(client: TestClient) -> None:
    begin(client)
    send(client, "age", {"value": "60"})
    late = send(client, "skin_black", {"answer": "yes"})
    assert late.status_code == 409
    assert "this answer was not taken" in late.text


@pytest.mark.parametrize("cookie", ["", "x", "x" * 4000, "../../etc", "' OR 1=1 --", "%00"])
def test_a_wrong_cookie_is_nobody(cookie: str, client: TestClient) -> None:
    begin(client)
    client.cookies.clear()
    for address in ("/interview", "/answers", "/result", "/result/doctor", "/check"):
        response = client.get(address, headers={"Cookie": f"{COOKIE}={cookie}"}, follow_redirects=False)
        assert response.status_code == 303
        assert response.headers["location"] == "/"


def test_visits_are_apart(client: TestClient) -> None:
    begin(client)
    send(client, "age", {"value": "44"})
    begin(client)
    assert "You have not answered anything yet" in client.get("/answers").text


@pytest.mark.parametrize("host", ["[", 'evil.example/"><script>alert(1)</script>', "a b", "x:y:z"])
def test_a_wrong_host_does_no_harm(host: str, client: TestClient) -> None:
    begin(client)
    for address in ("/", "/answers", "/nowhere", "/interview/"):
        response = client.get(address, headers={"Host": host}, follow_redirects=False)
        assert response.status_code in (200, 303, 307, 400, 404), (address, response.text)
        _is_safe(read(response))


# -- forgery ---------------------------------------------------------------------------------------


POSTS = ["/interview/age", "/forget", "/result/region"]


@pytest.mark.parametrize("path", POSTS)
def test_forms_that_are_not_ours_change_nothing(path: str, client: TestClient) -> None:
    other = form_token(begin(client))
    token = form_token(begin(client))
    before = _rows(client)
    given = {"value": "60", "region": "uk"}
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        (given, {}),
        (given | {"form_token": ""}, {}),
        (given | {"form_token": "wrong"}, {}),
        (given | {"form_token": "é😀"}, {}),
        (given | {"form_token": other}, {}),
        (given | {"form_token": token[:-1]}, {}),
        *((given | {"form_token": token}, {"Sec-Fetch-Site": where}) for where in ("cross-site", "same-site", "x")),
    ]
    for data, headers in tries:
        response = client.post(path, data=data, headers=headers, follow_redirects=False)
        assert response.status_code == 403
        assert "Nothing was changed" in _is_ours(response).text
    client.cookies.clear()
    assert client.post(path, data=given | {"form_token": token}, follow_redirects=False).status_code == 403
    assert _rows(client) == before


def test_no_visit_is_begun_from_another_site(client: TestClient) -> None:
    for where in ("cross-site", "same-site"):
        response = client.post("/begin", headers={"Sec-Fetch-Site": where}, follow_redirects=False)
        assert response.status_code == 403
        assert "set-cookie" not in response.headers
    assert _rows(client)["visits"] == []
    for where in ("same-origin", "none"):
        assert client.post("/begin", headers={"Sec-Fetch-Site": where}, follow_redirects=False).status_code == 303


# -- hostile answers -------------------------------------------------------------------------------


def _shows(page: Page, value: str) -> None:
    """The value is at most text or the value of a field, never a tag of its own."""
    _is_safe(page)
    assert page.html.count("<h1") == 1
    assert "<h1>soleus" not in page.html
    assert "<img src=x" not in page.html
    assert "1337" not in page.text
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f") & set(page.text), "what was typed turns the text around it"
    assert all("1337" not in v for t in page.tags for v in t.given.values())
    assert not [t for t in page.tags if t.given.get("onerror") or t.given.get("onfocus")], value


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_a_form_are_escaped(value: str, client: TestClient) -> None:
    begin(client)
    response = send(client, "age", {"value": value})
    assert response.status_code == 422
    page = _is_ours(response)
    _shows(page, value)
    assert page.value("value") == value
    for step, given in (("sex", {"answer": value}), ("lower_leg", {"answer": value})):
        begin_at(client, step)
        response = send(client, step, given)
        assert response.status_code == 422
        _shows(_is_ours(response), value)
    begin_at(client, DANGER)
    response = send(client, DANGER, {site(client).knowledge.danger_signs[0]: value})
    assert response.status_code in (303, 422)
    begin_at(client, "")
    page = read(client.get("/interview"))
    response = send(client, page.action.rpartition("/")[2], {"answer": [value], "unit": value, "height": value, "weight": value})
    assert response.status_code == 422
    _shows(_is_ours(response), value)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_the_database_are_escaped(value: str, client: TestClient) -> None:
    """Even where an answer got past every check."""
    begin_at(client, "")
    walk(client, 3)
    store = site(client).store
    with Session(store.engine) as session, session.begin():
        session.execute(update(tables.Visit).values(region=value[:16].replace("\0", "")))
        visit = session.scalar(select(tables.Visit.id))
    assert visit is not None
    for step in (*site(client).knowledge.findings, DANGER, "age", value[:64].replace("\0", "")):
        store.answer(visit, step, {value: True} if step == DANGER else value)
    for address in ("/interview", "/answers", "/result", "/result/doctor", "/check"):
        response = client.get(address)
        assert response.status_code == 200
        page = read(response)
        _shows(page, value)
        assert "soleus-was-here" not in page.text


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_addresses_are_escaped(value: str, client: TestClient) -> None:
    begin(client)
    for address in ("/interview", "/", "/answers", "/result"):
        response = client.get(address, params={"step": value, "x": value})
        assert response.status_code == 200
        _shows(read(response), value)
    assert client.get("/interview", params={"step": value}).url.path == "/interview"


# -- what never leaves -----------------------------------------------------------------------------


def test_answers_stand_in_no_address_and_no_log(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    token = begin(client)
    caplog.clear()
    places = [send(client, "age", {"value": "73"}).headers["location"]]
    places.append(send(client, "sex", {"answer": "female"}).headers["location"])
    places.append(send(client, "lower_leg", {"answer": "yes"}).headers["location"])
    places.append(send(client, DANGER, dict.fromkeys(site(client).knowledge.danger_signs, "yes")).headers["location"])
    pages = [*walk(client), *(read(client.get(a)) for a in ("/answers", "/result", "/check"))]
    assert {place.partition("?step=")[0] for place in places} == {"/interview", "/check"}
    for page in pages:
        for link in (*page.links, page.action if any(t.name == "form" for t in page.tags) else ""):
            assert link.startswith("https://") or not re.search(r"73|female|=yes|=no\b", link)
            assert token not in link
        assert not [t for t in page.tags if t.name == "form" and t.given.get("method") != "post" and t.given.get("action") != "/library"]
    logged = [r for r in caplog.records if r.name not in ("httpx", "httpcore", "asyncio")]
    assert not [r for r in logged if token in r.getMessage() or "73" in r.getMessage() or "female" in r.getMessage()]


@pytest.mark.parametrize(("query", "given", "status"), [("SELECT :raw FROM nowhere", 73, 503), ("SELECT :raw", {"raw": 73}, 500)])
def test_an_error_of_the_database_tells_no_answer(
    query: str, given: object, status: int, client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(client)
    monkeypatch.setattr(Store, "_put", lambda _store, session, *_: session.execute(text(query), {"raw": given}))
    response = send(client, "age", {"value": "73"})
    assert response.status_code == status
    shown = _is_ours(response).html
    logged = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith(("soleus", "sqlalchemy", "uvicorn")))
    assert "Error" in logged
    for told in (shown, re.sub(r"line \d+", "", logged)):
        assert "73" not in re.sub(r"[0-9a-f]{64}", "", told)
        assert "nowhere" not in told


def test_the_command_keeps_no_access_log() -> None:
    source = (Path(__file__).parents[2] / "src/soleus/cli/web.py").read_text("utf-8")
    assert "access_log=False" in source


# -- deletion --------------------------------------------------------------------------------------


@pytest.fixture
def full(client: TestClient) -> tuple[TestClient, int]:
    """A visit with something in every table that belongs to it, beside another one."""
    for _ in range(2):
        begin_at(client, "")
        walk(client, 2)
    store = site(client).store
    with Session(store.engine) as session, session.begin():
        visits = session.scalars(select(tables.Visit.id).order_by(tables.Visit.id)).all()
        for visit in visits:
            session.add(tables.CheckIn(visit_id=visit, at=datetime.now(UTC), feeling="worse", signs={}))
            session.add(tables.DiaryDay(visit_id=visit, day="2026-01-01", pain=3, metres=200))
    return client, visits[-1]


def _left(client: TestClient) -> dict[str, int]:
    return {name: len(rows) for name, rows in _rows(client).items() if name != "remarks" and name != "alembic_version"}


def test_forget_deletes_everything(full: tuple[TestClient, int]) -> None:
    client, _ = full
    before = _left(client)
    assert all(count % 2 == 0 and count >= 2 for count in before.values())
    response = client.post("/forget", data={"form_token": read(client.get("/answers")).value("form_token")}, follow_redirects=False)
    assert response.headers["location"] == "/forgotten"
    assert _left(client) == {name: count // 2 for name, count in before.items()}
    assert client.get("/answers", follow_redirects=False).headers["location"] == "/"
    assert COOKIE not in client.cookies


def test_purge_deletes_what_is_older_than_the_setting(full: tuple[TestClient, int]) -> None:
    client, visit = full
    before, store = _left(client), site(client).store
    assert store.purge(30) == 0
    with Session(store.engine) as session, session.begin():
        old = datetime.now(UTC) - timedelta(days=29, hours=23)
        session.execute(update(tables.Visit).where(tables.Visit.id == visit).values(seen=old))
    assert store.purge(30) == 0
    assert store.purge(29) == 1
    assert _left(client) == {name: count // 2 for name, count in before.items()}


def test_who_comes_back_is_not_purged(full: tuple[TestClient, int]) -> None:
    client, visit = full
    store = site(client).store
    with Session(store.engine) as session, session.begin():
        session.execute(update(tables.Visit).where(tables.Visit.id == visit).values(seen=datetime.now(UTC) - timedelta(days=29)))
    client.get("/result")
    assert store.purge(28) == 0


def test_what_is_old_is_purged_when_the_app_starts(tmp_path: Path) -> None:
    chosen = Settings(database_url=f"sqlite:///{tmp_path}/t.db", retention_days=1)
    with TestClient(create_app(chosen)) as client:
        begin(client)
        with Session(site(client).store.engine) as session, session.begin():
            session.execute(update(tables.Visit).values(seen=datetime.now(UTC) - timedelta(days=2)))
    with TestClient(create_app(chosen)) as client:
        for _ in range(100):
            if not _rows(client)["visits"]:
                return
            time.sleep(0.05)
        pytest.fail("nothing was purged")


def test_an_answer_to_a_visit_that_was_deleted_meanwhile_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(client)
    answer = Store.answer

    def late(store: Store, visit: int, step: str, raw: Any) -> None:
        store.forget(visit)
        answer(store, visit, step, raw)

    monkeypatch.setattr(Store, "answer", late)
    response = send(client, "age", {"value": "60"})
    assert response.status_code == 403
    _is_ours(response)
    assert _left(client) == {"visits": 0, "answers": 0, "check_ins": 0, "diary": 0}
