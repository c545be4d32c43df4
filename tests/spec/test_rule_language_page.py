"""docs/rule-language.md says what the language does: each row of its tables of examples is checked, for every reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any as Raw
from typing import get_args

import pytest
import yaml

from soleus.knowledge.case import Case, parse_case
from soleus.knowledge.expression import All, Any, AtLeast, Certain, Expression, Not, Yes, evaluate, parse
from tests.spec.strategies import kinds_in
from tests.spec.test_readers_agree import DEFINITIONS, KNOWLEDGE, READERS

PAGE = (Path(__file__).parents[2] / "docs/rule-language.md").read_text("utf-8")
TRUTHS = {"true": True, "false": False, "unknown": None}


def rows(*head: str) -> Iterator[tuple[str, ...]]:
    """The rows of the page's table with these column names, without the marks of code."""
    lines = iter(PAGE.splitlines())
    assert any(line == f"| {' | '.join(head)} |" for line in lines), f"no table {head}"
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield tuple(cell.strip().strip("`") for cell in line.strip("|").split("|"))


EXAMPLES = list(rows("answers", "expression", "result"))
COMBINATIONS = list(rows("a", "b", "not a", "certain a", "all", "any", "at least 1", "at least 2"))
FORMS = [*rows("form", "of", "true", "false", "unknown"), *rows("form", "true", "false", "unknown")]


def case_of(answers: Raw) -> Case:
    about = {key: answers.pop(key, "unknown") for key in ("age", "sex")}
    return parse_case({**about, "answers": answers}, KNOWLEDGE)


def expression_of(text: str) -> Expression:
    return parse(yaml.safe_load(text), DEFINITIONS)


@pytest.mark.parametrize(("answers", "text", "result"), EXAMPLES)
def test_an_example(answers: str, text: str, result: str) -> None:
    case, expression = case_of(yaml.safe_load(answers)), expression_of(text)
    assert evaluate(expression, case) is TRUTHS[result]
    assert {reader: read(expression, case) for reader, read in READERS.items()} == dict.fromkeys(READERS, TRUTHS[result])


def test_the_examples_show_every_kind_of_node_and_result() -> None:
    kinds = {kind for _, text, _ in EXAMPLES for kind in kinds_in(expression_of(text))}
    assert kinds == set(get_args(Expression))
    assert {result for _, _, result in EXAMPLES} == set(TRUTHS)


@pytest.mark.parametrize("row", COMBINATIONS, ids=" ".join)
def test_a_combination(row: tuple[str, ...]) -> None:
    first, second = [f.id for f in KNOWLEDGE.findings.values() if f.type == "boolean"][:2]
    a, b = Yes(first), Yes(second)
    known = {finding: TRUTHS[word] for finding, word in zip((first, second), row[:2], strict=True)}
    case = case_of({finding: "unknown" if truth is None else truth for finding, truth in known.items()})
    made: tuple[Expression, ...] = (Not(a), Certain(a), All((a, b)), Any((a, b)), AtLeast(1, (a, b)), AtLeast(2, (a, b)))
    for expression, word in zip(made, row[2:], strict=True):
        assert evaluate(expression, case) is TRUTHS[word]
        assert {reader: read(expression, case) for reader, read in READERS.items()} == dict.fromkeys(READERS, TRUTHS[word])


def test_every_combination_is_there_once() -> None:
    assert sorted(row[:2] for row in COMBINATIONS) == sorted((a, b) for a in TRUTHS for b in TRUTHS)


def test_every_kind_of_node_has_its_form() -> None:
    """One row for each kind, and one for definitions."""
    assert len(FORMS) == len(get_args(Expression)) + 1
