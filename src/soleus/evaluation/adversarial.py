"""Simulated people who have a condition that must not be missed, and answer badly.

Everybody's urgency is worked out as `assess` does it: the greater of the rules, read over columns, and of expected loss. Strict
under-triage is any level below the need of what the person has; beside it stands what the same way of answering costs people
with harmless causes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soleus.assessment.assess import least_loss, need_of_rows
from soleus.evaluation.intervals import clopper_pearson
from soleus.evaluation.simulation import needs, stream
from soleus.inference.batch import UNKNOWN, Asked, Batch
from soleus.inference.sample import Codes, People, Who, draw
from soleus.interview.value import Mind
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Urgency
from soleus.model.shares import items_of
from soleus.safety.columns import Choice, Column, Several, Span, Table, Truths, apply_columns

Levels = NDArray[np.int64]
PEOPLE, HARMLESS, SAID, WITHIN = 71, 72, 73, 74
MISREAD = 1 - 0.5**0.5
"""Chance of misreading a question: two readers of the same story who each misread so often, and then answer as anybody might, agree
with a kappa of 0.5, which is what lay people reached with vignettes (El-Osta 2022)."""


@dataclass(frozen=True)
class Answering:
    """A way to answer badly. Chances per question, for danger signs and for the rest: of not answering, of answering as a harmless
    stranger would, and of a wrong answer. `denied`: danger signs that are there and are denied."""

    name: str
    silent: float = 0.0
    strange: float = 0.0
    wrong: float = 0.0
    danger_silent: float = 0.0
    danger_strange: float = 0.0
    danger_wrong: float = 0.0
    denied: int = 0

    @property
    def danger_true(self) -> bool:
        """Every danger sign is answered truthfully."""
        return not (self.danger_silent or self.danger_strange or self.danger_wrong or self.denied)


WAYS = (
    Answering("all answered truthfully"),
    Answering("half of the other questions not answered", silent=0.5),
    Answering("nothing but the danger signs answered", silent=1.0),
    Answering("a tenth of the other answers wrong", wrong=0.1),
    Answering("all other answers those of a harmless stranger", strange=1.0),
    Answering("one danger sign denied", denied=1),
    Answering("two danger signs denied", denied=2),
    Answering("a fifth of all questions not answered", silent=0.2, danger_silent=0.2),
    Answering("a tenth of all answers wrong", wrong=0.1, danger_wrong=0.1),
    Answering("a tenth of all answers contradict the rest (a harmless stranger's)", strange=0.1, danger_strange=0.1),
    Answering("questions misread as lay people do", strange=MISREAD, danger_strange=MISREAD),
)


@dataclass(frozen=True)
class Cell:
    """People with one dangerous condition who answer in one way. `upper`: one-sided 95% Clopper-Pearson bound."""

    condition: str
    n: int
    under: int
    by_two: int

    @property
    def share(self) -> float:
        return self.under / self.n

    @property
    def upper(self) -> float:
        return clopper_pearson(self.under, self.n)


@dataclass(frozen=True)
class WayResult:
    """One way to answer: strict under-triage by condition, and over-triage of people who need no more than self-care or an
    appointment (`too_high`: share above their need; `too_high_by_two`; `of_self_care`: share of self-care cases above it)."""

    way: Answering
    cells: tuple[Cell, ...]
    too_high: float
    too_high_by_two: float
    of_self_care: float
    harmless: int

    @property
    def total(self) -> Cell:
        return Cell("all", *(sum(getattr(c, part) for c in self.cells) for part in ("n", "under", "by_two")))


def adversarial(mind: Mind, people: int, seed: int, progress: Callable[[int], None]) -> tuple[WayResult, ...]:
    """Every way of answering, by `people` people with dangerous conditions (as many of each) and a fifth as many with harmless causes."""
    dangerous, harmless = _dangerous_people(mind, people, seed), _harmless_people(mind, people // 5, seed)
    batch, results = Batch(mind.engine.network), []
    for number, way in enumerate(WAYS):
        results.append(_result(mind, batch, way, dangerous, harmless, seed + number))
        progress(number + 1)
    return tuple(results)


def _dangerous_people(mind: Mind, n: int, seed: int) -> People:
    wanted = [c.id for c in mind.knowledge.conditions.values() if c.must_not_miss and c.urgency > Urgency.routine]
    return draw(mind.engine.network, n, stream(seed, PEOPLE), Who(causes=dict.fromkeys(wanted, 1.0)))


def _harmless_people(mind: Mind, n: int, seed: int) -> People:
    """People whose cause needs no more than an appointment, and who have nothing dangerous besides."""
    everybody = draw(mind.engine.network, 3 * n, stream(seed, HARMLESS))
    return everybody.part(np.flatnonzero(needs(mind, everybody) <= Urgency.routine)[:n])


def _result(mind: Mind, batch: Batch, way: Answering, dangerous: People, harmless: People, seed: int) -> WayResult:
    cells = []
    need, given = needs(mind, dangerous), urgencies(mind, batch, answers(mind.knowledge, dangerous, way, harmless, seed))
    for cause in np.unique(dangerous.cause):
        short = (need - given)[dangerous.cause == cause]
        cells.append(Cell(mind.engine.network.causes[cause], len(short), int((short > 0).sum()), int((short > 1).sum())))
    need, given = needs(mind, harmless), urgencies(mind, batch, answers(mind.knowledge, harmless, way, harmless, seed + 1))
    high = given - need
    own = need == Urgency.self_care
    return WayResult(way, tuple(cells), float((high > 0).mean()), float((high > 1).mean()), float((high > 0)[own].mean()), len(harmless))


def urgencies(mind: Mind, batch: Batch, asked: Asked) -> Levels:
    """The urgency of each person, shape (n,)."""
    by_rules = apply_columns(mind.knowledge, table_of(mind.knowledge, asked)).urgency
    return np.maximum(_by_risk(mind, batch, asked), by_rules.astype(np.int64))


def _by_risk(mind: Mind, batch: Batch, asked: Asked) -> Levels:
    return least_loss(mind, batch.sums(asked, np.eye(len(Urgency))[need_of_rows(mind, batch.engine).ravel()]))


# -- what they say ---------------------------------------------------------------------------------


def answers(knowledge: Knowledge, people: People, way: Answering, strangers: People, seed: int) -> Asked:
    """What the people say who answer in this way."""
    rng = stream(seed, SAID)
    other = strangers.part(rng.integers(len(strangers), size=len(people)))
    values: dict[str, Codes] = {}
    for finding in (f for f in knowledge.findings.values() if f.by == "person" and f.depends_on != "nothing"):
        lot = rng.random(len(people))
        silent, strange, wrong = _chances(way, finding)
        for item in items_of(finding):
            told = np.where(lot < silent + strange, other.values[item], people.values[item])
            mistaken = (lot >= silent + strange) & (lot < silent + strange + wrong)
            told[mistaken] = _another(people.values[item][mistaken], len(people.network.values[item]), rng)
            values[item] = np.where(lot < silent, UNKNOWN, told).astype(np.int8)
    _deny(knowledge, values, way.denied, rng)
    return Asked(people.age, people.sex, values)


def _chances(way: Answering, finding: Finding) -> tuple[float, float, float]:
    if finding.danger_sign:
        return way.danger_silent, way.danger_strange, way.danger_wrong
    return way.silent, way.strange, way.wrong


def _another(codes: Codes, states: int, rng: np.random.Generator) -> Codes:
    """Any other state, all as likely."""
    return np.asarray((codes + rng.integers(1, states, size=len(codes))) % states, dtype=np.int8)


def _deny(knowledge: Knowledge, values: dict[str, Codes], times: int, rng: np.random.Generator) -> None:
    """Each person denies as many danger signs that are there, any as likely."""
    signs = list(knowledge.danger_signs)
    for _ in range(times):
        there = np.array([values[sign] == 1 for sign in signs])
        chosen = np.where(there.any(axis=0), np.argmax(there * rng.random(there.shape), axis=0), -1)
        for number, sign in enumerate(signs):
            values[sign][chosen == number] = 0


# -- as columns ------------------------------------------------------------------------------------


def table_of(knowledge: Knowledge, asked: Asked) -> Table:
    """What people say as columns that the rules can read; a number read in bins stands anywhere in its bin."""
    findings = dict.fromkeys(item.split(".")[0] for item in asked.values)
    columns: dict[str, Column] = {f: _column(knowledge.findings[f], asked) for f in findings}
    sex = Choice(("male", "female"), np.where(asked.sex == "male", 1, 2).astype(np.uint8))
    return Table(len(asked.age), {"age": Span(asked.age, asked.age), "sex": sex, **columns})


def _column(finding: Finding, asked: Asked) -> Column:
    if finding.type == "multi":
        options = [asked.values[f"{finding.id}.{o}"] for o in finding.options]
        return Several(finding.options, _bits(options, 1), _bits(options, 0), np.zeros((len(asked.age), 0), dtype=np.uint64))
    codes = asked.values[finding.id]
    match finding.type:
        case "boolean":
            return Truths(codes == 1, codes == 0)
        case "choice":
            return Choice(finding.states, np.where(codes == UNKNOWN, 0, np.left_shift(1, np.maximum(codes, 0).astype(np.uint64))))
    assert finding.range is not None, "a number has a range"
    edges = np.array([finding.range[0], *finding.bins, finding.range[1]])
    lower, upper = edges[:-1][np.maximum(codes, 0)], edges[1:][np.maximum(codes, 0)]
    within = np.where(codes == UNKNOWN, np.nan, lower + (upper - lower) * np.random.default_rng(WITHIN).random(len(codes)))
    return Span(within, within)


def _bits(codes: list[Codes], state: int) -> NDArray[np.uint64]:
    """Options in this state, as bits."""
    return np.asarray(sum((c == state).astype(np.uint64) << np.uint64(i) for i, c in enumerate(codes)), dtype=np.uint64)


@dataclass(frozen=True)
class Price:
    """What one rule alone does: `saves`, share of people with dangerous conditions who would be too low without it; `costs`, share of
    harmless people who without it would not be two levels or more too high."""

    rule: str
    saves: float
    costs: float


def prices(mind: Mind, people: int, seed: int) -> tuple[Price, ...]:
    """The price of each rule when half of the other questions are answered, dearest first."""
    dangerous, harmless = _dangerous_people(mind, people, seed), _harmless_people(mind, people, seed)
    need, with_rule, without = _with_and_without(mind, dangerous, harmless, seed)
    saves = ((without < need) & (with_rule >= need)).mean(axis=1)
    need, with_rule, without = _with_and_without(mind, harmless, harmless, seed)
    costs = ((without <= need + 1) & (with_rule > need + 1)).mean(axis=1)
    found = (Price(*one) for one in zip(mind.knowledge.rule_when, map(float, saves), map(float, costs), strict=True))
    return tuple(sorted(found, key=lambda price: -price.costs))


def _with_and_without(mind: Mind, people: People, strangers: People, seed: int) -> tuple[Levels, Levels, Levels]:
    """Need (n,), urgency (n,), and urgency without each rule (rules, n)."""
    batch, asked = Batch(mind.engine.network), answers(mind.knowledge, people, WAYS[1], strangers, seed)
    by_risk = _by_risk(mind, batch, asked)
    outcome = apply_columns(mind.knowledge, table_of(mind.knowledge, asked))
    levels = np.array([int(mind.knowledge.rules[rule].urgency) for rule in outcome.rules])
    fired = outcome.fired * levels[:, None]
    greatest, second = np.sort(fired, axis=0)[[-1, -2]]
    others = np.where(fired == greatest, second, greatest)
    return needs(mind, people), np.maximum(greatest, by_risk), np.maximum(others, by_risk)


def by_condition(results: tuple[WayResult, ...]) -> Mapping[str, Mapping[str, Cell]]:
    """Condition to way to cell."""
    names = [cell.condition for cell in results[0].cells]
    return {name: {r.way.name: r.cells[i] for r in results} for i, name in enumerate(names)}
