"""What moved each cause: evidence for and against, and answers worth a second look."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from soleus.assessment.result import DoubleCheck, Evidence, Support
from soleus.inference.exact import Posterior
from soleus.inference.observe import observations
from soleus.interview.value import Mind
from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Urgency
from soleus.model.network import Array
from soleus.safety.rules import RuleOutcome, apply_rules

NOTICEABLE = 1.0
"""Decibans below which an answer is not worth mentioning."""


def say(knowledge: Knowledge, finding_id: str, answer: Answer) -> str:
    """One answer in plain words, as a phrase."""
    finding = knowledge.findings[finding_id]
    match answer:
        case YesNo(value):
            return finding.name if value else f"not: {finding.name}"
        case OneOf(values):
            return f"{finding.name}: {knowledge.labels(finding_id, values)}"
        case Between(low, high):
            amount = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            return f"{finding.name}: {amount} {'' if finding.unit == '0-10' else finding.unit}".rstrip()
        case Options():
            return _say_options(finding, answer)


def _say_options(finding: Finding, answer: Options) -> str:
    so = [finding.values[o] for o in finding.options if o in answer.yes]
    so += [" or ".join(finding.values[o] for o in finding.options if o in group) for group in answer.some]
    if so:
        return f"{finding.name}: {', '.join(so)}"
    if answer.no == set(finding.options):
        return f"{finding.name}: none"
    return f"{finding.name}: not {', not '.join(finding.values[o] for o in finding.options if o in answer.no)}"


def withdrawn(mind: Mind, case: Case, posterior: Posterior) -> Mapping[str, Array]:
    """For each answered finding: P(c | case without it), shape (causes,)."""
    without = mind.engine.withdrawals(posterior, observations(case, mind.knowledge.findings))
    return {finding: weights.sum(axis=1) for finding, weights in without.items()}


def evidence(mind: Mind, case: Case, posterior: Posterior, without: Mapping[str, Array], cause: int) -> tuple[Evidence, ...]:
    """What each answer did to one cause, strongest first."""
    moved = {finding: 10 * float(_log_odds(posterior.cause[cause]) - _log_odds(shares[cause])) for finding, shares in without.items()}
    return tuple(
        Evidence(
            finding=finding,
            text=say(mind.knowledge, finding, case.answers[finding]),
            decibans=round(decibans, 2),
            support=_support(decibans),
        )
        for finding, decibans in sorted(moved.items(), key=lambda entry: (-abs(entry[1]), entry[0]))
        if abs(decibans) >= NOTICEABLE
    )


def _log_odds(share: float) -> float:
    share = min(max(float(share), 1e-12), 1 - 1e-12)
    return float(np.log10(share / (1 - share)))


def _support(decibans: float) -> Support:
    """Words for decibans: a factor of ten is strong, of two is some (after Kass and Raftery 1995, on their scale of factors)."""
    if decibans > 0:
        return "strongly for" if decibans >= 10 else "for" if decibans >= 5 else "slightly for"
    return "strongly against" if decibans <= -10 else "against" if decibans <= -5 else "slightly against"


def double_check(
    mind: Mind, case: Case, posterior: Posterior, without: Mapping[str, Array], rules: RuleOutcome, urgency: Urgency
) -> tuple[DoubleCheck, ...]:
    """Single answers that carry the conclusion: without one of them another cause would lead, or, said
    otherwise, the rules would no longer ask for this urgency."""
    knowledge, causes = mind.knowledge, mind.engine.network.causes
    leading = int(np.argmax(posterior.cause))
    checks = []
    for finding, shares in without.items():
        other = int(np.argmax(shares))
        if other != leading:
            name = knowledge.conditions[causes[other]].name.lay
            checks.append(_check(knowledge, case, finding, f"without it, the likeliest cause would be: {name}"))
    for finding in _read_by_all(knowledge, rules) if rules.urgency >= urgency else ():
        if case.yes(finding) and apply_rules(knowledge, case.with_answer(finding, YesNo(False))).urgency < urgency:
            checks.append(_check(knowledge, case, finding, "it alone makes this as urgent as it is"))
    return tuple(checks)


def _read_by_all(knowledge: Knowledge, rules: RuleOutcome) -> tuple[str, ...]:
    """Findings that every rule behind the urgency reads; no other answer alone can lower it."""
    top = [rule.id for rule in rules.fired if rule.urgency == rules.urgency]
    return tuple(f for f, reading in knowledge.rules_reading.items() if top and set(top) <= set(reading))


def _check(knowledge: Knowledge, case: Case, finding: str, would: str) -> DoubleCheck:
    return DoubleCheck(finding=finding, text=say(knowledge, finding, case.answers[finding]), would=would)
