"""Proofs over the whole answer space: what holds for every case, however it is answered.

Each proof asks the solver for a case that breaks its statement. None can exist: proven. One exists: it is the counter-example,
as a case that `soleus assess` runs. What the solver cannot decide counts as not proven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import z3

from soleus.knowledge.case import Case
from soleus.knowledge.expression import Expression
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Situation, Urgency
from soleus.safety.smt import Formula, Rail, RuleFormulas

SHOWN_BY_SELF_CARE = ("self_care", "exercise", "medicine")
LEVELS = tuple(level for level in Urgency if level > Urgency.self_care)


@dataclass(frozen=True)
class Broken:
    """A statement that does not hold: `what` in words, and a case that breaks it (None where no case is needed to see it)."""

    what: str
    case: Case | None = None


@dataclass(frozen=True)
class Proof:
    """One statement: how many solver questions it took, how long (seconds), and what breaks it (nothing: proven)."""

    name: str
    statement: str
    checks: int
    seconds: float
    broken: tuple[Broken, ...]

    @property
    def holds(self) -> bool:
        return self.checks > 0 and not self.broken


Claim = tuple[str, Formula]
"""What would be broken, in words, and the formula that a breaking case satisfies."""


def prove(knowledge: Knowledge) -> Iterator[Proof]:
    """Every proof, one after another. Pure but for the clock."""
    prover = Prover(knowledge)
    for name, statement in STATEMENTS.items():
        yield prover.prove(name, statement)


class Prover:
    """Rules, situations and care of one knowledge base, encoded once."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.formulas = RuleFormulas(knowledge)
        self._solver = z3.Solver()

    def prove(self, name: str, statement: str) -> Proof:
        """One proof by its name in `STATEMENTS`."""
        start = time.perf_counter()
        checks, broken = 0, []
        for what, found in _PROOFS[name](self):
            checks += 1
            if found is not None:
                broken.append(Broken(what, found if isinstance(found, Case) else None))
        return Proof(name, statement, checks, time.perf_counter() - start, tuple(broken))

    def breaks(self, formula: Formula) -> Case | bool | None:
        """A case that satisfies `formula`; None when there is none; True when the solver could not decide."""
        self._solver.push()
        self._solver.add(*self.formulas.space.constraints, formula)
        outcome = self._solver.check()
        found = self.formulas.space.case(self._solver.model()) if outcome == z3.sat else True
        self._solver.pop()
        return None if outcome == z3.unsat else found

    @cached_property
    def situations(self) -> Mapping[str, tuple[Situation, Formula]]:
        """Situation id to the situation and the formula for being in it."""
        every = (s for hazard in self.knowledge.hazards.values() for s in hazard.situations)
        return {s.id: (s, self.rail(self.knowledge.situation_when[s.id]).true) for s in every}

    def rules_used(self, situation: str) -> tuple[str, ...]:
        """Rules that one proof of a situation uses; all of them where it cannot be proven."""
        entry, met = self.situations[situation]
        asking = {r: rail.true for r, rail in self.formulas.rules.items() if self.knowledge.rules[r].urgency >= entry.urgency}
        silent = {rule: z3.Bool(f"{rule} is silent") for rule in asking}
        self._solver.push()
        self._solver.add(*self.formulas.space.constraints, met, *(z3.Implies(silent[r], z3.Not(asking[r])) for r in asking))
        if entry.urgency <= Urgency.routine:
            self._solver.add(z3.Not(self.formulas.floor))
        proven = self._solver.check(*silent.values()) == z3.unsat
        core = {str(used) for used in self._solver.unsat_core()} if proven else set()
        self._solver.pop()
        return tuple(rule for rule in asking if not proven or str(silent[rule]) in core)

    def rail(self, expression: Expression) -> Rail:
        return self.formulas.space.rail(expression)

    def may_be_suggested(self, care: str) -> Formula:
        """Every contraindication of a care entry is known to be false."""
        return z3.And(*(self.rail(when).false for when in self.knowledge.not_if[care]))

    def with_answer(self, formula: Formula, sign: str, said: str | None) -> Formula:
        """The formula when a finding has exactly this answer (a yes/no finding: `yes` or `no`), or none (None)."""
        possible = self.formulas.space[sign].possible
        return z3.substitute(formula, *((variable, z3.BoolVal(value == said)) for value, variable in possible.items()))


