"""Recorded cases with a known diagnosis and urgency: how often Soleus names the cause and the level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from soleus.assessment.assess import assess
from soleus.delivery.casefile import MAX_BYTES
from soleus.errors import InputError
from soleus.knowledge.case import Case, parse_case
from soleus.knowledge.load import Knowledge
from soleus.knowledge.read import read_yaml
from soleus.knowledge.schema import Strict, Urgency, UrgencyName

Mode = Literal["history", "all"]


class Expected(Strict):
    """What the source says of a case. `urgency` and `urgency_second` are two independent readings;
    `urgency_low` to `urgency_high` is what a panel would accept."""

    condition: str
    acceptable: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    must_not_miss: bool
    urgency: UrgencyName
    urgency_second: UrgencyName
    urgency_low: UrgencyName
    urgency_high: UrgencyName
    common: bool


@dataclass(frozen=True)
class Vignette:
    file: str
    case: Case
    expected: Expected


@dataclass(frozen=True)
class Outcome:
    """One case's result. `rank`: place of the first right cause, from 1. `under`, `over`: levels below
    the lowest, above the highest that a panel would accept."""

    id: str
    expected: str
    rank: int
    first: str
    probability_of_right: float
    urgency: Urgency
    right_urgency: Urgency
    agreed: bool
    under: int
    over: int
    emergency: bool
    missed: bool


def read_vignettes(folder: Path, knowledge: Knowledge) -> tuple[list[Vignette], list[str]]:
    """The cases in a folder (*.yaml), and a fault for each file that cannot be used."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found, faults = [], list[str]()
    for path in sorted(folder.glob("*.yaml")):
        try:
            found.append(_read(path, knowledge))
        except InputError as error:
            faults += error.faults
    if not found and not faults:
        raise InputError(f"{folder}: no case files (*.yaml) here")
    return found, faults


def _read(path: Path, knowledge: Knowledge) -> Vignette:
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name}: too large; a case may have at most {MAX_BYTES:,} bytes")
    try:
        document = read_yaml(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: not UTF-8 text") from None
    case = parse_case(document.data, knowledge, path.name, document.line)
    try:
        expected = Expected.model_validate(document.data.get("expected"))
    except ValidationError as error:
        raise InputError(
            [
                f"{path.name}, line {document.line(('expected', *map(str, e['loc'])))}: expected.{'.'.join(map(str, e['loc']))}: {e['msg']}"
                for e in error.errors()
            ]
        ) from None
    for name in (expected.condition, *expected.acceptable):
        if name not in knowledge.condition_of:
            place = f"{path.name}, line {document.line(('expected',))}"
            raise InputError(f"{place}: expected: no condition {name!r}; 'soleus kb list conditions' shows what is allowed")
    return Vignette(path.name, case, expected)


def history_only(case: Case, knowledge: Knowledge) -> Case:
    """The case with only what a person can answer."""
    answers = {f: a for f, a in case.answers.items() if knowledge.findings[f].by == "person" and case.origins.get(f) != "clinician"}
    return Case(case.age, case.sex, case.setting, case.id, answers, {f: case.origins[f] for f in answers})


def run(vignettes: Iterable[Vignette], knowledge: Knowledge, mode: Mode, setting: str | None = None) -> list[Outcome]:
    """Assess each case, from the history alone or from everything stated."""
    outcomes = []
    for vignette in vignettes:
        case = history_only(vignette.case, knowledge) if mode == "history" else vignette.case
        if setting:
            case = Case(case.age, case.sex, setting, case.id, case.answers, case.origins)  # type: ignore[arg-type]
        outcomes.append(_outcome(vignette, case, knowledge))
    return outcomes


def _outcome(vignette: Vignette, case: Case, knowledge: Knowledge) -> Outcome:
    result, expected = assess(case, knowledge), vignette.expected
    right = {knowledge.condition_of[c] for c in (expected.condition, *expected.acceptable)}
    order = [cause.condition for cause in result.differential]
    urgency = Urgency[result.urgency]
    must = {entry.condition for entry in result.must_rule_out} | {order[0]}
    return Outcome(
        id=case.id or vignette.file.removesuffix(".yaml"),
        expected=knowledge.condition_of[expected.condition],
        rank=min(order.index(c) for c in right) + 1,
        first=order[0],
        probability_of_right=sum(c.probability for c in result.differential if c.condition in right),
        urgency=urgency,
        right_urgency=expected.urgency,
        agreed=expected.urgency == expected.urgency_second,
        under=max(expected.urgency_low - urgency, 0),
        over=max(urgency - expected.urgency_high, 0),
        emergency=min(expected.urgency, expected.urgency_second) >= Urgency.emergency_now,
        missed=expected.must_not_miss and not right & must,
    )


def summary(outcomes: list[Outcome]) -> Mapping[str, Any]:
    """Totals: shares of all cases; urgency `exact` over those where both readings agree."""
    n = len(outcomes)
    agreed = [o for o in outcomes if o.agreed]
    mild = [o for o in outcomes if o.right_urgency <= Urgency.routine]
    return {
        "cases": n,
        "top1": sum(o.rank == 1 for o in outcomes) / n,
        "top3": sum(o.rank <= 3 for o in outcomes) / n,
        "top5": sum(o.rank <= 5 for o in outcomes) / n,
        "mean_reciprocal_rank": sum(1 / o.rank for o in outcomes) / n,
        "brier_of_right_cause": sum((1 - o.probability_of_right) ** 2 for o in outcomes) / n,
        "urgency_acceptable": sum(not o.under and not o.over for o in outcomes) / n,
        "urgency_exact_where_agreed": sum(o.urgency == o.right_urgency for o in agreed) / max(len(agreed), 1),
        "cases_where_agreed": len(agreed),
        "under_triaged": sum(o.under > 0 for o in outcomes),
        "over_triaged": sum(o.over > 0 for o in outcomes),
        "mild_over_triaged": sum(o.over > 0 for o in mild),
        "mild_cases": len(mild),
        "emergencies": sum(o.emergency for o in outcomes),
        "emergencies_under_triaged": sum(o.emergency and o.under > 0 for o in outcomes),
        "must_not_miss_missed": sum(o.missed for o in outcomes),
    }


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Plain form of one case's result, for JSON."""
    plain = {k: getattr(outcome, k) for k in outcome.__dataclass_fields__}
    return plain | {
        "urgency": outcome.urgency.name,
        "right_urgency": outcome.right_urgency.name,
        "probability_of_right": round(outcome.probability_of_right, 4),
    }
