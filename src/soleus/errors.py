"""The exception tree of Soleus.

    SoleusError
    ├── InputError         what a user gave cannot be used: case file, answer, option (exit code 2)
    └── KnowledgeError     the knowledge base does not hold together (exit code 1)

Everything else that is raised is our fault and shows as a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class SoleusError(Exception):
    """Base of every error that is meant to be read by a person."""


class InputError(SoleusError):
    """Input that cannot be used.

    `faults` holds one message each, all found at once; every message names the place, the field,
    what was given and what is allowed.
    """

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))


class KnowledgeError(SoleusError):
    """The knowledge base is not usable; `faults` lists every reason with file, line and field."""

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))