Found = Case | None | bool
Question = tuple[str, Found]


def _situations(prover: Prover) -> Iterator[Question]:
    for situation, met in prover.situations.values():
        too_low = z3.Not(prover.formulas.at_least(situation.urgency))
        what = f"{situation.id}: {situation.what} Yet the rules ask for less than {situation.urgency.name}"
        yield what, prover.breaks(z3.And(met, too_low))


def _textbook(prover: Prover) -> Iterator[Question]:
    """Each condition that must not be missed has a presentation that is guaranteed its urgency, and that can occur."""
    for condition in (c for c in prover.knowledge.conditions.values() if c.must_not_miss):
        typical = [(s, met) for s, met in prover.situations.values() if condition.id in s.textbook_of]
        reached = [met for s, met in typical if s.urgency >= condition.urgency]
        can_occur = bool(reached) and prover.breaks(z3.Or(*reached)) is not None
        yield f"{condition.id}: no textbook presentation is guaranteed {condition.urgency.name}", None if can_occur else True
    for situation, met in prover.situations.values():
        yield f"{situation.id}: nobody can be in this situation", None if prover.breaks(met) is not None else True


def _no_sign_lowers(prover: Prover) -> Iterator[Question]:
    for sign, level, before in product(prover.knowledge.danger_signs, LEVELS, ("no", None)):
        asked = prover.formulas.at_least(level)
        yes, less = prover.with_answer(asked, sign, "yes"), prover.with_answer(asked, sign, before)
        yield f"{sign}: from {before or 'unknown'} to yes the urgency falls below {level.name}", prover.breaks(z3.And(less, z3.Not(yes)))


def _unknown_is_not_no(prover: Prover) -> Iterator[Question]:
    for sign, level in product(prover.knowledge.danger_signs, LEVELS):
        asked = prover.formulas.at_least(level)
        denied, unknown = prover.with_answer(asked, sign, "no"), prover.with_answer(asked, sign, None)
        yield f"{sign}: not answering lowers the urgency below {level.name}", prover.breaks(z3.And(denied, z3.Not(unknown)))
    for sign in prover.knowledge.danger_signs:
        for rule in prover.knowledge.rules_reading.get(sign, ()):
            rail = prover.formulas.rules[rule]
            fires, excluded = prover.with_answer(rail.true, sign, "yes"), prover.with_answer(rail.false, sign, None)
            yield f"{rule}: is counted as false although {sign} is unknown", prover.breaks(z3.And(fires, excluded))


def _vague_is_not_no(prover: Prover) -> Iterator[Question]:
    """What silence would make urgent stays so when a vague answer leaves a value open with which it is urgent."""
    choices = [
        f for f in prover.knowledge.rules_reading if f in prover.knowledge.findings and prover.knowledge.findings[f].type == "choice"
    ]
    for finding, level in product(choices, LEVELS):
        asked, possible = prover.formulas.at_least(level), prover.formulas.space[finding].possible
        silent = prover.with_answer(asked, finding, None)
        open_value = z3.Or(*(z3.And(said, prover.with_answer(asked, finding, value)) for value, said in possible.items()))
        what = f"{finding}: a vague answer lowers the urgency below {level.name}, which silence would ask for"
        yield what, prover.breaks(z3.And(silent, open_value, z3.Not(asked)))


