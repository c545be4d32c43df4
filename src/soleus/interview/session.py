"""The interview: about you, one screen of danger signs, the core of the story, then by expected value, then
what has to be known before care may be suggested.

An interview is fully determined by its answers. It keeps every answer ever given, by step; the path is
found by walking from the start and asking, at each step, what comes next. So replaying the answers
gives the same questions, and an answer that is changed leaves later ones that no longer apply aside
without losing them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from soleus.errors import InputError
from soleus.interview.choose import best_question, may_ask
from soleus.interview.value import Mind, mind
from soleus.knowledge.case import Case, parse_answer, parse_case
from soleus.knowledge.expression import evaluate, findings_in
from soleus.knowledge.load import Knowledge, load_knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.rules import apply_rules

ABOUT = ("age", "sex", "lower_leg")
DANGER = "danger_signs"
CARE = "check_care"
LEADING = 0.15
"""A cause this likely counts as leading when it is decided which care to check."""

Scope = Literal["in", "child", "elsewhere"]


@dataclass(frozen=True)
class Step:
    """One thing to ask. `findings`: what it answers (the danger screen answers many)."""

    id: str
    kind: Literal["about", "danger_signs", "finding", "offer", "care"]
    findings: tuple[str, ...] = ()


_NOT_KNOWN = Step("", "about")


@dataclass(frozen=True)
class Interview:
    """An immutable transcript. `answer` and `change` return a new one; nothing is ever lost.

    `answers`: step id to the raw answer given, in the order given."""

    knowledge: Knowledge = field(default_factory=load_knowledge)
    answers: Mapping[str, Any] = field(default_factory=dict)
    _memo: dict[bytes, Step | None] = field(default_factory=dict, repr=False, compare=False)

    # -- what is asked -----------------------------------------------------------------------------

    @property
    def path(self) -> tuple[Step, ...]:
        """The steps that were answered and still apply, in order."""
        return self._walked[0]

    def next(self) -> Step | None:
        """The next thing to ask, or None when nothing is worth asking any more."""
        return self._walked[1]

    @property
    def aside(self) -> Mapping[str, Any]:
        """Answers that no longer apply after an earlier one was changed; they come back if asked again."""
        on_path = {step.id for step in self.path}
        return {step: raw for step, raw in self.answers.items() if step not in on_path}

    @property
    def at_most_left(self) -> int:
        """Upper bound on the questions still to come before the offer to check care."""
        asked = sum(step.kind == "finding" for step in self.path)
        fixed = sum(name not in self.answers for name in (*ABOUT, DANGER))
        return 0 if self.next() is None else max(self.knowledge.settings.most_questions - asked, 0) + fixed

    @property
    def scope(self) -> Scope:
        """Whether this person and complaint are what Soleus is made for."""
        age = self.answers.get("age")
        if isinstance(age, int | float) and age < self.knowledge.settings.minimum_age:
            return "child"
        return "elsewhere" if self.answers.get("lower_leg") is False else "in"

    @property
    def case(self) -> Case:
        """What is known so far: the answers on the path."""
        return self._case(self.path)

    # -- answering ---------------------------------------------------------------------------------

    def answer(self, step: str, raw: Any) -> Interview:
        """A new interview with this answer. Raises InputError when it is not one that the step allows."""
        value = self._checked(step, raw)
        return replace(self, answers={k: v for k, v in self.answers.items() if k != step} | {step: value})

    change = answer

    def without(self, step: str) -> Interview:
        """A new interview in which `step` has not been answered."""
        return replace(self, answers={k: v for k, v in self.answers.items() if k != step})

    def _checked(self, step: str, raw: Any) -> Any:
        if step == "age":
            raw = parse_case({"age": raw, "sex": "unknown"}, self.knowledge, "about you").age
            return "unknown" if raw is None else raw
        if step == "sex":
            return parse_case({"age": "unknown", "sex": raw}, self.knowledge, "about you").sex or "unknown"
        if step in ("lower_leg", CARE):
            if not isinstance(raw, bool):
                raise InputError(f"{step}: got {raw!r}; allowed: true, false")
            return raw
        if step == DANGER:
            return self._checked_signs(raw)
        if step not in self.knowledge.findings:
            raise InputError(f"{step}: no such question{self.knowledge.suggest(step)}")
        self._parsed(step, raw)
        return raw

    def _checked_signs(self, raw: Any) -> dict[str, Any]:
        signs = self.knowledge.danger_signs
        if not isinstance(raw, Mapping) or set(raw) - set(signs):
            raise InputError(f"{DANGER}: got {raw!r}; allowed: a mapping of danger sign to yes, no or unknown")
        for sign, value in raw.items():
            self._parsed(sign, value)
        return {sign: raw.get(sign, "unknown") for sign in signs}

    def _parsed(self, finding: str, raw: Any) -> Any:
        try:
            return parse_answer(self.knowledge.findings[finding], raw)
        except ValueError as error:
            raise InputError(f"{finding}: {error}") from None

    # -- the walk ----------------------------------------------------------------------------------

    @cached_property
    def _walked(self) -> tuple[tuple[Step, ...], Step | None]:
        path: tuple[Step, ...] = ()
        key = b""
        while (step := self._next_after(path, key)) is not None and step.id in self.answers:
            path = (*path, step)
            key = hashlib.blake2b(key + f"{step.id}\0{self.answers[step.id]!r}".encode(), digest_size=16).digest()
        return path, step

    def _next_after(self, path: tuple[Step, ...], key: bytes) -> Step | None:
        """What comes after this path; remembered by its `key`, a hash of its steps and answers. Other threads may forget it meanwhile."""
        known = self._memo.get(key, _NOT_KNOWN)
        if known is _NOT_KNOWN:
            known = self._memo[key] = self._decide(path)
        return known

    def _decide(self, path: tuple[Step, ...]) -> Step | None:
        done = {step.id for step in path}
        for name in ABOUT:
            if name not in done:
                return Step(name, "about")
        if DANGER not in done:
            return Step(DANGER, "danger_signs", self.knowledge.danger_signs)
        if self.scope != "in":
            return None
        case = self._case(path)
        if CARE not in done:
            asked = sum(step.kind == "finding" for step in path)
            best = best_question(mind(self.knowledge), case, done) if asked < self.knowledge.settings.most_questions else None
            if best is not None:
                return Step(best, "finding", (best,))
        return self._care(case, done)

    def _case(self, path: tuple[Step, ...]) -> Case:
        known = {step.id: self.answers[step.id] for step in path}
        age, sex = known.get("age"), known.get("sex")
        case = Case(age=None if age in (None, "unknown") else float(age), sex=None if sex in (None, "unknown") else sex)
        for step in (s for s in path if s.kind != "offer"):
            raws = known[step.id] if step.kind == "danger_signs" else dict.fromkeys(step.findings, known[step.id])
            for finding, raw in raws.items():
                case = case.with_answer(finding, self._parsed(finding, raw), "asked")
        return case

    # -- may it be suggested? ----------------------------------------------------------------------

    def _care(self, case: Case, done: set[str]) -> Step | None:
        if apply_rules(self.knowledge, case).urgency >= Urgency.same_day:
            return None
        to_ask = [f for f in care_questions(mind(self.knowledge), case) if f not in done]
        if CARE not in done:
            return Step(CARE, "offer", tuple(to_ask)) if to_ask else None
        if self.answers[CARE] and to_ask:
            return Step(to_ask[0], "care", (to_ask[0],))
        return None


def care_questions(thinking: Mind, case: Case) -> tuple[str, ...]:
    """Findings that must be known before care that helps the leading causes may be suggested, in the order of that care."""
    knowledge, posterior = thinking.knowledge, thinking.posterior(case)
    leading = [c for c, p in zip(thinking.engine.network.causes, posterior.cause, strict=True) if p >= LEADING]
    wanted = [a for c in leading for a in knowledge.conditions[c].self_care]
    questions: dict[str, None] = {}
    for action in dict.fromkeys(wanted):
        truths = [evaluate(when, case) for when in knowledge.not_if[action]]
        if True in truths:
            continue
        for when, truth in zip(knowledge.not_if[action], truths, strict=True):
            if truth is None:
                questions |= {f: None for f in findings_in(when) if _can_ask(knowledge, case, f)}
    return tuple(questions)


def _can_ask(knowledge: Knowledge, case: Case, finding: str) -> bool:
    known = knowledge.findings.get(finding)
    return known is not None and known.by == "person" and not case.known(finding) and may_ask(knowledge, case, known)
