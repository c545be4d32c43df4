"""Strict YAML with line numbers."""

from __future__ import annotations

import pytest

from soleus.errors import InputError
from soleus.knowledge.read import read_yaml


def test_only_true_and_false_are_booleans() -> None:
    data = read_yaml("a: no\nb: yes\nc: true\nd: 12:30\ne: 1e3\nf: 007\ng: ~\nh: 2026-11-24\n", "x").data
    assert data == {"a": "no", "b": "yes", "c": True, "d": "12:30", "e": 1000.0, "f": "007", "g": None, "h": "2026-11-24"}


def test_lines_are_known() -> None:
    document = read_yaml("a: 1\nb:\n  c: [x,\n      y]\n", "x")
    assert [document.line(p) for p in (("a",), ("b", "c"), ("b", "c", 1), ("b", "nowhere"))] == [1, 3, 4, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "x, line 2: duplicate key 'a'; first given on line 1"),
        ("a: &n 1\nb: *n\n", "x, line 1: anchors and aliases (&, *) are not allowed; write the value out"),
        ("a: !!python/object:os.system 1\n", "x, line 1: tags such as tag:yaml.org,2002:python/object:os.system are not allowed"),
        ("a: [1\n", "x, line 2, column 1: not valid YAML: did not find expected ',' or ']'"),
        ("[" * 100 + "]" * 100, "x, line 1: nested too deeply; at most 40 levels are allowed"),
        ("? [a]\n: 1\n", "x, line 1: a key must be plain text"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_yaml(text, "x")
    assert error.value.faults == (message,)
