"""The rule language as a table: what each form means when the answer is yes, no or unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from soleus.knowledge.case import Answer, Between, Case, OneOf, Options, YesNo
from soleus.knowledge.expression import evaluate, findings_in, parse

F = frozenset
KNOWN: Mapping[str, Answer] = {
    "yes": YesNo(True),
    "no": YesNo(False),
    "one": OneOf(F({"a"})),
    "either": OneOf(F({"a", "b"})),
    "ticks": Options(yes=F({"x"}), no=F({"y"})),
    "some": Options(no=F({"y"}), some=(F({"x", "z"}),)),
    "number": Between(5, 5),
    "span": Between(5, 9),
}
CASE = Case(age=70, sex="female", answers=KNOWN)

TABLE: list[tuple[Any, bool | None]] = [
    ("yes", True),
    ("no", False),
    ("missing", None),
    ("one is a", True),
    ("one is b", False),
    ("either is a", None),
    ("either in [a, b, c]", True),
    ("either in [c, d]", False),
    ("either in [b, c]", None),
    ("missing is a", None),
    ("ticks has x", True),
    ("ticks has y", False),
    ("ticks has z", None),
    ("ticks has [y, z]", None),
    ("ticks has [x, y]", True),
    ("some has x", None),
    ("some has [x, z]", True),
    ("some has [x, y, z]", True),
    ("number >= 5", True),
    ("number > 5", False),
    ("span >= 5", True),
    ("span >= 6", None),
    ("span < 5", False),
    ("span <= 8.5", None),
    ("missing > 1", None),
    ("age >= 65", True),
    ("sex is male", False),
    ("known yes", True),
    ("known missing", False),
    ("known age", True),
    ({"not": "yes"}, False),
    ({"not": "missing"}, None),
    ({"all": ["yes", "missing"]}, None),
    ({"all": ["no", "missing"]}, False),
    ({"all": ["yes", "yes"]}, True),
    ({"any": ["yes", "missing"]}, True),
    ({"any": ["no", "missing"]}, None),
    ({"any": ["no", "no"]}, False),
    ({"at_least": 2, "of": ["yes", "missing", "no"]}, None),
    ({"at_least": 2, "of": ["yes", "no", "no"]}, False),
    ({"at_least": 2, "of": ["yes", "yes", "missing"]}, True),
    ("@both", None),
    ({"certain": "yes"}, True),
    ({"certain": "no"}, False),
    ({"certain": "missing"}, False),
    ({"certain": "either is a"}, False),
    ({"certain": {"not": "no"}}, True),
    # an exclusion that silence and vague answers do not make
    ({"not": {"certain": "missing"}}, True),
    ({"not": {"certain": "either is a"}}, True),
]
DEFINITIONS = {"both": {"all": ["yes", "@inner"]}, "inner": "missing"}


@pytest.mark.parametrize(("raw", "truth"), TABLE, ids=[str(raw) for raw, _ in TABLE])
def test_meaning(raw: Any, truth: bool | None) -> None:
    assert evaluate(parse(raw, DEFINITIONS), CASE) is truth


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("a is", "expression 'a is' is not understood"),
        (3, "expression 3 is not understood"),
        ({"some": ["a"]}, "expression with keys ['some'] is not understood"),
        ({"all": []}, "expected a list with at least one expression, got []"),
        ({"at_least": 3, "of": ["a"]}, "at_least: 3 must be a whole number from 1 to 1"),
        ("@nowhere", "no definition named 'nowhere'; defined are: both, inner"),
        ("@loop", "no definition named 'loop'"),
    ],
)
def test_what_is_not_understood(raw: Any, message: str) -> None:
    definitions = DEFINITIONS if raw != "@loop" else {"loop": "@loop"}
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(raw, definitions)


def test_findings_are_listed_once_in_order() -> None:
    assert findings_in(parse({"any": ["b", {"all": ["a", {"not": "b"}]}, "age > 3"]})) == ("b", "a", "age")
