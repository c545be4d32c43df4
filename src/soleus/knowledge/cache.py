"""A cache of what was compiled from the knowledge base, by content hash, in the user's cache folder.

It only saves time: a missing, foreign or damaged entry is made anew, and a folder that cannot be
written is left alone.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def folder() -> Path:
    """Where entries are kept: $SOLEUS_CACHE_DIR, else $XDG_CACHE_HOME/soleus, else ~/.cache/soleus."""
    if given := os.environ.get("SOLEUS_CACHE_DIR"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "soleus"


def cached(name: str, key: str, kind: type[T], make: Callable[[], T]) -> T:
    """The entry `name` for `key`, made by `make` when there is none of type `kind`."""
    path = folder() / f"{name}-{key}.pickle"
    found = _read(path)
    if isinstance(found, kind):
        return found
    value = make()
    _write(path, value)
    return value


def _read(path: Path) -> object:
    try:
        if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
            return None  # somebody else's file is never unpickled
        return pickle.loads(path.read_bytes())
    except Exception:  # any damage means: make it anew
        return None


def _write(path: Path, value: object) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
        os.replace(temporary, path)
        for old in path.parent.glob(f"{path.name.split('-')[0]}-*.pickle"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        return
