"""`soleus kb check`: what the schema cannot say. References resolve, distributions sum to one, every
number has a basis, lay text is plain, no rule is dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, islice

from soleus.knowledge.case import Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Leaf, Not, Yes, evaluate, leaves
from soleus.knowledge.load import Knowledge
from soleus.knowledge.numbers import resting_on
from soleus.knowledge.reading import grade
from soleus.knowledge.schema import Condition, Estimate, Finding, Urgency

SUM_TOLERANCE = 0.005
"""Shares are written to three digits, so a distribution may miss one by rounding alone."""
MAX_GRADE = 8.0
MAX_WAYS = 2000
MIN_WORDS = 25
"""A reading grade of fewer words says little."""


@dataclass(frozen=True)
class Report:
    """Faults found, and how many things were looked at (an OK without a count could have looked at nothing)."""

    faults: tuple[str, ...]
    counts: Mapping[str, int]


def check(knowledge: Knowledge) -> Report:
    """Every fault in meaning, with file and line."""
    checker = _Checker(knowledge)
    faults = [*checker.findings(), *checker.conditions(), *checker.patterns(), *checker.expressions(), *checker.care(), *checker.sources()]
    faults += [*checker.rules(), *checker.hazards(), *checker.plain_words(), *checker.levels()]
    counts = {
        "conditions": len(knowledge.conditions),
        "complete conditions": sum(c.complete for c in knowledge.conditions.values()),
        "findings": len(knowledge.findings),
        "rules": len(knowledge.rules),
        "care entries": len(knowledge.care),
        "hazards": len(knowledge.hazards),
        "situations": len(knowledge.situation_when),
        "patterns": len(knowledge.patterns),
        "sources": len(knowledge.sources),
        "numbers": checker.numbers,
        "numbers from studies": checker.sourced,
        "lay texts": checker.texts,
    }
    return Report(tuple(faults), counts)


class _Checker:
    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.numbers = self.sourced = self.texts = 0

    def at(self, key: str) -> str:
        name, line = self.knowledge.where[key]
        return f"{name}, line {line}: "

    # -- findings and conditions -------------------------------------------------------------------

    def findings(self) -> Iterator[str]:
        for finding in self.knowledge.findings.values():
            place = self.at(f"findings/{finding.id}") + finding.id
            if finding.depends_on != "nothing" and finding.background is None:
                yield f"{place}: needs a background, since the model reads it"
            if finding.background is not None:
                yield from self._shares(f"{place}.background", finding, finding.background, finding.id)
            if finding.type == "choice" and finding.depends_on == "present" and not finding.order:
                yield f"{place}: a choice that depends on what is present needs an order"

    def conditions(self) -> Iterator[str]:
        aliases = Counter(a for c in self.knowledge.conditions.values() for a in (c.id, *c.aliases))
        for condition in self.knowledge.conditions.values():
            place = self.at(f"conditions/{condition.id}") + condition.id
            yield from (f"{place}: the name {a!r} stands for two conditions" for a in condition.aliases if aliases[a] > 1)
            yield from self._estimates(condition, place)
            yield from self._risks(condition, place)
            for part in ("self_care", "treatments", "tests"):
                for care in getattr(condition, part):
                    if care not in self.knowledge.care:
                        yield f"{place}.{part}: no care entry {care!r}"
            yield from self._kinds(condition, place)

    def _estimates(self, condition: Condition, place: str) -> Iterator[str]:
        for key, estimate in condition.findings.items():
            finding = self.knowledge.findings.get(key.split(".")[0])
            if finding is None:
                yield f"{place}.findings.{key}: no such finding{self.knowledge.suggest(key)}"
            else:
                yield from self._shares(f"{place}.findings.{key}", finding, estimate, key)

    def _shares(self, place: str, finding: Finding, estimate: Estimate, key: str) -> Iterator[str]:
        self.numbers += len(estimate.value) if isinstance(estimate.value, dict) else 1
        self.sourced += bool(estimate.source)
        single = finding.type == "boolean" or "." in key
        if single and isinstance(estimate.value, dict):
            yield f"{place}: needs one share, got a mapping"
        elif not single and not isinstance(estimate.value, dict):
            yield f"{place}: needs a share for each of: {', '.join(_keys(finding))}"
        elif isinstance(estimate.value, dict):
            unknown = set(estimate.value) - set(_keys(finding))
            if unknown:
                yield f"{place}: {', '.join(sorted(unknown))} not allowed; allowed: {', '.join(_keys(finding))}"
            total = sum(estimate.value.values())
            if finding.type != "multi" and abs(total - 1) > SUM_TOLERANCE:
                yield f"{place}: shares sum to {total:.4g}, not 1"
        if "." in key and key.split(".", 1)[1] not in finding.options:
            yield f"{place}: no option {key.split('.', 1)[1]!r}; allowed: {', '.join(finding.options)}"

    def _risks(self, condition: Condition, place: str) -> Iterator[str]:
        for key, ratio in condition.risk.items():
            self.numbers, self.sourced = self.numbers + 1, self.sourced + bool(ratio.source)
            name, _, value = key.partition(".")
            finding = self.knowledge.findings.get(name)
            if finding is None or finding.depends_on != "risk":
                yield f"{place}.risk.{key}: not a risk finding"
            elif (finding.type == "boolean") == bool(value) or (value and value not in (*finding.options, *finding.states)):
                yield f"{place}.risk.{key}: give 'finding' for yes/no, else 'finding.value' with one of: {', '.join(finding.states)}"

    def _kinds(self, condition: Condition, place: str) -> Iterator[str]:
        allowed = {
            "self_care": ("self_care", "exercise", "medicine"),
            "treatments": ("treatment", "exercise", "medicine", "self_care"),
            "tests": ("test",),
        }
        for part, kinds in allowed.items():
            for care in getattr(condition, part):
                entry = self.knowledge.care.get(care)
                if entry is not None and entry.kind not in kinds:
                    yield f"{place}.{part}: {care} is a {entry.kind}; allowed: {', '.join(kinds)}"

    def patterns(self) -> Iterator[str]:
        taken: Counter[str] = Counter()
        for pattern in self.knowledge.patterns.values():
            place = self.at(f"patterns/{pattern.id}") + pattern.id
            for name in pattern.findings:
                finding = self.knowledge.findings.get(name.split(".")[0])
                if (
                    finding is None
                    or (pattern.depends_on == "cause" and finding.depends_on != "cause")
                    or finding.depends_on not in ("cause", "present")
                ):
                    yield f"{place}.findings: {name} is not a finding that depends on {pattern.depends_on}"
            for archetype in pattern.archetypes:
                yield from (f"{place}.{archetype.id}: no condition {c!r}" for c in archetype.like if c not in self.knowledge.conditions)
            taken.update(pattern.findings)
        yield from (f"patterns: {name} stands in two patterns" for name, count in taken.items() if count > 1)

    # -- expressions and care ----------------------------------------------------------------------

    def expressions(self) -> Iterator[str]:
        for rule, when in self.knowledge.rule_when.items():
            yield from self._leaves(self.at(f"rules/{rule}") + rule, when)
        for finding, when in self.knowledge.ask_if.items():
            yield from self._leaves(self.at(f"findings/{finding}") + f"{finding}.ask_if", when)
        for care, parts in self.knowledge.not_if.items():
            for when in parts:
                yield from self._leaves(self.at(f"care/{care}") + f"{care}.not_if", when)
        for hazard in self.knowledge.hazards.values():
            place = self.at(f"hazards/{hazard.id}") + hazard.id
            for situation in hazard.situations:
                yield from self._leaves(f"{place}.situations.{situation.id}", self.knowledge.situation_when[situation.id])
            for when in self.knowledge.never_when[hazard.id]:
                yield from self._leaves(f"{place}.never", when)

    def _leaves(self, place: str, when: Expression) -> Iterator[str]:
        for leaf in leaves(when):
            if fault := leaf_fault(self.knowledge, leaf):
                yield f"{place}: {fault}"

    def care(self) -> Iterator[str]:
        for care in self.knowledge.care.values():
            place = self.at(f"care/{care.id}") + care.id
            asked = [n.ask for n in care.not_if if n.ask] + ([care.finding] if care.finding else [])
            yield from (f"{place}: no finding {f!r}" for f in asked if f not in self.knowledge.findings)

    def sources(self) -> Iterator[str]:
        used: dict[str, str] = {}
        for place, entry in self._based():
            for source in entry:
                used.setdefault(source, place)
        yield from (f"{place}: no source {s!r}" for s, place in used.items() if s not in self.knowledge.sources)
        for source in self.knowledge.sources:
            if source not in used:
                yield f"{self.at(f'sources/{source}')}{source}: is not used anywhere; remove it"
        for source, entries in resting_on(self.knowledge, "retracted").items():
            yield from (f"{self.at(f'sources/{source}')}{source}: is retracted, but {entry} rests on it" for entry in entries)

    def _based(self) -> Iterator[tuple[str, Iterable[str]]]:
        """Every place that names sources."""
        knowledge = self.knowledge
        for c in knowledge.conditions.values():
            place = self.at(f"conditions/{c.id}") + c.id
            parts = (
                c.urgency_basis,
                c.what,
                c.in_the_leg,
                c.course,
                *c.avoid,
                *c.seek_care,
                *c.prevalence,
                *c.risk.values(),
                *c.findings.values(),
            )
            yield from ((place, p.sources) for p in parts if p is not None)
            yield place, [c.prior.source] if c.prior.source else []
        for f in knowledge.findings.values():
            yield self.at(f"findings/{f.id}") + f.id, f.background.sources if f.background else ()
        for r in knowledge.rules.values():
            yield self.at(f"rules/{r.id}") + r.id, r.sources
        for a in knowledge.care.values():
            place = self.at(f"care/{a.id}") + a.id
            yield place, a.effect.sources
            yield from ((place, n.sources) for n in a.not_if)

    def rules(self) -> Iterator[str]:
        for rule, when in self.knowledge.rule_when.items():
            sound = not any(leaf_fault(self.knowledge, leaf) for leaf in leaves(when))
            if sound and not can_fire(self.knowledge, when):
                cure = "no answers make all its parts true together, so drop or change one that contradicts another"
                yield f"{self.at(f'rules/{rule}')}{rule}: can never fire; {cure}"
        for entry in self.knowledge.rules.values():
            for condition in entry.guards:
                if condition not in self.knowledge.conditions:
                    yield f"{self.at(f'rules/{entry.id}')}{entry.id}.guards: no condition {condition!r}"

    def hazards(self) -> Iterator[str]:
        """Conditions and rules that a hazard names exist, situations have names of their own, every danger is looked after."""
        hazards = self.knowledge.hazards.values()
        names = Counter(s.id for h in hazards for s in h.situations)
        yield from (f"hazards: two situations are called {name!r}; give each a name of its own" for name, n in names.items() if n > 1)
        for hazard in hazards:
            place = self.at(f"hazards/{hazard.id}") + hazard.id
            named = (*hazard.guards, *(c for s in hazard.situations for c in s.textbook_of))
            yield from (f"{place}: no condition {c!r}" for c in named if c not in self.knowledge.conditions)
            for control in hazard.controls:
                if control.kind == "rule" and control.id not in self.knowledge.rules:
                    yield f"{place}.controls: no rule {control.id!r}; 'soleus kb list rules' shows what there is"
        guarded = {c for h in hazards for c in h.guards}
        for condition in self.knowledge.conditions.values():
            if hazards and condition.must_not_miss and condition.id not in guarded:
                yield f"{self.at(f'conditions/{condition.id}')}{condition.id}: must not be missed, but no hazard guards it"

    def levels(self) -> Iterator[str]:
        missing = set(Urgency) - set(self.knowledge.levels)
        yield from (f"levels.yaml: no entry for {level.name}" for level in sorted(missing))
        reached = {r.urgency for r in self.knowledge.rules.values()} | {c.urgency for c in self.knowledge.conditions.values()}
        yield from (
            f"levels.yaml: nothing ever leads to {level.name}; give a rule or a condition this urgency"
            for level in sorted(set(Urgency) - reached)
        )

    # -- plain words -------------------------------------------------------------------------------

    def plain_words(self) -> Iterator[str]:
        for place, text in self._lay_texts():
            self.texts += 1
            if len(text.split()) >= MIN_WORDS and (found := grade(text)) > MAX_GRADE:
                yield f"{place}: reads at US grade {found:.1f}; at most {MAX_GRADE:g}: {text[:60]!r}..."

    def _lay_texts(self) -> Iterator[tuple[str, str]]:
        for c in self.knowledge.conditions.values():
            place = self.at(f"conditions/{c.id}") + c.id
            texts = (c.what, c.in_the_leg, c.course, *c.avoid, *c.seek_care)
            yield from ((place, t.text) for t in texts if t is not None)
        for f in self.knowledge.findings.values():
            if f.by == "person":
                yield self.at(f"findings/{f.id}") + f.id, " ".join(filter(None, (f.question, f.help, f.why)))
        for r in self.knowledge.rules.values():
            yield self.at(f"rules/{r.id}") + r.id, f"{r.reason} {r.action or ''}"
        for a in self.knowledge.care.values():
            parts = (a.what, *a.steps, a.effect.text, *(n.because for n in a.not_if), *a.cautions)
            yield self.at(f"care/{a.id}") + a.id, " ".join(p if p.endswith((".", "?", "!")) else f"{p}." for p in parts)
        for level in self.knowledge.levels.values():
            yield f"levels.yaml: {level.id.name}", f"{level.headline} {level.do}"


def _keys(finding: Finding) -> tuple[str, ...]:
    if finding.type == "multi":
        return finding.options
    return finding.states if finding.type == "number" else tuple(finding.values)


def leaf_fault(knowledge: Knowledge, leaf: Leaf) -> str | None:
    """Why a leaf of an expression makes no sense for its finding, or None."""
    if leaf.finding in ("age", "sex"):
        allowed = isinstance(leaf, (Known, Compare) if leaf.finding == "age" else (Known, Is))
        return None if allowed else f"{leaf.finding} cannot be asked like this"
    finding = knowledge.findings.get(leaf.finding)
    if finding is None:
        return f"no finding {leaf.finding!r}{knowledge.suggest(leaf.finding)}"
    match leaf:
        case Yes():
            return None if finding.type == "boolean" else f"{finding.id} is a {finding.type}, not yes/no; {_how(finding)}"
        case Is(_, values):
            return _value_fault(finding, "choice", values, tuple(finding.values))
        case Has(_, options):
            return _value_fault(finding, "multi", options, finding.options)
        case Compare(_, _, bound) if finding.type == "number":
            low, high = finding.range or (bound, bound)
            return None if low <= bound <= high else f"{finding.id} goes from {low:g} to {high:g}; {bound:g} is never reached"
        case Compare():
            return f"{finding.id} is a {finding.type}, not a number; {_how(finding)}"
        case Known():
            return None


def _how(finding: Finding) -> str:
    """How an expression asks for this finding."""
    forms = {"boolean": "{}", "choice": "{} is VALUE", "multi": "{} has OPTION", "number": "{} >= NUMBER"}
    return f"write '{forms[finding.type].format(finding.id)}'"


def _value_fault(finding: Finding, kind: str, given: frozenset[str], allowed: tuple[str, ...]) -> str | None:
    if finding.type != kind:
        return f"{finding.id} is a {finding.type}, not a {kind}; {_how(finding)}"
    unknown = given - set(allowed)
    return f"{finding.id} has no value {', '.join(sorted(unknown))}; allowed: {', '.join(allowed)}" if unknown else None


def can_fire(knowledge: Knowledge, when: Expression) -> bool:
    """Whether some case makes the expression true: built from the tree, then evaluated."""
    ways = islice(_ways(when, True), MAX_WAYS)
    return any(evaluate(when, _case_for(knowledge, list(way), tuple(way.values()))) for way in ways)


def _ways(when: Expression, truth: bool) -> Iterator[dict[Leaf, bool]]:
    """Sets of leaves that make the expression true (or false), lazily; not all of them are consistent."""
    match when:
        case Not(part):
            yield from _ways(part, not truth)
        case Certain(part):
            yield from _ways(part, truth)
        case All(parts):
            yield from _together(parts, truth) if truth else _each(parts, truth)
        case Any(parts):
            yield from _each(parts, truth) if truth else _together(parts, truth)
        case AtLeast(count, parts):
            needed = count if truth else len(parts) - count + 1
            for chosen in combinations(parts, needed):
                yield from _together(chosen, truth)
        case _:
            yield {when: truth}


def _each(parts: tuple[Expression, ...], truth: bool) -> Iterator[dict[Leaf, bool]]:
    for part in parts:
        yield from _ways(part, truth)


def _together(parts: tuple[Expression, ...], truth: bool) -> Iterator[dict[Leaf, bool]]:
    if not parts:
        yield {}
        return
    for first in _ways(parts[0], truth):
        for rest in _together(parts[1:], truth):
            if all(rest.get(leaf, value) == value for leaf, value in first.items()):
                yield first | rest


def _case_for(knowledge: Knowledge, found: list[Leaf], choice: tuple[bool, ...]) -> Case:
    case = Case()
    for leaf, truth in zip(found, choice, strict=True):
        if leaf.finding in ("age", "sex"):
            case = _about(case, leaf, truth)
            continue
        finding = knowledge.findings.get(leaf.finding)
        if finding is not None and (truth or not isinstance(leaf, Known)):
            case = case.with_answer(finding.id, _answer(finding, leaf, truth, case))
    return case


def _about(case: Case, leaf: Leaf, truth: bool) -> Case:
    if isinstance(leaf, Compare):
        inside = leaf.bound + (1 if leaf.op in (">", ">=") else -1)
        outside = leaf.bound + (-1 if leaf.op in (">", ">=") else 1)
        return Case(inside if truth else outside, case.sex, case.setting, case.id, case.answers, case.origins)
    if isinstance(leaf, Is):
        sex = next(iter(leaf.values)) if truth else next(iter({"male", "female"} - leaf.values), None)
        return Case(case.age, sex, case.setting, case.id, case.answers, case.origins)  # type: ignore[arg-type]
    return case


def _answer(finding: Finding, leaf: Leaf, truth: bool, case: Case) -> YesNo | OneOf | Options | Between | None:
    match leaf:
        case Yes():
            return YesNo(truth)
        case Is(_, values):
            rest = frozenset(finding.values) - values
            return OneOf(values if truth else rest) if values and rest else None
        case Has(_, options):
            before = case.answers.get(finding.id)
            yes = before.yes if isinstance(before, Options) else frozenset[str]()
            no = before.no if isinstance(before, Options) else frozenset[str]()
            return Options(yes | (options - no), no) if truth else Options(yes, no | (options - yes))
        case Compare(_, op, bound):
            step = 1e-6 if (op in (">", ">=")) == truth else -1e-6
            return Between(bound + step, bound + step)
        case Known():
            return case.answers.get(finding.id) or _any_answer(finding)


def _any_answer(finding: Finding) -> YesNo | OneOf | Options | Between:
    match finding.type:
        case "boolean":
            return YesNo(True)
        case "choice":
            return OneOf(frozenset([next(iter(finding.values))]))
        case "multi":
            return Options(frozenset(finding.options[:1]))
        case "number":
            assert finding.range is not None
            return Between(*finding.range)
