"""What moved each cause: evidence for and against, and answers worth a second look."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from soleus.assessment.result import DoubleCheck, Evidence, Robustness, Support
from soleus.inference.exact import Posterior
from soleus.inference.observe import observations
from soleus.interview.value import Mind
from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Urgency
from soleus.model.network import Array
from soleus.safety.robust import rests_on, would_raise_if_wrong

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
    mind: Mind, case: Case, posterior: Posterior, without: Mapping[str, Array], robust: Robustness, *, carried: bool
) -> tuple[DoubleCheck, ...]:
    """Answers that carry the conclusion: without one of them another cause would lead, or, were they otherwise, the
    rules would no longer ask for this urgency (`carried`: nor would expected loss)."""
    knowledge, causes = mind.knowledge, mind.engine.network.causes
    leading = int(np.argmax(posterior.cause))
    checks = []
    for finding, shares in without.items():
        other = int(np.argmax(shares))
        if other != leading:
            name = knowledge.conditions[causes[other]].name.lay
            checks.append(_check(knowledge, case, finding, f"without it, the likeliest cause would be: {name}"))
    for finding in robust.rests_on if carried else ():
        if finding in case.answers:
            checks.append(_check(knowledge, case, finding, _carries(len(robust.rests_on))))
    return tuple(checks)


def _carries(answers: int) -> str:
    return "it alone makes this as urgent as it is" if answers == 1 else f"it and {answers - 1} more here make this as urgent as it is"


def robustness(knowledge: Knowledge, case: Case, urgency: Urgency) -> Robustness:
    """How many wrong answers it takes for this urgency to be wrong."""
    holding, hiding = rests_on(knowledge, case, urgency), would_raise_if_wrong(knowledge, case, urgency)
    return Robustness(fewest_too_high=len(holding) or None, fewest_too_low=1 if hiding else None, rests_on=holding, would_raise=hiding)


def _check(knowledge: Knowledge, case: Case, finding: str, would: str) -> DoubleCheck:
    return DoubleCheck(finding=finding, text=say(knowledge, finding, case.answers[finding]), would=would)
