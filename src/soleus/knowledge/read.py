"""Reading YAML with line numbers, strictly: no duplicate keys, no aliases, only true/false are booleans.

YAML 1.1 reads `no`, `off` and `12:30` as something else than text; here they stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from soleus.errors import InputError

Path = tuple[str | int, ...]
MAX_DEPTH = 40
_TAGS = ("str", "bool", "null", "int", "float", "map", "seq")

try:
    _Base: Any = yaml.CSafeLoader
except AttributeError:  # PyYAML built without libyaml
    _Base = yaml.SafeLoader


class _Loader(_Base):  # type: ignore[misc]  # the base is chosen at run time
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|false|False)$", "tTfF"),
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|)$", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)$", "-+0123456789."),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


@dataclass(frozen=True)
class Document:
    """Plain data, and the line (from 1) on which each key or item stands."""

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing that encloses it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str, name: str) -> Document:
    """Parse one YAML document; raises InputError naming `name`, line and cause."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        data = _construct(loader, node, (), lines, set(), name) if node is not None else None
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_fault(error, name)) from None
    except yaml.YAMLError as error:
        raise InputError(f"{name}: not readable as YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply; at most {MAX_DEPTH} levels are allowed") from None
    finally:
        loader.dispose()
    return Document(data, lines)


def _syntax_fault(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    return f"{place}: not valid YAML: {error.problem or error.context}"


def _construct(loader: Any, node: Any, path: Path, lines: dict[Path, int], seen: set[int], name: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(path) > MAX_DEPTH:
        raise InputError(f"{name}, line {line}: nested too deeply; at most {MAX_DEPTH} levels are allowed")
    if id(node) in seen:
        raise InputError(f"{name}, line {line}: anchors and aliases (&, *) are not allowed; write the value out")
    seen.add(id(node))
    if node.tag.rsplit(":", 1)[-1] not in _TAGS or not node.tag.startswith("tag:yaml.org,2002:"):
        raise InputError(f"{name}, line {line}: tags such as {node.tag} are not allowed")
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines, seen, name)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, (*path, i), lines, seen, name) for i, item in enumerate(node.value)]
    return _scalar(loader, node, name)


def _mapping(loader: Any, node: Any, path: Path, lines: dict[Path, int], seen: set[int], name: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise InputError(f"{name}, line {line}: a key must be plain text")
        key = str(key_node.value)
        if key in result:
            raise InputError(f"{name}, line {line}: duplicate key {key!r}; first given on line {lines[(*path, key)]}")
        lines[(*path, key)] = line
        result[key] = _construct(loader, value_node, (*path, key), lines, seen, name)
    return result


def _scalar(loader: Any, node: Any, name: str) -> Any:
    try:
        return loader.construct_object(node)
    except ValueError:
        raise InputError(
            f"{name}, line {node.start_mark.line + 1}: {node.value!r} cannot be read as {node.tag.rsplit(':', 1)[-1]}"
        ) from None
