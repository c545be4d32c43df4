"""The safety case: what Soleus is for, how it can harm, what holds the harm down, and what shows it. Made from the knowledge base, the
proofs, the mutants and simulated people; the page says itself what nobody has signed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from soleus import __version__
from soleus.assessment.assess import least_loss
from soleus.evaluation.adversarial import Price, WayResult, by_condition
from soleus.evaluation.report import FOLDER
from soleus.interview.value import Mind
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Hazard, Urgency
from soleus.safety.mutate import Verdict
from soleus.safety.prove import Proof

MOST_TOO_HIGH = 0.2
"""The goal: of self-care cases answered truthfully, at most this share is sent to be seen."""
DEAR = 12
"""Rules whose price is shown."""


@dataclass(frozen=True)
class Threshold:
    """`acts_above`: probability of the condition, against harmless causes, from which expected loss asks for its urgency;
    `ruled_out_above`: from which it is on the list to rule out."""

    condition: str
    urgency: str
    acts_above: float
    ruled_out_above: float


@dataclass(frozen=True)
class SafetyCase:
    """All that the page says. `ways`: how many ways there are to answer, as a power of two."""

    mind: Mind
    proofs: Sequence[Proof]
    verdicts: Sequence[Verdict]
    adversarial: Sequence[WayResult]
    prices: Sequence[Price]
    ways: int
    command: str
    date: str

    @property
    def mutants(self) -> Mapping[str, int]:
        """How many mutants were noticed, are harmless, survived."""
        return Counter(v.outcome for v in self.verdicts)


def thresholds(mind: Mind) -> tuple[Threshold, ...]:
    """What the loss matrix means for each condition that must not be missed."""
    grid = np.geomspace(1e-5, 1, 2001)
    found = []
    for condition in mind.knowledge.conditions.values():
        if condition.must_not_miss and condition.urgency > Urgency.routine:
            shares = np.zeros((len(grid), len(Urgency)))
            shares[:, Urgency.routine], shares[:, condition.urgency] = 1 - grid, grid
            acts = grid[np.argmax(least_loss(mind, shares) >= condition.urgency)]
            found.append(Threshold(condition.id, condition.urgency.name, float(acts), condition.rule_out_above or 0.0))
    return tuple(sorted(found, key=lambda t: (-Urgency[t.urgency], t.condition)))


def write(case: SafetyCase, out: Path) -> Iterator[Path]:
    """Write `safety-case.md` and `safety-case.json` into the folder `out`; returns the paths written."""
    documents = {"safety-case.md": _page(case, out), "safety-case.json": json.dumps(numbers(case), indent=1, allow_nan=False) + "\n"}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        (out / name).write_text(text, encoding="utf-8")
        yield out / name


def numbers(case: SafetyCase) -> dict[str, Any]:
    """All figures of the page, without times."""
    return {
        "soleus": __version__,
        "knowledge_version": case.mind.knowledge.version,
        "command": case.command,
        "proofs": [{"name": p.name, "holds": p.holds, "checks": p.checks} for p in case.proofs],
        "mutants": dict(case.mutants),
        "harmless_mutants": [f"{v.mutant.rule}: {v.mutant.how}" for v in case.verdicts if v.outcome == "harmless"],
        "adversarial": [_way(result) for result in case.adversarial],
        "prices": [{"rule": p.rule, "saves": round(p.saves, 5), "costs": round(p.costs, 5)} for p in case.prices],
        "thresholds": [vars(t) for t in thresholds(case.mind)],
    }


def _way(result: WayResult) -> dict[str, Any]:
    total = result.total
    return {
        "way": result.way.name,
        "people": total.n,
        "under": total.under,
        "upper95": round(total.upper, 6),
        "harmless": result.harmless,
        "too_high": round(result.too_high, 4),
        "too_high_by_two": round(result.too_high_by_two, 4),
        "of_self_care": round(result.of_self_care, 4),
        "by_condition": {c.condition: {"people": c.n, "under": c.under, "upper95": round(c.upper, 6)} for c in result.cells},
    }


def _page(case: SafetyCase, out: Path) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False
    )
    knowledge = case.mind.knowledge
    hazards = list(knowledge.hazards.values())
    return environment.get_template("safety-case.md.j2").render(
        case=case,
        version=__version__,
        knowledge=knowledge,
        hazards=sorted(hazards, key=lambda h: (-h.after.level, -h.before.level, h.kind, h.id)),
        residual=[h for h in hazards if h.after.level >= 3],
        controls=_controls,
        conditions=by_condition(tuple(case.adversarial)),
        thresholds=thresholds(case.mind),
        safe=all(r.total.under == 0 for r in case.adversarial if r.way.danger_true),
        sparing=case.adversarial[0].of_self_care <= MOST_TOO_HIGH,
        dear=case.prices[:DEAR],
        saving=sorted(case.prices, key=lambda p: -p.saves)[:DEAR],
        vignettes=_vignettes(out, knowledge),
    )


def _controls(hazard: Hazard) -> str:
    kinds = Counter(c.kind for c in hazard.controls)
    return ", ".join(f"{n} {kind}{'s' if n > 1 and kind != 'design' else ''}" for kind, n in kinds.items())


def _vignettes(out: Path, knowledge: Knowledge) -> Mapping[str, Any] | None:
    """Totals of the recorded cases from the evaluation beside it, if that is of the same knowledge."""
    path = out / "evaluation.json"
    if not path.exists():
        return None
    evaluation = json.loads(path.read_text("utf-8"))
    if evaluation["knowledge_version"] != knowledge.version:
        return None
    found: Mapping[str, Any] = evaluation["vignettes"]["modes"]
    return found
