"""Case files: YAML, JSON or JSON Lines, from a path or standard input, read strictly and with limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from soleus.errors import InputError
from soleus.knowledge.case import Case, parse_case
from soleus.knowledge.load import Knowledge
from soleus.knowledge.read import read_yaml

MAX_BYTES = 1_000_000
"""A case file holds a few kilobytes; anything this large is a mistake."""


def read_cases(path: str, knowledge: Knowledge) -> Iterator[Case]:
    """The cases in a file: one for YAML or JSON, one for each line of JSON Lines (`.jsonl`, `.ndjson`,
    or standard input whose first line is a whole JSON object). '-' is standard input.

    Raises InputError naming file, line and field.
    """
    if path == "-":
        yield from _from_stream(sys.stdin.buffer, knowledge)
    elif Path(path).suffix in (".jsonl", ".ndjson"):
        with _open(path) as stream:
            yield from _lines(stream, path, knowledge)
    else:
        with _open(path) as stream:
            yield _one(_decode(_limited(stream, path), path), path, knowledge)


def _open(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _from_stream(stream: BinaryIO, knowledge: Knowledge) -> Iterator[Case]:
    name = "standard input"
    first = stream.readline(MAX_BYTES + 1)
    _check_size(len(first), name)
    if _is_json_line(first):
        yield parse_case(_json(_decode(first, name), f"{name}, line 1"), knowledge, f"{name}, line 1")
        yield from _lines(stream, name, knowledge, start=2)
    else:
        yield _one(_decode(first + _limited(stream, name), name), name, knowledge)


def _is_json_line(line: bytes) -> bool:
    text = line.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _lines(stream: BinaryIO, name: str, knowledge: Knowledge, start: int = 1) -> Iterator[Case]:
    number = start
    while line := stream.readline(MAX_BYTES + 1):
        place = f"{name}, line {number}"
        _check_size(len(line), place)
        if line.strip():
            yield parse_case(_json(_decode(line, place), place), knowledge, place)
        number += 1


def _limited(stream: BinaryIO, name: str) -> bytes:
    content = stream.read(MAX_BYTES + 1)
    _check_size(len(content), name)
    return content


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise InputError(f"{name}: too large; a case may have at most {MAX_BYTES:,} bytes")


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from None


def _one(text: str, name: str, knowledge: Knowledge) -> Case:
    document = read_yaml(text, name)  # JSON is YAML, so one reader gives line numbers for both
    return parse_case(document.data, knowledge, name, document.line)


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except _DuplicateKeyError as error:
        raise InputError(f"{name}: duplicate key {error.args[0]!r}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{name}: not valid JSON: {error}") from None


class _DuplicateKeyError(Exception):
    pass


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise _DuplicateKeyError(key)
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
