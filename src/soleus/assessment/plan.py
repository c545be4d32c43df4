"""What to do: self-care checked against this person, treatments, tests, and when to seek care."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from soleus.assessment.result import Action, AskFirst, Avoid, NotForYou, Plan, SeekCare, SuggestedTest
from soleus.inference.exact import Posterior
from soleus.interview.value import Mind, values
from soleus.knowledge.case import Case
from soleus.knowledge.expression import evaluate, findings_in
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Care, Condition, Rule, Urgency
from soleus.safety.rules import what_would_raise

LEADING = 0.15
MOST_LEADING = 3
"""Causes this likely, and at most so many, shape the plan; the likeliest always does."""
MOST_TESTS = 6
BURDEN = {"low": 1.0, "medium": 2.0, "high": 4.0}


def leading_causes(mind: Mind, posterior: Posterior) -> tuple[Condition, ...]:
    """The causes the plan is made for, likeliest first."""
    order = np.argsort(-posterior.cause, kind="stable")[:MOST_LEADING]
    chosen = [i for rank, i in enumerate(order) if rank == 0 or posterior.cause[i] >= LEADING]
    return tuple(mind.knowledge.conditions[mind.engine.network.causes[i]] for i in chosen)


@dataclass(frozen=True)
class Checked:
    """One care entry held against a case: reasons against it, and findings that have to be known first."""

    care: Care
    against: tuple[str, ...]
    ask: tuple[str, ...]

    @property
    def may_suggest(self) -> bool:
        return not self.against and not self.ask


def check_care(knowledge: Knowledge, case: Case, care: Care) -> Checked:
    """A care entry may be suggested only if every contraindication is known to be false."""
    against: list[str] = []
    ask: dict[str, None] = {}
    for not_if, when in zip(care.not_if, knowledge.not_if[care.id], strict=True):
        truth = evaluate(when, case)
        if truth:
            against.append(not_if.because)
        elif truth is None:
            ask |= dict.fromkeys([not_if.ask] if not_if.ask else findings_in(when))
    return Checked(care, tuple(against), tuple(ask))


def make_plan(
    mind: Mind, case: Case, posterior: Posterior, urgency: Urgency, dangerous: Iterable[Condition], fired: Iterable[Rule]
) -> Plan:
    """The plan for this person. In an emergency only what to do on the way is given; until seen the
    same day no medicine and no exercise. Advice to do what other advice forbids is withheld."""
    knowledge = mind.knowledge
    leading = leading_causes(mind, posterior)
    givers = tuple(c for c in dangerous if c.urgency >= Urgency.emergency_now) if urgency >= Urgency.emergency_now else leading
    wanted = _wanted(givers, "self_care")
    if urgency >= Urgency.same_day:
        wanted = {care: who for care, who in wanted.items() if knowledge.care[care].kind == "self_care"}
    checked = _without_contradictions({care: check_care(knowledge, case, knowledge.care[care]) for care in wanted}, fired, givers)
    ladder = {care: who for care, who in _ladder(knowledge, leading).items() if care not in wanted}
    treatments = {care: check_care(knowledge, case, knowledge.care[care]) for care in ladder}
    return Plan(
        now=tuple(_action(c.care, wanted[i]) for i, c in checked.items() if c.may_suggest),
        not_for_you=tuple(NotForYou(id=i, name=c.care.name.lay, because=c.against) for i, c in (checked | treatments).items() if c.against),
        ask_first=tuple(AskFirst(id=i, name=c.care.name.lay, ask=c.ask) for i, c in checked.items() if c.ask and not c.against),
        avoid=tuple({a.text: Avoid(text=a.text, sources=a.sources) for c in givers for a in c.avoid}.values()),
        treatments=tuple(_action(c.care, ladder[i]) for i, c in treatments.items() if not c.against),
        tests=_tests(mind, case, posterior, (*leading, *dangerous)),
    )


def _without_contradictions(checked: Mapping[str, Checked], fired: Iterable[Rule], givers: Iterable[Condition]) -> dict[str, Checked]:
    """Care that a rule which fired, what to avoid, or other care in the plan forbids, with the reason against it. Of two that
    forbid each other the first stays."""
    forbidden = {act: f"for now: {rule.action}" for rule in fired for act in rule.forbids}
    forbidden |= {act: avoid.text for condition in givers for avoid in condition.avoid for act in avoid.forbids}
    kept = {i: _against(c, [forbidden[act] for act in c.care.does if act in forbidden]) for i, c in checked.items()}
    for one in checked:
        for other in checked:
            if one != other and kept[one].may_suggest and set(kept[one].care.forbids) & set(kept[other].care.does):
                kept[other] = _against(kept[other], [f"it does not go together with: {kept[one].care.name.lay}"])
    return kept


def _against(checked: Checked, reasons: Iterable[str]) -> Checked:
    return replace(checked, against=tuple(dict.fromkeys((*checked.against, *reasons))))


def _wanted(conditions: Iterable[Condition], part: str) -> dict[str, tuple[str, ...]]:
    """Care id to the names of the conditions it is for, in order of the conditions."""
    wanted: dict[str, tuple[str, ...]] = {}
    for condition in conditions:
        for care in getattr(condition, part):
            wanted[care] = (*wanted.get(care, ()), condition.name.lay)
    return wanted


_STEPS = ("home", "lifestyle", "physical_therapy", "medicine", "procedure", "test")


def _ladder(knowledge: Knowledge, leading: tuple[Condition, ...]) -> dict[str, tuple[str, ...]]:
    """Treatments of the leading causes from home measures to surgery."""
    wanted = _wanted(leading, "treatments")
    return dict(sorted(wanted.items(), key=lambda entry: _STEPS.index(knowledge.care[entry[0]].step)))


def _action(care: Care, who: tuple[str, ...]) -> Action:
    return Action(
        id=care.id,
        kind=care.kind,
        step=care.step,
        name=care.name.lay,
        what=care.what,
        steps=care.steps,
        dose=care.dose,
        maximum=care.maximum,
        duration=care.duration,
        effect=care.effect.text,
        strength=care.effect.strength,
        cautions=care.cautions,
        for_conditions=who,
        sources=care.effect.sources,
    )


def _tests(mind: Mind, case: Case, posterior: Posterior, conditions: Iterable[Condition]) -> tuple[SuggestedTest, ...]:
    """Tests of these conditions by value of information against burden; those already done are left out."""
    knowledge = mind.knowledge
    tests = [knowledge.care[t] for t in dict.fromkeys(t for c in conditions for t in c.tests)]
    open_tests = [t for t in tests if t.finding and not case.known(t.finding)]
    worth = values(mind, posterior, [knowledge.findings[t.finding] for t in open_tests if t.finding])
    ranked = sorted(open_tests, key=lambda t: -_worth(t, worth))
    return tuple(
        SuggestedTest(id=t.id, name=t.name.lay, what=t.what, value=round(worth.get(t.finding or "", 0.0), 3), burden=t.burden or "medium")
        for t in ranked[:MOST_TESTS]
    )


def _worth(test: Care, worth: Mapping[str, float]) -> float:
    return worth.get(test.finding or "", 0.0) / BURDEN[test.burden or "medium"]


def seek_care(mind: Mind, case: Case, posterior: Posterior, urgency: Urgency) -> tuple[SeekCare, ...]:
    """What would make this more urgent, computed from the rules for this case, with what the leading
    causes add; the most urgent first."""
    knowledge = mind.knowledge
    texts: dict[Urgency, list[str]] = {}
    for finding, level in what_would_raise(knowledge, case, urgency).items():
        texts.setdefault(level, []).append(knowledge.findings[finding].name)
    for condition in leading_causes(mind, posterior):
        for statement in condition.seek_care:
            if statement.urgency > urgency:
                texts.setdefault(statement.urgency, []).append(statement.text)
    return tuple(
        SeekCare(urgency=level.name, how=knowledge.levels[level].seek, texts=tuple(dict.fromkeys(texts[level])))  # type: ignore[arg-type]
        for level in sorted(texts, reverse=True)
    )
