"""Simulated people as cases: what each would truly answer, and what a tired or mistaken person says instead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soleus.inference.sample import People
from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding
from soleus.model.shares import items_of


@dataclass(frozen=True)
class Noise:
    """Chances per question of not knowing, of a wrong answer (another value, any as likely), and of an answer that
    contradicts the rest (what another person with another complaint would have said)."""

    unknown: float = 0.0
    wrong: float = 0.0
    contradictory: float = 0.0


def case_of(people: People, row: int, knowledge: Knowledge) -> Case:
    """Everything that is true of one simulated person, as a case."""
    answers = {f.id: _answer(f, people, row) for f in knowledge.findings.values() if f.depends_on != "nothing"}
    return Case(float(people.age[row]), str(people.sex[row]), None, None, answers, dict.fromkeys(answers, "asked"))  # type: ignore[arg-type]


def _answer(finding: Finding, people: People, row: int) -> Answer:
    codes = {item: int(people.values[item][row]) for item in items_of(finding)}
    if finding.type == "multi":
        yes = frozenset(o for o in finding.options if codes[f"{finding.id}.{o}"])
        return Options(yes=yes, no=frozenset(finding.options) - yes)
    return _single(finding, codes[finding.id])


def _single(finding: Finding, code: int) -> Answer:
    match finding.type:
        case "boolean":
            return YesNo(bool(code))
        case "choice":
            return OneOf(frozenset({finding.states[code]}))
    assert finding.range is not None, "a number has a range"
    edges = (finding.range[0], *finding.bins, finding.range[1])
    middle = (edges[code] + edges[code + 1]) / 2
    return Between(middle, middle)


def person_only(case: Case, knowledge: Knowledge) -> Case:
    """The case with only what a person can answer without an examination."""
    answers = {f: a for f, a in case.answers.items() if knowledge.findings[f].by == "person"}
    return Case(case.age, case.sex, case.setting, case.id, answers, {f: case.origins[f] for f in answers})


def said(truth: Case, other: Case, noise: Noise, knowledge: Knowledge, rng: np.random.Generator) -> Case:
    """What a person says whose true answers are `truth`; `other` is somebody else. Drawn once for every finding, so that asking in
    another order gives the same answers."""
    answers: dict[str, Answer] = {}
    for name, answer in truth.answers.items():
        lot = rng.random()
        if lot < noise.unknown:
            continue
        if lot < noise.unknown + noise.wrong:
            answers[name] = _wrong(knowledge.findings[name], answer, rng)
        elif lot < noise.unknown + noise.wrong + noise.contradictory:
            answers[name] = other.answers[name]
        else:
            answers[name] = answer
    return Case(truth.age, truth.sex, truth.setting, truth.id, answers, dict.fromkeys(answers, "asked"))


def _wrong(finding: Finding, answer: Answer, rng: np.random.Generator) -> Answer:
    match answer:
        case YesNo(value):
            return YesNo(not value)
        case Options(yes, no):
            swapped = frozenset({finding.options[rng.integers(len(finding.options))]})
            return Options(yes=yes ^ swapped, no=no ^ swapped)
    others = [single for code in range(len(finding.states)) if (single := _single(finding, code)) != answer]
    return others[rng.integers(len(others))]
