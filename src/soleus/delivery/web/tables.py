"""What is stored: visits and their answers, follow-up, and remarks on pages. Nothing else, and no name, address or IP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON}  # noqa: RUF012  # SQLAlchemy's own form


class Visit(Base):
    """One person's interview. Only a hash of the cookie's token is kept."""

    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    knowledge_version: Mapped[str] = mapped_column(String(64))
    region: Mapped[str] = mapped_column(String(16), default="")
    begun: Mapped[datetime]
    seen: Mapped[datetime] = mapped_column(index=True)


class Answer(Base):
    """The latest answer to one step of a visit; `raw` as the interview takes it."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("visit_id", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(64))
    raw: Mapped[Any] = mapped_column(JSON)


class CheckIn(Base):
    """A later report on how it goes: `feeling` is better, same or worse; `signs` new danger signs."""

    __tablename__ = "check_ins"
    __table_args__ = (Index("check_ins_of_visit", "visit_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    feeling: Mapped[str] = mapped_column(String(8))
    signs: Mapped[dict[str, Any]]


class DiaryDay(Base):
    """One day of the diary: pain from 0 to 10, walking distance in metres."""

    __tablename__ = "diary"
    __table_args__ = (UniqueConstraint("visit_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id", ondelete="CASCADE"))
    day: Mapped[str] = mapped_column(String(10))
    pain: Mapped[int | None]
    metres: Mapped[float | None]


class Remark(Base):
    """What a reader said of a library page, and what an editor answered."""

    __tablename__ = "remarks"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    page: Mapped[str] = mapped_column(String(160))
    helpful: Mapped[bool | None]
    text: Mapped[str] = mapped_column(Text, default="")
    reply: Mapped[str] = mapped_column(Text, default="")
