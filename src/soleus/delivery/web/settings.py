"""Settings of the web app, from the environment; the defaults need nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from soleus.errors import InputError
from soleus.interview.store import folder


@dataclass(frozen=True)
class Settings:
    """`database_url`: SQLAlchemy address; `retention_days`: visits not seen for so long are deleted; `secure_cookies`: cookies go over
    HTTPS only (set it wherever the app is reached from other machines); `steps_per_minute`: most answers one visitor may post."""

    database_url: str = field(default_factory=lambda: f"sqlite:///{folder() / 'soleus.db'}")
    retention_days: int = 30
    secure_cookies: bool = False
    steps_per_minute: int = 120

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Settings from SOLEUS_DATABASE_URL, SOLEUS_RETENTION_DAYS, SOLEUS_SECURE_COOKIES and SOLEUS_STEPS_PER_MINUTE.
        Raises InputError that names the variable, what was given and what is allowed."""
        default = cls()
        return cls(
            database_url=_database(env.get("SOLEUS_DATABASE_URL") or default.database_url),
            retention_days=_whole(env, "SOLEUS_RETENTION_DAYS", default.retention_days, 1, 3650),
            secure_cookies=_flag(env, "SOLEUS_SECURE_COOKIES"),
            steps_per_minute=_whole(env, "SOLEUS_STEPS_PER_MINUTE", default.steps_per_minute, 1, 100_000),
        )


def _database(url: str) -> str:
    """PostgreSQL is spoken to by psycopg, whichever way its address is written."""
    scheme = url.split("://")[0]
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg{url[len(scheme) :]}"
    if scheme not in ("sqlite", "postgresql+psycopg"):
        raise InputError(f"SOLEUS_DATABASE_URL: got one that begins with {scheme!r}; allowed: sqlite:///FILE, postgresql://USER@HOST/NAME")
    if scheme == "sqlite" and url.removeprefix("sqlite:///"):
        _make_folder(Path(url.removeprefix("sqlite:///")).parent)
    return url


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(f"{path}: cannot be made: {error.strerror}; set SOLEUS_DATABASE_URL or SOLEUS_STATE_DIR") from None


def _whole(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = env.get(name, "").strip()
    if not raw:
        return default
    if not (raw.isascii() and raw.isdigit()) or not low <= int(raw) <= high:
        raise InputError(f"{name}: got {raw!r}; allowed: a whole number from {low} to {high}")
    return int(raw)


def _flag(env: Mapping[str, str], name: str) -> bool:
    raw = env.get(name, "").strip().lower()
    if raw not in ("", "0", "1", "no", "yes", "false", "true"):
        raise InputError(f"{name}: got {raw!r}; allowed: yes, no")
    return raw in ("1", "yes", "true")
