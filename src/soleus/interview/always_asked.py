"""The interview cannot end before every danger sign was asked: shown by walking the real interview through every
combination of answers to its fixed first steps, with and without answers to everything that comes later."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from soleus.interview.session import ABOUT, CARE, DANGER, Interview
from soleus.knowledge.load import Knowledge
from soleus.safety.prove import Broken, Proof, prove

NAME = "danger_signs_are_always_asked"
STATEMENT = "The interview never ends, and never asks anything but age, sex and place, before every danger sign was asked."
_NOT_GIVEN = object()


def all_proofs(knowledge: Knowledge) -> Iterator[Proof]:
    """The solver's proofs over the answers, and that of the interview."""
    yield from prove(knowledge)
    start = time.perf_counter()
    walked = list(unasked(knowledge))
    broken = tuple(Broken(words) for words, breaks in walked if breaks)
    yield Proof(NAME, STATEMENT, len(walked), time.perf_counter() - start, broken)


def unasked(knowledge: Knowledge) -> Iterator[tuple[str, bool]]:
    """Each combination in words, and whether it breaks the statement."""
    for fixed, later in product(_combinations(knowledge), ({}, _everything_later(knowledge))):
        if DANGER in fixed and later:
            continue  # what follows the danger signs is of no account here
        interview = Interview(knowledge, {**fixed, **later})
        step, asked = interview.next(), [s.id for s in interview.path]
        words = ", ".join(f"{k}: {v if k != DANGER else 'answered'}" for k, v in fixed.items()) or "nothing answered"
        early = DANGER not in asked and (step is None or step.id not in (*ABOUT, DANGER))
        incomplete = any(set(s.findings) != set(knowledge.danger_signs) for s in interview.path if s.id == DANGER)
        yield words, early or incomplete


def _combinations(knowledge: Knowledge) -> Iterator[Mapping[str, Any]]:
    """Every way to answer the fixed steps: a child, an adult, not known; each sex; another place; signs yes, no, unknown."""
    signs = [_NOT_GIVEN, *(dict.fromkeys(knowledge.danger_signs, said) for said in (True, False, "unknown"))]
    options = {
        "age": [_NOT_GIVEN, 10, 60, "unknown"],
        "sex": [_NOT_GIVEN, "male", "female", "unknown"],
        "lower_leg": [_NOT_GIVEN, True, False],
    }
    for *about, said in product(*(options[name] for name in ABOUT), signs):
        given = dict(zip((*ABOUT, DANGER), (*about, said), strict=True))
        yield {name: value for name, value in given.items() if value is not _NOT_GIVEN}


def _everything_later(knowledge: Knowledge) -> Mapping[str, Any]:
    """An answer to every later question, as if it had been asked before an earlier answer was taken back."""
    later = (f.id for f in knowledge.findings.values() if f.by == "person" and not f.danger_sign)
    return dict.fromkeys(later, "unknown") | {CARE: False}
