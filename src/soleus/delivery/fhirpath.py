"""A rule as FHIRPath over a FHIR R4 QuestionnaireResponse, and a case as such a response.

FHIRPath is three-valued with an empty collection for unknown, so a rule written in it can be read by any engine, and by a
reader of the rules that shares no code with ours. The result is true, false or empty exactly where `evaluate` gives True,
False or None.

In the response every answered finding is one item whose linkId is its id. What differs from a common response: a choice has
one answer for each value *still possible*, and options or bounds are child items:

    yes/no            valueBoolean
    choice            one valueCoding for each value still possible
    several choices   items 'finding.option' with valueBoolean; for each group of which at least one is so,
                      an item 'finding.some-of' around an item 'finding.some-of.option' with a valueCoding for each option
    number            items 'finding.low' and 'finding.high' with valueDecimal
    age, sex          items 'age' (valueDecimal) and 'sex' (valueCoding)

What is unknown has no item. The engine needs the R4 model, and numbers read as decimals (of which
FHIRPath promises eight places). Two habits keep engines agreed:
nothing that may be empty is compared (`x = true` is empty or false, by engine), and iif is asked only where empty may go
with false.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any as Raw

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Compare, Expression, Has, Is, Known, Not, Yes
from soleus.knowledge.load import Knowledge

SOME = "some-of"
"""Last part of the linkId of a group of which at least one option is so; the hyphen keeps it apart from every option's id."""


# -- rules -----------------------------------------------------------------------------------------


def to_fhirpath(expression: Expression, knowledge: Knowledge) -> str:
    """`expression` as FHIRPath, to be evaluated at the root of a response from `to_questionnaire_response`.

    The expression must fit the knowledge base, as `soleus kb check` makes sure. Raises ValueError if it names a finding
    that is not there.
    """
    match expression:
        case Yes(finding):
            return f"{_item(finding, knowledge)}.answer.value"
        case Known(finding):
            return f"{_item(finding, knowledge)}.exists()"
        case Is(finding, values):
            return _agreed(f"{_item(finding, knowledge)}.answer.value.code", _among(values))
        case Compare(finding, op, bound):
            child = "" if finding == "age" else ".item"
            return _agreed(f"{_item(finding, knowledge)}{child}.answer.value", f"$this {op} {_decimal(bound)}")
        case Has(finding, options):
            return _has(_item(finding, knowledge), finding, options)
        case Not(part):
            return f"({to_fhirpath(part, knowledge)}).not()"
        case Certain(part):
            return f"iif({to_fhirpath(part, knowledge)}, true, false)"
        case All(parts):
            return " and ".join(_bracketed(parts, knowledge))
        case Any(parts):
            return " or ".join(_bracketed(parts, knowledge))
        case AtLeast(count, parts):
            return _at_least(count, [to_fhirpath(part, knowledge) for part in parts])


def _bracketed(parts: Iterable[Expression], knowledge: Knowledge) -> list[str]:
    return [f"({to_fhirpath(part, knowledge)})" for part in parts]


def _item(finding: str, knowledge: Knowledge) -> str:
    if finding not in knowledge.findings and finding not in ("age", "sex"):
        raise ValueError(f"unknown finding {finding!r}{knowledge.suggest(finding)}")
    return f"item.where(linkId = '{finding}')"


def _agreed(values: str, test: str) -> str:
    """What `test` gives for `values`, if it gives the same for each; empty if they differ or there are none."""
    results = f"{values}.select({test}).distinct()"
    return f"iif({results}.count() = 1, {results}, {{}})"


def _among(values: frozenset[str]) -> str:
    first, *more = sorted(values)
    return f"$this in ({_codes(values)})" if more else f"$this = '{first}'"


def _codes(values: frozenset[str]) -> str:
    return " | ".join(f"'{value}'" for value in sorted(values))


def _decimal(number: float) -> str:
    """The shortest decimal that is this number, as JSON has it too, without an exponent, which FHIRPath does not know."""
    return format(Decimal(repr(number)), "f")


def _has(item: str, finding: str, options: frozenset[str]) -> str:
    """One of the options is so, or a group lies within them. A group has two options at least, so it never lies within one."""
    so = [f"{item}.item.where(linkId = '{finding}.{option}').answer.value" for option in sorted(options)]
    if len(so) > 1:
        groups = f"{item}.item.where(linkId = '{finding}.{SOME}')"
        so.append(f"{groups}.exists(item.answer.value.code.all($this in ({_codes(options)})))")
    return " or ".join(f"({truth})" for truth in so) if len(so) > 1 else so[0]


def _at_least(count: int, parts: list[str]) -> str:
    """True if enough parts are true; else empty if enough are not false; else false."""
    certain = " + ".join(f"iif({part}, 1, 0)" for part in parts)
    possible = " + ".join(f"iif(({part}).not(), 0, 1)" for part in parts)
    return f"iif({certain} >= {count}, true, iif({possible} >= {count}, {{}}, false))"


# -- cases -----------------------------------------------------------------------------------------


def to_questionnaire_response(case: Case, knowledge: Knowledge) -> dict[str, Raw]:
    """`case` as R4 JSON: status 'completed', age and sex if known, and one item for each answered finding.

    It carries all that the rule language can ask of the case; setting and origins are left out.
    """
    items: list[dict[str, Raw]] = []
    if case.age is not None:
        items.append({"linkId": "age", "answer": [{"valueDecimal": case.age}]})
    if case.sex is not None:
        items.append(_coded("sex", [case.sex]))
    items += [_answer_item(finding, case.answers[finding]) for finding in knowledge.findings if finding in case.answers]
    return {"resourceType": "QuestionnaireResponse", "status": "completed"} | ({"item": items} if items else {})


def _answer_item(finding: str, answer: Answer) -> dict[str, Raw]:
    match answer:
        case YesNo(value):
            return _yes_no(finding, value)
        case OneOf(values):
            return _coded(finding, sorted(values))
        case Between(low, high):
            bounds = {"low": low, "high": high}
            return {"linkId": finding, "item": [{"linkId": f"{finding}.{k}", "answer": [{"valueDecimal": v}]} for k, v in bounds.items()]}
        case Options():
            return {"linkId": finding, "item": _option_items(finding, answer)}


def _option_items(finding: str, answer: Options) -> list[dict[str, Raw]]:
    """Options known yes or no, and the groups less what is known no; a group of which one option is left says that it is so."""
    groups = [group - answer.no for group in answer.some]
    yes = answer.yes.union(*(group for group in groups if len(group) == 1))
    known = [_yes_no(f"{finding}.{option}", option in yes) for option in sorted(yes | answer.no)]
    link = f"{finding}.{SOME}"
    return known + [{"linkId": link, "item": [_coded(f"{link}.option", sorted(group))]} for group in groups if len(group) > 1]


def _yes_no(link: str, value: bool) -> dict[str, Raw]:
    return {"linkId": link, "answer": [{"valueBoolean": value}]}


def _coded(link: str, codes: Iterable[str]) -> dict[str, Raw]:
    return {"linkId": link, "answer": [{"valueCoding": {"code": code}} for code in codes]}
