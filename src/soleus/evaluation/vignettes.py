"""Recorded cases with a known diagnosis and urgency: how often Soleus names the cause and the level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from soleus.assessment.assess import assess_with
from soleus.delivery.casefile import MAX_BYTES
from soleus.errors import InputError
from soleus.evaluation.dialogue import Choose, dialogue, value_of_information
from soleus.evaluation.intervals import Figure, bootstrap
from soleus.interview.value import Mind
from soleus.knowledge.case import Case, parse_case
from soleus.knowledge.load import Knowledge
from soleus.knowledge.read import read_yaml
from soleus.knowledge.schema import Strict, Urgency, UrgencyName

Mode = Literal["history", "all", "interview"]
MODES: Mapping[Mode, str] = {
    "history": "from all that the person could tell",
    "all": "from everything stated, examination and tests included",
    "interview": "from an interview: what the case does not say is answered with don't know",
}


class Expected(Strict):
    """What the source says of a case. `urgency` and `urgency_second` are two independent readings;
    `urgency_low` to `urgency_high` is what they leave open. `present`: other illnesses that the
    source states, in its words; for the reader, not scored."""

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
    the lowest, above the highest that two independent readings leave open. `brier`: squared error
    summed over all causes, the likeliest of the right ones being the target.
    `questions`: asked one by one after the screen of danger signs, in an interview."""

    id: str
    expected: str
    group: str
    common: bool
    examined: bool
    rank: int
    first: str
    probability_of_right: float
    brier: float
    urgency: Urgency
    right_urgency: Urgency
    agreed: bool
    under: int
    over: int
    emergency: bool
    missed: bool
    questions: int | None


def read_vignettes(folder: Path, knowledge: Knowledge) -> tuple[list[Vignette], list[str]]:
    """The cases in a folder (*.yaml), and a fault for each file that cannot be used."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found, faults = [], list[str]()
    for path in (p for p in sorted(folder.glob("*.yaml")) if p.is_file()):
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


def run(vignettes: Iterable[Vignette], mind: Mind, mode: Mode, setting: str | None = None) -> list[Outcome]:
    """Assess each case in one of the modes, under its own setting or under `setting`."""
    choose = value_of_information()
    outcomes = []
    for vignette in vignettes:
        case = vignette.case if mode == "all" else history_only(vignette.case, mind.knowledge)
        if setting:
            case = Case(case.age, case.sex, setting, case.id, case.answers, case.origins)  # type: ignore[arg-type]
        questions = None
        if mode == "interview":
            case, questions = _interviewed(mind, case, choose)
        outcomes.append(_outcome(vignette, case, mind, questions))
    return outcomes


def _interviewed(mind: Mind, truth: Case, choose: Choose) -> tuple[Case, int]:
    """What an interview finds out, and how many questions it asked after the screen of danger signs."""
    states = list(dialogue(mind, truth, choose, mind.knowledge.settings.most_questions))
    return states[-1], len(states) - 1


def _outcome(vignette: Vignette, case: Case, mind: Mind, questions: int | None) -> Outcome:
    result, expected, knowledge = assess_with(mind, case), vignette.expected, mind.knowledge
    right = {knowledge.condition_of[c] for c in (expected.condition, *expected.acceptable)}
    order = [cause.condition for cause in result.differential]
    best = min(right, key=order.index)
    urgency = Urgency[result.urgency]
    must = {entry.condition for entry in result.must_rule_out} | {order[0]}
    main = knowledge.condition_of[expected.condition]
    return Outcome(
        id=vignette.case.id or vignette.file.removesuffix(".yaml"),
        expected=main,
        group=knowledge.conditions[main].group,
        common=expected.common,
        examined=any(knowledge.findings[f].by != "person" for f in vignette.case.answers),
        rank=order.index(best) + 1,
        first=order[0],
        probability_of_right=sum(c.probability for c in result.differential if c.condition in right),
        brier=sum((c.probability - (c.condition == best)) ** 2 for c in result.differential),
        urgency=urgency,
        right_urgency=expected.urgency,
        agreed=expected.urgency == expected.urgency_second,
        under=max(expected.urgency_low - urgency, 0),
        over=max(urgency - expected.urgency_high, 0),
        emergency=min(expected.urgency, expected.urgency_second) >= Urgency.emergency_now,
        missed=expected.must_not_miss and not right & must,
        questions=questions,
    )


# -- totals ----------------------------------------------------------------------------------------


def summary(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Shares and means with bootstrap intervals. `urgency_exact` is over cases where both readings of the right urgency
    agree; `urgency_safe` and the rest go by what the readings leave open."""
    agreed = [o for o in outcomes if o.agreed]
    emergencies = [o for o in outcomes if o.emergency]
    mild = [o for o in outcomes if o.right_urgency <= Urgency.routine]
    figures = naming(outcomes) | {
        "mean_reciprocal_rank": bootstrap([1 / o.rank for o in outcomes]),
        "brier": bootstrap([o.brier for o in outcomes]),
        "urgency_exact_where_agreed": bootstrap([o.urgency == o.right_urgency for o in agreed]),
        "urgency_acceptable": bootstrap([not o.under and not o.over for o in outcomes]),
        "urgency_safe": bootstrap([not o.under for o in outcomes]),
        "under_triaged": bootstrap([o.under > 0 for o in outcomes]),
        "over_triaged": bootstrap([o.over > 0 for o in outcomes]),
        "mild_over_triaged": bootstrap([o.over > 0 for o in mild]),
        "emergencies_under_triaged": bootstrap([o.under > 0 for o in emergencies]),
        "must_not_miss_missed": bootstrap([o.missed for o in outcomes]),
    }
    asked = [o.questions for o in outcomes if o.questions is not None]
    return figures | ({"questions": bootstrap(asked)} if asked else {})


def naming(outcomes: Sequence[Outcome]) -> dict[str, Figure]:
    """Share of cases whose right cause is named first, within three, within five."""
    return {f"top{k}": bootstrap([o.rank <= k for o in outcomes]) for k in (1, 3, 5)}


def by_level(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """For each right level of urgency: cases, exact, below and above what the readings leave open."""
    table = {}
    for level in reversed(Urgency):
        at = [o for o in outcomes if o.right_urgency == level]
        counts = (len(at), sum(o.urgency == level for o in at), sum(o.under > 0 for o in at), sum(o.over > 0 for o in at))
        table[level.name] = dict(zip(("cases", "exact", "under", "over"), counts, strict=True))
    return table


PARTS: Mapping[str, Callable[[Outcome], str]] = {
    "how common": lambda o: "common presentation" if o.common else "rare presentation",
    "examination": lambda o: "examination or tests stated" if o.examined else "history alone stated",
    "kind of cause": lambda o: o.group,
    "cause": lambda o: o.expected,
}


def by_part(outcomes: Sequence[Outcome], part: str) -> dict[str, dict[str, Figure]]:
    """Naming figures for each value of one of PARTS."""
    key = PARTS[part]
    return {value: naming([o for o in outcomes if key(o) == value]) for value in sorted({key(o) for o in outcomes})}


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Plain form of one case's result, for JSON."""
    plain = {k: getattr(outcome, k) for k in outcome.__dataclass_fields__}
    return plain | {
        "urgency": outcome.urgency.name,
        "right_urgency": outcome.right_urgency.name,
        "probability_of_right": round(outcome.probability_of_right, 4),
        "brier": round(outcome.brier, 4),
    }
