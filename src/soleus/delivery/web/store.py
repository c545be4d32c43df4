"""Reading and writing what is stored. Each call is one transaction; what it returns is plain data."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, delete, event, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from sqlalchemy.orm import Session

from soleus.delivery.web import tables

LOG = logging.getLogger(__name__)
TOKEN_BYTES = 32
SQLITE_SECONDS = 10
"""How long SQLite waits for another that writes."""
MIGRATION_LOCK = 5_017_335
"""Any number, the same for all workers: PostgreSQL lets one of them migrate at a time."""


class BusyError(Exception):
    """The database did not answer in time; nothing was written, and the same request may be sent again."""


class GoneError(Exception):
    """What this belongs to was deleted meanwhile; nothing was written."""


@dataclass(frozen=True)
class Visit:
    """A visit as stored. `answers`: step to raw answer."""

    id: int
    knowledge_version: str
    region: str
    begun: datetime
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class CheckIn:
    """A later report as stored: when, `feeling` (better, same or worse), and the danger signs that were new."""

    at: datetime
    feeling: str
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """A day of the diary as stored; what was not filled in is None."""

    day: str
    pain: int | None
    metres: float | None


@dataclass(frozen=True)
class Remark:
    """What a reader said of a page, and the answer (empty: none yet)."""

    id: int
    at: datetime
    page: str
    helpful: bool | None
    text: str
    reply: str


def new_token() -> str:
    """An unguessable token of 256 bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def form_token(token: str) -> str:
    """What every form of a visit has to carry: only who has the cookie can know it."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Store:
    """The database behind the web app; made ready (migrated) when opened."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        with self._errors():
            migrate(self.engine)

    # -- visits --------------------------------------------------------------------------------------

    def begin(self, token: str, knowledge_version: str) -> None:
        """Store a new visit under this token."""
        with self._transaction() as session:
            session.add(tables.Visit(token_hash=_hash(token), knowledge_version=knowledge_version, begun=_now(), seen=_now()))

    def visit(self, token: str) -> Visit | None:
        """The visit of this token, or None. Looking at it counts as coming back."""
        with self._transaction() as session:
            row = session.scalar(select(tables.Visit).where(tables.Visit.token_hash == _hash(token)))
            if row is None:
                return None
            rows = session.execute(select(tables.Answer.step, tables.Answer.raw).where(tables.Answer.visit_id == row.id))
            found = Visit(row.id, row.knowledge_version, row.region, _aware(row.begun), {answer.step: answer.raw for answer in rows})
            if _aware(row.seen) < _now() - timedelta(days=1):
                _touch(session, row.id)
            return found

    def answer(self, visit: int, step: str, raw: Any) -> None:
        """Store the answer to one step, in place of an earlier one; two tabs that answer different steps both count."""
        with self._transaction() as session:
            self._put(session, visit, step, raw)
            _touch(session, visit)

    def choose_region(self, visit: int, region: str) -> None:
        with self._transaction() as session:
            session.execute(update(tables.Visit).where(tables.Visit.id == visit).values(region=region))

    def forget(self, visit: int) -> None:
        """Delete a visit and everything that belongs to it."""
        with self._transaction() as session:
            session.execute(delete(tables.Visit).where(tables.Visit.id == visit))

    def purge(self, days: int) -> int:
        """Delete visits that were not seen for so many days; how many."""
        with self._transaction() as session:
            gone = session.execute(delete(tables.Visit).where(tables.Visit.seen < _now() - timedelta(days=days)))
            return int(gone.rowcount)  # type: ignore[attr-defined]  # a delete has a row count

    # -- follow-up -----------------------------------------------------------------------------------

    def check_in(self, visit: int, feeling: str, signs: Iterable[str], step: str, known: Iterable[str]) -> None:
        """Store a check-in, and set its new danger signs to true in the answer to `step`, in one transaction. Signs set by another tab
        meanwhile stay; of `known` signs those never answered stay unknown."""
        new = dict.fromkeys(signs, True)
        with self._transaction() as session:
            session.add(tables.CheckIn(visit_id=visit, at=_now(), feeling=feeling, signs=new))
            session.flush()  # takes SQLite's lock before the answer is read
            if new:
                where = (tables.Answer.visit_id == visit, tables.Answer.step == step)
                earlier = session.scalar(select(tables.Answer.raw).where(*where).with_for_update()) or {}
                self._put(session, visit, step, {sign: earlier.get(sign, "unknown") for sign in known} | new)
            _touch(session, visit)

    def check_ins(self, visit: int) -> tuple[CheckIn, ...]:
        """The check-ins of a visit, latest first."""
        wanted = select(tables.CheckIn).where(tables.CheckIn.visit_id == visit).order_by(tables.CheckIn.at.desc(), tables.CheckIn.id.desc())
        with self._transaction() as session:
            return tuple(CheckIn(_aware(row.at), row.feeling, tuple(row.signs)) for row in session.scalars(wanted))

    def write_day(self, visit: int, day: Day) -> None:
        """Store a day of the diary; what is None leaves what the day had."""
        row = self._insert(tables.DiaryDay).values(visit_id=visit, day=day.day, pain=day.pain, metres=day.metres)
        given = {name: row.excluded[name] for name in ("pain", "metres") if getattr(day, name) is not None}
        with self._transaction() as session:
            session.execute(row.on_conflict_do_update(index_elements=["visit_id", "day"], set_=given))
            _touch(session, visit)

    def remove_day(self, visit: int, day: str) -> None:
        with self._transaction() as session:
            session.execute(delete(tables.DiaryDay).where(tables.DiaryDay.visit_id == visit, tables.DiaryDay.day == day))
            _touch(session, visit)

    def diary(self, visit: int) -> tuple[Day, ...]:
        """The diary of a visit, by day."""
        wanted = select(tables.DiaryDay).where(tables.DiaryDay.visit_id == visit).order_by(tables.DiaryDay.day)
        with self._transaction() as session:
            return tuple(Day(row.day, row.pain, row.metres) for row in session.scalars(wanted))

    # -- remarks -------------------------------------------------------------------------------------

    def remark(self, page: str, helpful: bool | None, text: str) -> None:
        """Keep what a reader said of a page."""
        with self._transaction() as session:
            session.add(tables.Remark(at=_now(), page=page, helpful=helpful, text=text, reply=""))

    def remarks(self) -> list[Remark]:
        """All remarks, oldest first."""
        with self._transaction() as session:
            return [_remark(row) for row in session.scalars(select(tables.Remark).order_by(tables.Remark.id))]

    def answered(self, page: str) -> list[Remark]:
        """Remarks on a page that were answered, oldest first."""
        chosen = select(tables.Remark).where(tables.Remark.page == page, tables.Remark.reply != "").order_by(tables.Remark.id)
        with self._transaction() as session:
            return [_remark(row) for row in session.scalars(chosen)]

    def reply(self, remark: int, text: str) -> bool:
        """Answer a remark; false where there is none with this number."""
        with self._transaction() as session:
            done = session.execute(update(tables.Remark).where(tables.Remark.id == remark).values(reply=text))
            return bool(done.rowcount)  # type: ignore[attr-defined]  # an update has a row count

    def drop_remark(self, remark: int) -> bool:
        """Delete a remark; false where there is none with this number."""
        with self._transaction() as session:
            done = session.execute(delete(tables.Remark).where(tables.Remark.id == remark))
            return bool(done.rowcount)  # type: ignore[attr-defined]  # a delete has a row count

    # -- within --------------------------------------------------------------------------------------

    def _insert(self, table: type[tables.Base]) -> Any:
        """An insert that can say what to do when the row is there."""
        return (postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert)(table)

    def _put(self, session: Session, visit: int, step: str, raw: Any) -> None:
        row = self._insert(tables.Answer).values(visit_id=visit, step=step, raw=raw)
        session.execute(row.on_conflict_do_update(index_elements=["visit_id", "step"], set_={"raw": row.excluded.raw}))

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._errors(), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise GoneError from None
        except (OperationalError, NoConnectionError) as error:
            LOG.warning("the database did not answer: %s", type(getattr(error, "orig", None) or error).__name__)
            raise BusyError(str(getattr(error, "orig", error)).split("\n")[0]) from error


