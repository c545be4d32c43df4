"""A rule in plain English: what a lay reader and a reviewer read instead of the expression.

The text says what the expression means and nothing else: two expressions with different meanings have different texts.
"""

from __future__ import annotations

from collections.abc import Iterable

from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Leaf, Not, Yes
from soleus.knowledge.load import Knowledge

_UNIT_OF_AGE = "years"
_NO_WORDS = ("ratio", "0-10")
"""Units that a reader does not say."""
_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def in_words(expression: Expression, knowledge: Knowledge) -> str:
    """`expression` as one line, or as an indented list where it has parts; without a line break at the end."""
    return "\n".join(_lines(expression, True, knowledge))


def _lines(expression: Expression, so: bool, knowledge: Knowledge) -> list[str]:
    """The text of `expression` (of its opposite when not `so`): a head and, indented under it, its parts."""
    core, so = _core(expression, so)
    match core:
        case Certain(part):
            return _certain("it is known that" if so else "it is not known that", part, knowledge)
        case All(parts):
            return _list("all of these:" if so else "not all of these:", parts, knowledge)
        case Any(parts):
            return _list("at least one of these:" if so else "none of these:", parts, knowledge)
        case AtLeast(count, parts):
            return _list(f"at least {count} of these:" if so else f"fewer than {count} of these:", parts, knowledge)
        case Yes() | Is() | Has() | Compare() | Known():
            return [f"{_name(core.finding, knowledge)}: {_predicate(core, so, knowledge).removeprefix('is ')}"]
        case Not():
            raise AssertionError("a core is no negation")


def _core(expression: Expression, so: bool) -> tuple[Expression, bool]:
    """The expression without negations and lists of one around it, and whether it or its opposite is meant."""
    match expression:
        case Not(part):
            return _core(part, not so)
        case All((part,)) | Any((part,)) | AtLeast(_, (part,)):
            return _core(part, so)
    return expression, so


def _list(head: str, parts: Iterable[Expression], knowledge: Knowledge) -> list[str]:
    lines = [head]
    for part in parts:
        first, *rest = _lines(part, True, knowledge)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return lines


def _certain(head: str, part: Expression, knowledge: Knowledge) -> list[str]:
    """A sentence about what is known; of a list, '... that all of these hold:'."""
    core, so = _core(part, True)
    if isinstance(core, Yes | Is | Has | Compare | Known):
        return [f"{head} “{_name(core.finding, knowledge)}” {_predicate(core, so, knowledge)}"]
    first, *rest = _lines(core, so, knowledge)
    return [f"{head} {first.removesuffix(':')} hold:" if first.endswith(" of these:") else f"{head} {first}", *rest]


# -- leaves ----------------------------------------------------------------------------------------


def _name(finding: str, knowledge: Knowledge) -> str:
    """The name of a finding; age and sex are their own."""
    return knowledge.findings[finding].name if finding in knowledge.findings else finding


def _predicate(leaf: Leaf, so: bool, knowledge: Knowledge) -> str:
    match leaf:
        case Yes():
            return "is yes" if so else "is no"
        case Known():
            return "is known" if so else "is not known"
        case Is(finding, values):
            return _of_these("is", "is not", _labels(finding, values, knowledge), so)
        case Has(finding, options):
            return _of_these("includes", "does not include", _labels(finding, options, knowledge), so)
        case Compare(finding, op, bound):
            return f"is {_bound(op if so else _OPPOSITE[op], _quantity(finding, bound, knowledge))}"


def _of_these(verb: str, negated: str, labels: list[str], so: bool) -> str:
    if so:
        return f"{verb} {' or '.join(labels)}"
    return f"{negated} {labels[0]}" if len(labels) == 1 else f"{verb} none of {', '.join(labels)}"


def _labels(finding: str, values: frozenset[str], knowledge: Knowledge) -> list[str]:
    """Quoted lay labels, in the order of the knowledge base."""
    known = knowledge.findings[finding].values if finding in knowledge.findings else {value: value for value in sorted(values)}
    return [f"“{label}”" for value, label in known.items() if value in values]


def _quantity(finding: str, bound: float, knowledge: Knowledge) -> str:
    unit = knowledge.findings[finding].unit if finding in knowledge.findings else _UNIT_OF_AGE
    number = f"{bound:,.10f}".rstrip("0").rstrip(".")
    if unit is None or unit in _NO_WORDS:
        return number
    return f"{number}{'' if unit.startswith(('%', '/')) else ' '}{unit}"


def _bound(op: str, quantity: str) -> str:
    match op:
        case ">=":
            return f"{quantity} or more"
        case "<=":
            return f"{quantity} or less"
        case ">":
            return f"more than {quantity}"
    return f"less than {quantity}"
