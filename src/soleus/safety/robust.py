"""How many answers would have to be wrong for the urgency to be wrong.

For an urgency that rules ask for: the fewest answers that all of these rules rest on. A rule rests on a set of answers when it
would not be known to hold were all of them otherwise. For a lower urgency: single answers that, were they otherwise, would
make a rule ask for more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import combinations

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Expression, Not, evaluate
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Urgency
from soleus.safety.rules import apply_rules

Set = frozenset[str]
MOST_SETS = 400
"""Sets of answers kept while a tree is read, after those that hold a smaller one are left out; no rule comes near."""


def rests_on(knowledge: Knowledge, case: Case, urgency: Urgency) -> tuple[str, ...]:
    """A smallest set of answers without which no rule would ask for `urgency`, in the order of the knowledge base: fewer wrong answers
    than it has cannot lower what the rules ask for. Empty when no rule asks for it."""
    asking = [knowledge.rule_when[rule.id] for rule in apply_rules(knowledge, case).fired if rule.urgency >= urgency]
    ways = _all_of([_breaking(when, case, True) for when in asking]) if asking else []
    smallest = min(ways, key=_order, default=Set())
    return tuple(f for f in ("age", "sex", *knowledge.findings) if f in smallest)


def would_raise_if_wrong(knowledge: Knowledge, case: Case, urgency: Urgency) -> tuple[str, ...]:
    """Answers that were given and that, if they are wrong, hide a rule that asks for more than `urgency`."""
    return tuple(f for f, answer in case.answers.items() if _hides(knowledge, case, knowledge.findings[f], answer, urgency))


def _hides(knowledge: Knowledge, case: Case, finding: Finding, answer: Answer, urgency: Urgency) -> bool:
    rules = [r for r in knowledge.rules_reading.get(finding.id, ()) if knowledge.rules[r].urgency > urgency]
    others = [case.with_answer(finding.id, other) for other in _otherwise(finding, answer)] if rules else []
    return any(evaluate(knowledge.rule_when[r], other) for r in rules for other in others)


def _otherwise(finding: Finding, answer: Answer) -> Iterable[Answer]:
    """Other answers: the opposite, another value, one more option ticked, or a number a tenth of its range away."""
    match answer:
        case YesNo(value):
            yield YesNo(not value)
        case OneOf(values):
            yield from (OneOf(frozenset({value})) for value in finding.values if value not in values)
        case Options(yes, no, some):
            yield from (Options(yes | {o}, no - {o}, some) for o in finding.options if o in no)
        case Between(low, high):
            lowest, highest = finding.range or (low, high)
            near = (highest - lowest) / 10
            yield from (Between(value, value) for value in (max(low - near, lowest), min(high + near, highest)))


def _breaking(expression: Expression, case: Case, truth: bool) -> list[Set]:
    """Smallest sets of answers which, were they otherwise, could leave the expression without this truth value."""
    match expression:
        case Not(part):
            return _breaking(part, case, not truth)
        case Certain(part):
            return _breaking(part, case, True) if truth else _making(part, case, True)
        case All(parts) | Any(parts) | AtLeast(_, parts):
            return _breaking_some(parts, _needed(expression, truth), case, truth)
        case leaf:
            return [Set({leaf.finding})] if evaluate(leaf, case) is truth else [Set()]


def _making(expression: Expression, case: Case, truth: bool) -> list[Set]:
    """Smallest sets of answers which, were they otherwise, could give the expression this truth value; none where only an answer that
    was not given could."""
    match expression:
        case Not(part):
            return _making(part, case, not truth)
        case Certain(part):
            return _making(part, case, True) if truth else _breaking(part, case, True)
        case All(parts) | Any(parts) | AtLeast(_, parts):
            ways = [_making(part, case, truth) for part in parts]
            return _smallest(way for chosen in combinations(ways, _needed(expression, truth)) for way in _all_of(chosen))
        case leaf:
            if evaluate(leaf, case) is truth:
                return [Set()]
            return [Set({leaf.finding})] if case.known(leaf.finding) else []


def _needed(expression: All | Any | AtLeast, truth: bool) -> int:
    """How many parts have to have this truth value for the whole to have it."""
    count = expression.count if isinstance(expression, AtLeast) else len(expression.parts) if isinstance(expression, All) else 1
    return count if truth else len(expression.parts) - count + 1


def _breaking_some(parts: Sequence[Expression], needed: int, case: Case, truth: bool) -> list[Set]:
    """Of the parts that have this truth value so many must lose it that fewer than `needed` are left."""
    holding = [part for part in parts if evaluate(part, case) is truth]
    surplus = len(holding) - needed + 1
    if surplus <= 0:
        return [Set()]
    ways = [_breaking(part, case, truth) for part in holding]
    return _smallest(way for chosen in combinations(ways, surplus) for way in _all_of(chosen))


def _all_of(ways: Sequence[list[Set]]) -> list[Set]:
    """One set out of each list, together."""
    return reduce(lambda one, other: _smallest(a | b for a in one for b in other), ways, [Set()])


def _smallest(sets: Iterable[Set]) -> list[Set]:
    """The sets that hold no other of them, smallest first."""
    kept: list[Set] = []
    for one in sorted(set(sets), key=_order):
        if not any(other <= one for other in kept):
            kept.append(one)
    return kept[:MOST_SETS]


def _order(chosen: Set) -> tuple[int, list[str]]:
    return len(chosen), sorted(chosen)
