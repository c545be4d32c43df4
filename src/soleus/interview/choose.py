"""Which question comes next."""

from __future__ import annotations

from collections.abc import Collection

from soleus.interview.value import Mind, rule_values, values
from soleus.knowledge.case import Case
from soleus.knowledge.expression import evaluate
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Urgency
from soleus.safety.rules import apply_rules


def best_question(mind: Mind, case: Case, done: Collection[str]) -> str | None:
    """The next of the core questions, else the question worth most above its price, or None. In an emergency
    only what could make it more urgent still. Every "don't know" makes the next question that would name the cause
    dearer: whoever cannot say much is not helped by thirty of them. Questions that could make a rule fire keep their price."""
    settings = mind.knowledge.settings
    posterior = mind.posterior(case)
    candidates = [f for f in askable(mind.knowledge, case) if f.id not in done]
    emergency = apply_rules(mind.knowledge, case).urgency >= Urgency.emergency_now
    naming = {} if emergency else values(mind, posterior, candidates)
    core = [f.id for f in candidates if f.id in settings.core_questions]
    if core and not emergency:
        return max(core, key=lambda f: naming[f])
    safety = rule_values(mind, case, posterior, candidates)
    price = settings.losses.question
    dearer = price * (1 + settings.losses.unknown * sum(f in mind.knowledge.findings and not case.known(f) for f in done))
    worth = {f.id: max(naming.get(f.id, 0.0) - dearer * f.burden, safety.get(f.id, 0.0) - price * f.burden) for f in candidates}
    best = max(worth, key=lambda f: (worth[f], f), default=None)
    return best if best is not None and worth[best] > 0 else None


def askable(knowledge: Knowledge, case: Case) -> list[Finding]:
    """Questions that a person can be asked one by one, and that make sense for this case."""
    return [
        f
        for f in knowledge.findings.values()
        if f.by == "person" and f.depends_on != "nothing" and not f.danger_sign and may_ask(knowledge, case, f)
    ]


def may_ask(knowledge: Knowledge, case: Case, finding: Finding) -> bool:
    """Whether the question makes sense: its `ask_if` is not known to be false."""
    condition = knowledge.ask_if.get(finding.id)
    return condition is None or evaluate(condition, case) is not False
