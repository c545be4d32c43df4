"""Which rules fire for a case, what could still fire, and what would make it more urgent.

This room reads answers and rules only; it never sees a probability. A rule that is unknown does not
fire, but it is never counted as false either: it is returned as possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soleus.knowledge.case import Case, YesNo
from soleus.knowledge.expression import evaluate
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Rule, Urgency


@dataclass(frozen=True)
class RuleOutcome:
    """`urgency` is the greatest of the rules that fire, and never below `routine` while a danger sign
    is unanswered; `fired` are in order of urgency; `disputed`: rules on which two readings differ (see guard.py)."""

    urgency: Urgency
    fired: tuple[Rule, ...]
    possible: tuple[Rule, ...]
    unanswered: tuple[str, ...]
    disputed: tuple[str, ...] = ()


def apply_rules(knowledge: Knowledge, case: Case) -> RuleOutcome:
    """Evaluate every rule for `case`."""
    truths = {rule_id: evaluate(when, case) for rule_id, when in knowledge.rule_when.items()}
    fired = by_urgency(knowledge, [r for r, truth in truths.items() if truth])
    possible = by_urgency(knowledge, [r for r, truth in truths.items() if truth is None])
    unanswered = tuple(sign for sign in knowledge.danger_signs if not case.known(sign))
    floor = Urgency.routine if unanswered else Urgency.self_care
    urgency = max([floor, *(rule.urgency for rule in fired)])
    return RuleOutcome(urgency, fired, possible, unanswered)


def by_urgency(knowledge: Knowledge, ids: Iterable[str]) -> tuple[Rule, ...]:
    """These rules, the most urgent first."""
    wanted = set(ids)
    return tuple(sorted((rule for rule in knowledge.rules.values() if rule.id in wanted), key=lambda rule: -rule.urgency))


def what_would_raise(knowledge: Knowledge, case: Case, urgency: Urgency) -> Mapping[str, Urgency]:
    """Symptoms which, if they came on, would raise the urgency above `urgency`: finding to the level it
    would then have. Computed by asking the rules about this case with that one answer changed to yes."""
    raised: dict[str, Urgency] = {}
    for finding in knowledge.findings.values():
        if finding.by != "person" or finding.type != "boolean" or not (finding.danger_sign or finding.depends_on == "present"):
            continue
        if case.yes(finding.id):
            continue
        level = _level_with(knowledge, case.with_answer(finding.id, YesNo(True)), finding.id, urgency)
        if level > urgency:
            raised[finding.id] = level
    return dict(sorted(raised.items(), key=lambda entry: -entry[1]))


def _level_with(knowledge: Knowledge, case: Case, finding: str, above: Urgency) -> Urgency:
    """The greatest urgency among the rules above `above` that read `finding` and fire; else `self_care`."""
    reading = (knowledge.rules[r] for r in knowledge.rules_reading.get(finding, ()))
    fired = (rule.urgency for rule in reading if rule.urgency > above and evaluate(knowledge.rule_when[rule.id], case))
    return max(fired, default=Urgency.self_care)