def _silence(prover: Prover) -> Iterator[Question]:
    """Without an answer to a danger sign nobody stays below routine, and every danger sign alone asks for more than an appointment."""
    for sign in prover.knowledge.danger_signs:
        reassured = z3.Not(prover.formulas.at_least(Urgency.routine))
        yield f"{sign}: is unknown, yet self-care is enough", prover.breaks(prover.with_answer(reassured, sign, None))
        ignored = z3.Not(prover.formulas.at_least(Urgency.within_days))
        yield f"{sign}: is there, yet no rule asks for more than an appointment", prover.breaks(prover.with_answer(ignored, sign, "yes"))


def _care(prover: Prover) -> Iterator[Question]:
    """Care with an act that a hazard forbids is suggested only to whom the hazard is known not to apply."""
    knowledge = prover.knowledge
    for hazard in knowledge.hazards.values():
        for never, when in zip(hazard.never, knowledge.never_when[hazard.id], strict=True):
            doing = [c.id for c in knowledge.care.values() if never.does in c.does and c.kind in SHOWN_BY_SELF_CARE]
            yield f"{hazard.id}: no care is tagged with {never.does}", None if doing else True
            for care in doing:
                harmed = z3.And(prover.may_be_suggested(care), z3.Not(prover.rail(when).false))
                yield f"{hazard.id}: {care} ({never.does}) is suggested where it can harm: {never.why}", prover.breaks(harmed)


def _no_contradiction(prover: Prover) -> Iterator[Question]:
    """No rule tells a person to do what another, firing with it, forbids."""
    rules = prover.knowledge.rules.values()
    for one, other in ((o, p) for o, p in product(rules, rules) if o.does and p.forbids):
        clash = set(one.does) & set(other.forbids)
        both = z3.And(prover.formulas.rules[one.id].true, prover.formulas.rules[other.id].true)
        what = f"{one.id} says {', '.join(sorted(clash))}, {other.id} forbids it"
        yield what, prover.breaks(both) if clash else None


def _can_fire(prover: Prover) -> Iterator[Question]:
    for rule, rail in prover.formulas.rules.items():
        yield f"{rule}: no answers make it fire", None if prover.breaks(rail.true) is not None else True
    for level in LEVELS:
        reached = prover.breaks(z3.And(prover.formulas.at_least(level), z3.Not(_above(prover, level))))
        yield f"{level.name}: no answers lead to exactly this urgency", None if reached is not None else True


def _above(prover: Prover, level: Urgency) -> Formula:
    return prover.formulas.at_least(level + 1)


STATEMENTS: Mapping[str, str] = {
    "situations_reach_their_urgency": "Whoever is in a situation of the hazard log ends at least at its urgency.",
    "textbook_presentations": "Every condition that must not be missed has a textbook presentation that reaches its urgency.",
    "no_sign_lowers_urgency": "Turning a danger sign from no or unknown to yes never lowers the urgency.",
    "unknown_is_never_read_as_no": "An unanswered danger sign never lowers the urgency below that of denying it, and rules nothing out.",
    "vague_is_never_read_as_no": "A vague answer never lowers an urgency that silence, and a value it leaves open, would ask for.",
    "silence_is_not_reassured": "Nobody is told self-care while a danger sign is open; each danger sign asks for more than an appointment.",
    "care_only_when_denied": "Advice that can harm is suggested only to whom the hazard is known not to apply.",
    "advice_does_not_contradict": "No two rules that fire together tell a person to do and not to do the same.",
    "every_rule_can_fire": "Every rule can fire, and every urgency can be reached.",
}
_PROOFS: Mapping[str, Callable[[Prover], Iterator[Question]]] = {
    "situations_reach_their_urgency": _situations,
    "textbook_presentations": _textbook,
    "no_sign_lowers_urgency": _no_sign_lowers,
    "unknown_is_never_read_as_no": _unknown_is_not_no,
    "vague_is_never_read_as_no": _vague_is_not_no,
    "silence_is_not_reassured": _silence,
    "care_only_when_denied": _care,
    "advice_does_not_contradict": _no_contradiction,
    "every_rule_can_fire": _can_fire,
}