def _remark(row: tables.Remark) -> Remark:
    return Remark(row.id, row.at, row.page, row.helpful, row.text, row.reply)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        limits = {"connect_timeout": 5, "tcp_user_timeout": 15_000, "options": "-c statement_timeout=10s -c lock_timeout=5s"}
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, pool_timeout=5, connect_args=limits)
    engine = create_engine(url, hide_parameters=True, pool_timeout=10, connect_args={"timeout": SQLITE_SECONDS})
    _keep_to_ourselves(engine.url.database)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        _keep_a_log(connection)
        connection.execute("PRAGMA synchronous = FULL")

    return engine


def _keep_a_log(connection: Any) -> None:
    """Let SQLite read while it writes. Changing to this does not wait for other workers that are doing the same by itself."""
    until = time.monotonic() + SQLITE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _keep_to_ourselves(file: str | None) -> None:
    """Make the file of a new database readable by its owner only; SQLite gives its other files the same rights."""
    if file and file != ":memory:" and not file.startswith("file:"):
        with suppress(OSError):  # opening it will say what is wrong
            Path(file).touch(mode=0o600)


def migrate(engine: Engine) -> None:
    """Bring the database to the newest form."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("soleus.delivery.web") / "migrations"))
    with engine.begin() as connection:
        _one_at_a_time(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _one_at_a_time(connection: Connection) -> None:
    """Workers that start together must not both make the tables."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _touch(session: Session, visit: int) -> None:
    session.execute(update(tables.Visit).where(tables.Visit.id == visit).values(seen=_now()))


def _aware(at: datetime) -> datetime:
    """SQLite gives back the time without its zone, which is always UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)
