"""Saving an interview so that nothing is lost: one line for each answer, written through to the disk.

The file is append-only JSON Lines: a header, then one `{"step": ..., "answer": ...}` for each answer
(an answer of a step given again replaces the earlier one; `{"step": ..., "removed": true}` takes it
back). A line cut short by a crash is left out when reading.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soleus.errors import InputError
from soleus.interview.session import Interview
from soleus.knowledge.load import Knowledge


def folder() -> Path:
    """Where interviews are kept: $SOLEUS_STATE_DIR, else $XDG_STATE_HOME/soleus, else ~/.local/state/soleus."""
    if given := os.environ.get("SOLEUS_STATE_DIR"):
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "soleus"


@dataclass(frozen=True)
class Saved:
    """An interview read back. `same_knowledge` is false when it was begun under another knowledge
    version; `dropped` are steps whose answer the present one no longer allows."""

    interview: Interview
    same_knowledge: bool
    dropped: tuple[str, ...]


class Log:
    """The file of one interview."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, name: str, knowledge: Knowledge) -> Log:
        """A new file, readable by its owner only. Raises InputError where the folder cannot be written."""
        path = folder() / f"{name}.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise InputError(
                f"{path}: the interview cannot be saved: {error.strerror}; set SOLEUS_STATE_DIR to a folder you can write"
            ) from None
        log = cls(path)
        log._append({"soleus_interview": 1, "knowledge_version": knowledge.version})
        return log

    @classmethod
    def latest(cls) -> Log | None:
        """The interview last written to, or None."""
        files = sorted(folder().glob("*.jsonl"), key=lambda p: p.stat().st_mtime_ns) if folder().is_dir() else []
        return cls(files[-1]) if files else None

    def record(self, step: str, answer: Any) -> None:
        self._append({"step": step, "answer": answer})

    def remove(self, step: str) -> None:
        self._append({"step": step, "removed": True})

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)

    def _append(self, entry: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self, knowledge: Knowledge) -> Saved:
        """The interview as it stood. Raises InputError when the file is not one of ours."""
        entries = list(self._entries())
        if not entries or entries[0].get("soleus_interview") != 1:
            raise InputError(f"{self.path}: not a saved interview")
        interview, dropped = Interview(knowledge), list[str]()
        for entry in entries[1:]:
            step = str(entry.get("step"))
            try:
                interview = interview.without(step) if entry.get("removed") else interview.answer(step, entry.get("answer"))
            except InputError:
                dropped.append(step)
        return Saved(interview, entries[0].get("knowledge_version") == knowledge.version, tuple(dropped))

    def _entries(self) -> list[dict[str, Any]]:
        entries = []
        for line in self.path.read_text("utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut short by a crash
            if isinstance(entry, dict):
                entries.append(entry)
        return entries
