"""Every number of the knowledge base with its place, and what changed between two knowledge bases, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Condition, Estimate, Finding, Number, OddsRatio, Prevalence

Kind = Literal["share", "odds ratio", "prevalence", "background"]


@dataclass(frozen=True)
class Placed:
    """A number and where it stands. `condition` is None for a background; `key`: finding, finding.option or finding.value,
    or the ages of a prevalence."""

    kind: Kind
    condition: str | None
    key: str
    number: Number

    @property
    def values(self) -> Mapping[str, float]:
        """Its value by option or state; a single number has the key ''."""
        match self.number:
            case Estimate(value=value):
                return value if isinstance(value, dict) else {"": value}
            case OddsRatio(odds_ratio=ratio):
                return {"": ratio}
            case Prevalence(value=value):
                return {"": value}
        raise AssertionError(f"no such number: {self.number!r}")


def numbers(knowledge: Knowledge) -> Iterator[Placed]:
    """Every share, odds ratio, prevalence and background."""
    for condition in knowledge.conditions.values():
        yield from (Placed("share", condition.id, key, n) for key, n in condition.findings.items())
        yield from (Placed("odds ratio", condition.id, key, n) for key, n in condition.risk.items())
        for entry in condition.prevalence:
            key = f"age {entry.age[0]} to {entry.age[1]}{'' if entry.sex == 'any' else f', {entry.sex}'}"
            yield Placed("prevalence", condition.id, key, entry)
    for finding in knowledge.findings.values():
        if finding.background is not None:
            yield Placed("background", None, finding.id, finding.background)


def resting_on(knowledge: Knowledge, standing: str) -> dict[str, list[str]]:
    """Sources of this standing, each with the entries that rest on it: numbers by place, and other entries by id."""
    found: dict[str, list[str]] = {s.id: [] for s in knowledge.sources.values() if s.standing == standing}
    for placed in numbers(knowledge):
        for source in placed.number.sources:
            if source in found:
                found[source].append(f"{placed.kind} {placed.condition or 'everybody'}: {placed.key}")
    for room in ("conditions", "rules", "care"):
        for entry in getattr(knowledge, room).values():
            for source in sorted(set(_statement_sources(entry)) & set(found)):
                found[source].append(f"a statement in {room}/{entry.id}")
    return found


def _statement_sources(entry: Any) -> Iterator[str]:
    """Sources of the statements of an entry; numbers are listed on their own."""
    if isinstance(entry, Number):
        return
    if isinstance(entry, BaseModel):
        source = getattr(entry, "source", None)
        yield from (source,) if isinstance(source, str) else source or ()
        for name in type(entry).model_fields:
            yield from _statement_sources(getattr(entry, name))
    elif isinstance(entry, tuple | list):
        for part in entry:
            yield from _statement_sources(part)
    elif isinstance(entry, dict):
        for part in entry.values():
            yield from _statement_sources(part)


# -- what changed ----------------------------------------------------------------------------------

ROOMS = ("conditions", "findings", "rules", "definitions", "levels", "care", "patterns", "sources")


def changes(old: Knowledge, new: Knowledge) -> Iterator[str]:
    """What is different in `new`, one line each, in clinical words: entries, then numbers, then other parts."""
    for room in ROOMS:
        before, after = getattr(old, room), getattr(new, room)
        yield from (f"{room}: {i} is new: {_name(after[i])}" for i in after if i not in before)
        yield from (f"{room}: {i} is gone: {_name(before[i])}" for i in before if i not in after)
    yield from _number_changes(old, new)
    for room in ROOMS:
        before, after = getattr(old, room), getattr(new, room)
        for i in (i for i in after if i in before):
            parts = _parts(before[i], after[i])
            if parts:
                yield f"{room}: {i}: changed {', '.join(parts)}"
    for rule in (r for r in new.rules if r in old.rules and new.rule_when[r] != old.rule_when[r]):
        yield f"rules: {rule}: fires in other cases than before: {new.rules[rule].reason}"
    yield from _prior_changes(old, new)
    if old.settings != new.settings:
        yield f"settings: changed {', '.join(_parts(old.settings, new.settings))}"


def _number_changes(old: Knowledge, new: Knowledge) -> Iterator[str]:
    before = {(p.kind, p.condition, p.key): p for p in numbers(old)}
    for placed in numbers(new):
        if placed.condition is not None and placed.condition not in old.conditions:
            continue
        was = before.pop((placed.kind, placed.condition, placed.key), None)
        if was is None or was.number != placed.number:
            yield from _number_change(new, was, placed)
    for gone in before.values():
        if gone.condition is None or gone.condition in new.conditions:
            yield f"{_place(old, gone, '')}: gone"


def _number_change(knowledge: Knowledge, was: Placed | None, now: Placed) -> Iterator[str]:
    basis = ", ".join(now.number.sources) or "judgement"
    same = True
    before = {} if was is None else was.values
    for key in dict.fromkeys((*before, *now.values)):
        old, value = before.get(key), now.values.get(key)
        if old != value:
            same = False
            yield f"{_place(knowledge, now, key)}: {_said(old, 'new')} -> {_said(value, 'gone')} ({basis})"
    if same:
        yield f"{_place(knowledge, now, '')}: same value, other basis, weight or note ({basis})"


def _said(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:g}"


def _prior_changes(old: Knowledge, new: Knowledge) -> Iterator[str]:
    for condition in (c for c in new.conditions.values() if c.id in old.conditions):
        before, after = old.conditions[condition.id].prior, condition.prior
        for part in ("by_setting", "age", "sex"):
            was, now = getattr(before, part), getattr(after, part)
            for key in (k for k in now if was.get(k) != now[k]):
                yield f"prior of {condition.name.clinical}, {key}: {_said(was.get(key), 'new')} -> {now[key]:g}"


def _place(knowledge: Knowledge, placed: Placed, key: str) -> str:
    """'share of "one leg swollen" in deep vein thrombosis'."""
    known = knowledge.conditions.get(placed.condition or "")
    who = known.name.clinical if known else "everybody who asks"
    if placed.kind == "prevalence":
        return f"prevalence of {who}, {placed.key}"
    what = _finding_words(knowledge, placed.key, key)
    return f"{placed.kind} of {what} in {who}" if placed.condition else f"background of {what}"


def _finding_words(knowledge: Knowledge, key: str, value: str) -> str:
    """A finding, with its option or state, in its lay words."""
    name, _, part = key.partition(".")
    finding: Finding | None = knowledge.findings.get(name)
    if finding is None:
        return key
    chosen = value or part
    label = finding.values.get(chosen, chosen)
    return f"“{finding.name}{f': {label}' if chosen else ''}”"


def _name(entry: Any) -> str:
    match entry:
        case Condition():
            return entry.name.clinical
        case Finding():
            return entry.name
    return str(getattr(entry, "what", None) or getattr(entry, "reason", None) or getattr(entry, "title", None) or entry.id)


def _parts(before: BaseModel, after: BaseModel) -> list[str]:
    """Fields that differ, numbers aside."""
    aside = {"findings", "risk", "prevalence", "prior", "background"} if isinstance(after, Condition | Finding) else set()
    return [f for f in type(after).model_fields if f not in aside and getattr(before, f) != getattr(after, f)]
