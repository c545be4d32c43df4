"""From a case's answers to what the model sees: for each answered finding, the values still possible of its items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.schema import Finding

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Observation:
    """One answered finding. `items`: item to the mask of its values still possible. `groups`: sets of
    yes/no items of which at least one is so."""

    finding: str
    items: Mapping[str, Mask]
    groups: tuple[tuple[str, ...], ...] = ()


NO, YES = np.array([True, False]), np.array([False, True])


def observations(case: Case, findings: Mapping[str, Finding]) -> tuple[Observation, ...]:
    """What the model sees of a case, in the order of ids, so that the order of answers changes nothing."""
    seen = (observe(findings[f], case.answers[f]) for f in sorted(case.answers) if findings[f].depends_on != "nothing")
    return tuple(o for o in seen if o.items or o.groups)


def observe(finding: Finding, answer: Answer) -> Observation:
    """What the model sees of one answer."""
    match answer:
        case YesNo(value):
            return Observation(finding.id, {finding.id: YES if value else NO})
        case OneOf(values):
            return Observation(finding.id, {finding.id: np.array([s in values for s in finding.states])})
        case Between(low, high):
            return Observation(finding.id, {finding.id: _bins(finding, low, high)})
        case Options(yes, no, some):
            items = {f"{finding.id}.{o}": YES for o in sorted(yes)} | {f"{finding.id}.{o}": NO for o in sorted(no)}
            groups = tuple(tuple(f"{finding.id}.{o}" for o in sorted(group)) for group in some)
            return Observation(finding.id, items, groups)


def _bins(finding: Finding, low: float, high: float) -> Mask:
    """The bins that the span touches; a bin holds its lower edge and not its upper."""
    edges = np.array([-np.inf, *finding.bins, np.inf])
    return np.asarray((edges[:-1] <= high) & (low < edges[1:]))
