"""The store on SQLite and on PostgreSQL: same form, same behaviour, and nothing is lost."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, select, text, update
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from soleus.delivery.web import tables
from soleus.delivery.web.app import create_app
from soleus.delivery.web.settings import Settings
from soleus.delivery.web.store import BusyError, Day, GoneError, Store, new_token
from soleus.errors import InputError
from tests.web.postgres import Cluster, programs
from tests.web.visiting import begin, guess, read, send, site, walk

RAWS: dict[str, Any] = {
    "yes": True,
    "no": False,
    "text": "unknown",
    "number": 60.5,
    "whole": 60,
    "quantity": "5,5 cm",
    "list": ["a", "b"],
    "mapping": {"a": True, "b": "unknown"},
    "odd": "😀 \u202e ' \" \\ %s :x \0",
    "empty": {},
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    found = programs()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI needs it")
        pytest.skip("PostgreSQL is not installed: /usr/lib/postgresql/*/bin/pg_ctl")
    running = Cluster(found)
    yield running
    running.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/t.db"
    running: Cluster = request.getfixturevalue("cluster")
    return running.new_database()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.engine.dispose()


def _begin(store: Store) -> tuple[str, int]:
    token = new_token()
    store.begin(token, "v")
    visit = store.visit(token)
    assert visit is not None
    return token, visit.id


def _answers(store: Store, token: str) -> dict[str, Any]:
    visit = store.visit(token)
    assert visit is not None
    return dict(visit.answers)


# -- form ------------------------------------------------------------------------------------------


def test_migrations_give_the_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, tables.Base.metadata) == []
        keys = {t: inspect(connection).get_foreign_keys(t) for t in ("answers", "check_ins", "diary")}
    assert all(k[0]["options"].get("ondelete") == "CASCADE" for k in keys.values())


def test_opening_again_changes_nothing(store: Store, url: str) -> None:
    token, visit = _begin(store)
    store.answer(visit, "age", 60)
    again = Store(url)
    assert _answers(again, token) == {"age": 60}
    again.engine.dispose()


def test_workers_that_start_together_make_the_tables_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(Store, [url] * 8))
    tokens = [_begin(opened)[0] for opened in stores]
    assert all(stores[0].visit(token) for token in tokens)
    for opened in stores:
        opened.engine.dispose()


def test_an_address_that_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("mysql://x/y", "nonsense", "sqlite:////proc/nowhere/t.db"):
        monkeypatch.setenv("SOLEUS_DATABASE_URL", wrong)
        with pytest.raises(InputError):
            Settings.from_environment()
    monkeypatch.setenv("SOLEUS_DATABASE_URL", "postgres://u@h/n")
    assert Settings.from_environment().database_url == "postgresql+psycopg://u@h/n"
    for wrong in ("0", "-1", "x", "²", "99999999"):
        monkeypatch.setenv("SOLEUS_RETENTION_DAYS", wrong)
        with pytest.raises(InputError, match="SOLEUS_RETENTION_DAYS"):
            Settings.from_environment()


# -- reading and writing ---------------------------------------------------------------------------


def test_answers_come_back_as_given(store: Store) -> None:
    token, visit = _begin(store)
    for step, raw in RAWS.items():
        store.answer(visit, step, raw)
    assert _answers(store, token) == RAWS
    assert {k: type(v) for k, v in _answers(store, token).items()} == {k: type(v) for k, v in RAWS.items()}


def test_two_tabs_both_count(store: Store, url: str) -> None:
    token, visit = _begin(store)
    other = Store(url)
    store.answer(visit, "age", 60)
    other.answer(visit, "sex", "male")
    other.answer(visit, "age", 61)
    assert _answers(store, token) == {"age": 61, "sex": "male"}
    other.engine.dispose()


def test_writers_at_the_same_time_lose_nothing(store: Store, url: str) -> None:
    token, visit = _begin(store)
    other = Store(url)

    def write(number: int) -> None:
        chosen = (store, other)[number % 2]
        chosen.answer(visit, f"step_{number}", number)
        chosen.answer(visit, "same", number)
        chosen.write_day(visit, Day(f"2026-01-{number % 28 + 1:02}", number % 11, None))
        own, mine = _begin(chosen)
        chosen.answer(mine, "own", number)
        assert _answers(chosen, own) == {"own": number}

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(write, range(200)))
    found = _answers(store, token)
    assert found.pop("same") in range(200)
    assert found == {f"step_{n}": n for n in range(200)}
    assert len(store.diary(visit)) == 28
    with Session(store.engine) as session:
        assert len(session.scalars(select(tables.Visit.id)).all()) == 201
    other.engine.dispose()


def test_forget_and_purge_take_all_that_belongs(store: Store) -> None:
    def fill() -> tuple[str, int]:
        token, visit = _begin(store)
        store.answer(visit, "age", 60)
        store.check_in(visit, "worse", ["a"], "danger_signs", ["a", "b"])
        store.write_day(visit, Day("2026-01-01", 3, 100))
        return token, visit

    def left() -> dict[str, int]:
        with store.engine.connect() as connection:
            return {t.name: len(connection.execute(select(t)).all()) for t in tables.Base.metadata.sorted_tables if t.name != "remarks"}

    (_, gone), (old_token, old), (kept_token, kept) = fill(), fill(), fill()
    three = left()
    assert min(three.values()) == 3
    store.forget(gone)
    assert left() == {name: count * 2 // 3 for name, count in three.items()}
    with Session(store.engine) as session, session.begin():
        session.execute(update(tables.Visit).where(tables.Visit.id == old).values(seen=datetime.now(UTC) - timedelta(days=31)))
    assert store.purge(30) == 1
    assert left() == {name: count // 3 for name, count in three.items()}
    assert store.visit(old_token) is None
    assert _answers(store, kept_token)["age"] == 60
    for write in _writes(store, old):
        with pytest.raises(GoneError):
            write()
    store.forget(kept)
    assert set(left().values()) == {0}


def _writes(store: Store, visit: int) -> list[Callable[[], None]]:
    return [
        lambda: store.answer(visit, "age", 1),
        lambda: store.check_in(visit, "same", [], "danger_signs", []),
        lambda: store.write_day(visit, Day("2026-01-01", 3, None)),
    ]


# -- trouble ---------------------------------------------------------------------------------------


@contextmanager
def _locked(url: str) -> Iterator[None]:
    """Another program holds the database."""
    if url.startswith("sqlite"):
        other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
        other.close()
    else:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("LOCK TABLE answers IN ACCESS EXCLUSIVE MODE")
            yield


def _hurry(store: Store) -> None:
    """Wait shorter than a person would."""
    statement = "PRAGMA busy_timeout = 200" if store.engine.dialect.name == "sqlite" else "SET lock_timeout = 200"

    @event.listens_for(store.engine, "checkout")
    def _set(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()

    store.engine.dispose()


def test_a_locked_database_says_busy_and_a_retry_works(store: Store, url: str) -> None:
    token, visit = _begin(store)
    store.answer(visit, "age", 60)
    _hurry(store)
    with _locked(url), pytest.raises(BusyError):
        store.answer(visit, "sex", "male")
    assert _answers(store, token) == {"age": 60}
    store.answer(visit, "sex", "male")
    assert _answers(store, token) == {"age": 60, "sex": "male"}


def test_a_locked_database_is_a_page_and_nothing_is_lost(url: str) -> None:
    with TestClient(create_app(Settings(database_url=url))) as client:
        begin(client)
        send(client, "age", {"value": "60"})
        page = read(client.get("/interview"))
        _hurry(site(client).store)
        form = {"form_token": page.value("form_token"), "answer": "male"}
        with _locked(url):
            response = client.post("/interview/sex", data=form, follow_redirects=False)
        _is_busy(response)
        assert client.post("/interview/sex", data=form, follow_redirects=False).status_code == 303
        answers = read(client.get("/answers")).text
        assert "60" in answers
        assert "male" in answers


def _is_busy(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "Your earlier answers are safe" in response.text
    assert "content-security-policy" in response.headers


def test_no_free_connection_is_busy(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _ = _begin(store)
    monkeypatch.setattr(store.engine.pool, "_timeout", 0.1)
    taken = []
    with suppress(NoConnectionError):
        for _ in range(100):
            taken.append(store.engine.connect())
    with pytest.raises(BusyError):
        store.visit(token)
    for connection in taken:
        connection.close()
    assert store.visit(token)


def test_postgresql_that_stops_between_and_within_requests(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(create_app(Settings(database_url=cluster.new_database()))) as client:
        begin(client)
        send(client, "age", {"value": "60"})
        token = read(client.get("/interview")).value("form_token")
        form = {"form_token": token, "answer": "male"}
        cluster.stop()
        _is_busy(client.get("/answers"))
        _is_busy(client.post("/interview/sex", data=form, follow_redirects=False))
        cluster.start()
        put = Store._put

        def cut(store: Store, session: Session, visit: int, step: str, raw: Any) -> None:
            put(store, session, visit, step, raw)
            cluster.restart()

        with monkeypatch.context() as patched:
            patched.setattr(Store, "_put", cut)
            _is_busy(client.post("/interview/sex", data=form, follow_redirects=False))
        assert "male" not in read(client.get("/answers")).text
        assert client.post("/interview/sex", data=form, follow_redirects=False).status_code == 303
        answers = read(client.get("/answers")).text
        assert "60" in answers
        assert "male" in answers


def test_a_database_that_is_not_there_is_busy() -> None:
    with pytest.raises(BusyError):
        Store("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    with pytest.raises(BusyError):
        Store("sqlite:////proc/nowhere/t.db")


# -- the whole of it -------------------------------------------------------------------------------


def test_an_interview_is_the_same_on_both(url: str) -> None:
    with TestClient(create_app(Settings(database_url=url))) as client:
        begin(client)
        pages = walk(client)
        assert len(pages) > 10
        result = client.get("/result")
        assert result.status_code == 200
        with site(client).store.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM answers")).scalar() == len(pages)


@pytest.fixture
def server(url: str) -> Iterator[str]:
    """The app with two workers; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "soleus.delivery.web.app:create_app", "--workers", "2", "--no-access-log"]
    env = os.environ | {"SOLEUS_DATABASE_URL": url}
    running = subprocess.Popen([*command, "--port", str(port)], env=env, stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            httpx.get(address)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    time.sleep(2)  # the other worker
    yield address
    running.terminate()
    told = running.communicate(timeout=30)[1]
    assert "ERROR" not in told, told
    assert "GET /" not in told


def test_two_workers_share_a_visit(server: str) -> None:
    def interview(number: int) -> None:
        cookies: httpx.Cookies = httpx.Cookies()
        cookies.update(httpx.post(f"{server}/begin").cookies)
        for _ in range(8):  # each request is a new connection, which either worker may take
            page = read(httpx.get(f"{server}/interview", cookies=cookies, follow_redirects=True))
            given = {"value": str(30 + number)} if page.action.endswith("/age") else guess(page)
            sent = httpx.post(f"{server}{page.action}", data={"form_token": page.value("form_token"), **given}, cookies=cookies)
            assert sent.status_code == 303, sent.text
        assert str(30 + number) in httpx.get(f"{server}/answers", cookies=cookies).text

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(interview, range(16)))
