"""Which numbers and questions the results over the recorded cases hang on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from soleus.evaluation.dialogue import belief
from soleus.evaluation.simulation import Progress
from soleus.evaluation.vignettes import Vignette, history_only
from soleus.interview.value import Mind, mind_with
from soleus.knowledge.case import Case
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Settings, Urgency
from soleus.model.compile import compile_network
from soleus.model.uncertainty import Draw


@dataclass(frozen=True)
class Change:
    """What a change does over the cases, history alone: cases whose right cause comes first, mean log probability of the
    right cause (nats), and cases below and above what a panel would accept; each minus the unchanged model's."""

    what: str
    top1: int
    log_probability: float
    under: int
    over: int
    moved: int

    @property
    def size(self) -> tuple[int, float]:
        """How much it matters: cases whose first cause or urgency changed, then the change in log probability."""
        return self.moved, abs(self.log_probability)


@dataclass(frozen=True)
class _Reading:
    first: int
    right: bool
    log: float
    urgency: Urgency
    under: bool
    over: bool


def _read(mind: Mind, vignette: Vignette, case: Case) -> _Reading:
    causes, expected = mind.engine.network.causes, vignette.expected
    concluded = belief(mind, case)
    right = {causes.index(mind.knowledge.condition_of[c]) for c in (expected.condition, *expected.acceptable)}
    first, urgency = concluded.causes[0], concluded.urgency
    log = float(np.log(max(sum(concluded.probability[i] for i in right), 1e-6)))
    return _Reading(first, first in right, log, urgency, urgency < expected.urgency_low, urgency > expected.urgency_high)


def _change(what: str, before: Sequence[_Reading], after: Sequence[_Reading]) -> Change:
    pairs = list(zip(before, after, strict=True))
    return Change(
        what,
        sum(a.right - b.right for b, a in pairs),
        float(np.mean([a.log - b.log for b, a in pairs])),
        sum(a.under - b.under for b, a in pairs),
        sum(a.over - b.over for b, a in pairs),
        sum(a.first != b.first or a.urgency != b.urgency for b, a in pairs),
    )


def cases_of(vignettes: Iterable[Vignette], mind: Mind) -> list[tuple[Vignette, Case]]:
    """Each case from the history alone."""
    return [(v, history_only(v.case, mind.knowledge)) for v in vignettes]


def without_each_finding(mind: Mind, cases: Sequence[tuple[Vignette, Case]]) -> list[Change]:
    """Leave one finding's answer out of every case, most telling first."""
    before = [_read(mind, v, c) for v, c in cases]
    findings = sorted({f for _, case in cases for f in case.answers})
    changes = []
    for finding in findings:
        after = [
            _read(mind, v, c.with_answer(finding, None)) if finding in c.answers else b for (v, c), b in zip(cases, before, strict=True)
        ]
        changes.append(_change(finding, before, after))
    return sorted(changes, key=lambda c: c.size, reverse=True)


def with_each_condition_redrawn(mind: Mind, cases: Sequence[tuple[Vignette, Case]], seed: int, progress: Progress) -> list[Change]:
    """Replace one condition's own numbers, prior and prevalence by another draw from their uncertainty."""
    before = [_read(mind, v, c) for v, c in cases]
    changes = []
    for number, condition in enumerate(mind.engine.network.causes):
        draw = Draw(np.random.default_rng([seed, 2000, number + 1]), mind.knowledge.settings.judgement_spread, only=condition)
        other = mind_with(mind.knowledge, compile_network(mind.knowledge, draw))
        changes.append(_change(condition, before, [_read(other, v, c) for v, c in cases]))
        progress(number + 1)
    return sorted(changes, key=lambda c: c.size, reverse=True)


def with_each_setting_changed(mind: Mind, cases: Sequence[tuple[Vignette, Case]]) -> list[Change]:
    """Change the numbers of the method that shape an answer, one at a time: costs halved and doubled, the others to a lower and a higher
    value. Those that only choose questions are left out, as these cases ask none."""
    before = [_read(mind, v, c) for v, c in cases]
    changes = []
    for name, change in _settings(mind.knowledge.settings):
        other = _rebuilt(mind, replace(mind.knowledge, settings=change))
        changes.append(_change(name, before, [_read(other, v, c) for v, c in cases]))
    return sorted(changes, key=lambda c: c.size, reverse=True)


def _rebuilt(mind: Mind, knowledge: Knowledge) -> Mind:
    same = all(
        getattr(knowledge.settings, name) == getattr(mind.knowledge.settings, name)
        for name in ("risk_overlap", "atypical", "setting_weights")
    )
    return mind_with(knowledge, mind.engine.network if same else compile_network(knowledge))


def _settings(settings: Settings) -> Iterator[tuple[str, Settings]]:
    for name, factor in ((n, f) for n in ("under", "over", "under_growth") for f in (0.5, 2.0)):
        losses = settings.losses.model_copy(update={name: getattr(settings.losses, name) * factor})
        yield f"losses.{name} times {factor:g}", settings.model_copy(update={"losses": losses})
    for name, value in (("risk_overlap", 0.25), ("risk_overlap", 1.0), ("atypical", 0.05), ("atypical", 0.2)):
        yield f"{name} {value:g}", settings.model_copy(update={name: value})
    for most in range(1, settings.most_present):
        yield f"most_present {most}", settings.model_copy(update={"most_present": most})
    for setting in settings.setting_weights:
        weights = {s: 1.0 if s == setting else 0.0 for s in settings.setting_weights}
        yield f"everybody in {setting}", settings.model_copy(update={"setting_weights": weights})
