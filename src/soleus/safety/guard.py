"""The rules, read twice: once for the case, once as a row of columns, by readers that share only the parsed tree and the answers.

Where the two differ one of them is wrong. Then the more urgent counts, and the assessment says so.
"""

from __future__ import annotations

from dataclasses import replace

from soleus.knowledge.case import Case
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.columns import Bools, RuleColumns, Table, apply_columns
from soleus.safety.rules import RuleOutcome, apply_rules, by_urgency


def apply_guarded(knowledge: Knowledge, case: Case) -> RuleOutcome:
    """The outcome of the rules, with every rule that either reading makes fire, the greater of the two urgencies, and in `disputed`
    the rules (or `urgency`) on which they differ."""
    first = apply_rules(knowledge, case)
    try:
        second = apply_columns(knowledge, Table.of([case], knowledge))
    except Exception:  # whatever breaks the second reading must not break the first
        return replace(first, disputed=("second reading",))
    fired = {rule.id for rule in first.fired}
    again = _rules(second, second.fired[:, 0])
    urgency = Urgency(int(second.urgency[0]))
    disputed = fired ^ again | ({"urgency"} if urgency != first.urgency else set())
    if not disputed:
        return first
    either = by_urgency(knowledge, fired | again)
    greatest = max([first.urgency, urgency, *(rule.urgency for rule in either)])
    return replace(first, urgency=greatest, fired=either, disputed=tuple(sorted(disputed)))


def _rules(outcome: RuleColumns, holds: Bools) -> set[str]:
    return {rule for rule, so in zip(outcome.rules, holds, strict=True) if so}
