"""The rule language: one small expression tree over findings, with three-valued meaning.

In the knowledge base an expression is written as YAML whose leaves are short sentences:

    any:
      - chest_pain_new                              # a yes/no finding is yes
      - diabetes in [type_1, type_2]                # a choice is one of these
      - pain_relief has standing_still              # an option of a several-choices finding is ticked
      - age >= 65                                   # a number, or the person's age
      - sex is female
      - known pregnancy_status                      # something is known of it
      - not: fever
      - {not: {certain: pain_duration is over_1_year}}   # not known for certain: silence and vague answers do not count
      - all: [one_leg_swollen, {not: both_legs_swollen}]
      - {at_least: 2, of: [smoking_status is current, high_blood_pressure, age >= 50]}
      - "@clot_risk"                                # a named expression of rules/definitions.yaml

`parse` gives the tree, `evaluate` reads it for one case after Kleene: the result is True, False or
None (unknown). Unknown is never read as no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Truth = bool | None


@dataclass(frozen=True, slots=True)
class Yes:
    """A yes/no finding is yes."""

    finding: str


@dataclass(frozen=True, slots=True)
class Is:
    """A choice (or `sex`) is one of `values`."""

    finding: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Has:
    """At least one of `options` of a several-choices finding is ticked."""

    finding: str
    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Compare:
    """A number (or `age`) stands in relation `op` to `bound`, in the finding's own unit."""

    finding: str
    op: Literal["<", "<=", ">", ">="]
    bound: float


@dataclass(frozen=True, slots=True)
class Known:
    """Something has been said about the finding."""

    finding: str


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression


@dataclass(frozen=True, slots=True)
class Certain:
    """It is known for certain that the part holds: true or false, never unknown. For exclusions, which doubt must not make."""

    part: Expression


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`count` or more of `parts` hold."""

    count: int
    parts: tuple[Expression, ...]


Expression = Yes | Is | Has | Compare | Known | Not | Certain | All | Any | AtLeast
Leaf = Yes | Is | Has | Compare | Known


class Facts(Protocol):
    """What an expression asks of a case. Each answer is True, False or None for unknown."""

    def yes(self, finding: str) -> Truth: ...
    def is_one_of(self, finding: str, values: frozenset[str]) -> Truth: ...
    def has(self, finding: str, options: frozenset[str]) -> Truth: ...
    def compare(self, finding: str, op: str, bound: float) -> Truth: ...
    def known(self, finding: str) -> bool: ...


_LEAVES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"known (\w+)$"), "known"),
    (re.compile(r"(\w+) (?:is) (\w+)$"), "is"),
    (re.compile(r"(\w+) in \[([\w, ]+)\]$"), "in"),
    (re.compile(r"(\w+) has (\w+)$"), "has"),
    (re.compile(r"(\w+) has \[([\w, ]+)\]$"), "has"),
    (re.compile(r"(\w+) (<=|>=|<|>) (-?\d+(?:\.\d+)?)$"), "compare"),
    (re.compile(r"(\w+)$"), "yes"),
)
_ALLOWED = (
    "allowed: 'finding', 'finding is value', 'finding in [a, b]', 'finding has option', 'finding >= number', "
    "'known finding', '@definition', {all: [...]}, {any: [...]}, {not: ...}, {certain: ...}, {at_least: k, of: [...]}"
)


def parse(raw: object, definitions: Mapping[str, object] | None = None) -> Expression:
    """The tree for `raw`, as read from YAML; `@name` is looked up in `definitions`.

    Raises ValueError with the offending piece and what is allowed.
    """
    definitions = definitions or {}
    if isinstance(raw, str):
        return _parse_leaf(raw.strip(), definitions)
    if isinstance(raw, Mapping):
        return _parse_node(raw, definitions)
    raise ValueError(f"expression {raw!r} is not understood; {_ALLOWED}")


def _parse_node(raw: Mapping[object, object], definitions: Mapping[str, object]) -> Expression:
    keys = set(raw)
    if keys == {"not"}:
        return Not(parse(raw["not"], definitions))
    if keys == {"certain"}:
        return Certain(parse(raw["certain"], definitions))
    if keys == {"all"} or keys == {"any"}:
        (key,) = keys
        parts = _parse_list(raw[key], definitions)
        return All(parts) if key == "all" else Any(parts)
    if keys == {"at_least", "of"}:
        count, parts = raw["at_least"], _parse_list(raw["of"], definitions)
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= len(parts):
            raise ValueError(f"at_least: {count!r} must be a whole number from 1 to {len(parts)}, the length of its list")
        return AtLeast(count, parts)
    raise ValueError(f"expression with keys {sorted(map(str, keys))} is not understood; {_ALLOWED}")


def _parse_list(raw: object, definitions: Mapping[str, object]) -> tuple[Expression, ...]:
    if not isinstance(raw, list) or not raw:
        raise ValueError(f"expected a list with at least one expression, got {raw!r}")
    return tuple(parse(part, definitions) for part in raw)


def _parse_leaf(text: str, definitions: Mapping[str, object]) -> Expression:
    if text.startswith("@"):
        name = text[1:]
        if name not in definitions:
            raise ValueError(f"no definition named {name!r}; defined are: {', '.join(sorted(definitions)) or 'none'}")
        return parse(definitions[name], {k: v for k, v in definitions.items() if k != name})
    for pattern, kind in _LEAVES:
        if match := pattern.match(text):
            return _leaf(kind, match.groups())
    raise ValueError(f"expression {text!r} is not understood; {_ALLOWED}")


def _leaf(kind: str, groups: tuple[str, ...]) -> Leaf:
    finding = groups[0]
    match kind:
        case "known":
            return Known(finding)
        case "yes":
            return Yes(finding)
        case "compare":
            return Compare(finding, groups[1], float(groups[2]))  # type: ignore[arg-type]  # the pattern allows only these
    values = frozenset(part.strip() for part in groups[1].split(","))
    return Has(finding, values) if kind == "has" else Is(finding, values)


def evaluate(expression: Expression, facts: Facts) -> Truth:
    """True, False or None (unknown) for one case, after Kleene's strong logic."""
    match expression:
        case Yes(finding):
            return facts.yes(finding)
        case Is(finding, values):
            return facts.is_one_of(finding, values)
        case Has(finding, options):
            return facts.has(finding, options)
        case Compare(finding, op, bound):
            return facts.compare(finding, op, bound)
        case Known(finding):
            return facts.known(finding)
        case Not(part):
            truth = evaluate(part, facts)
            return None if truth is None else not truth
        case Certain(part):
            return evaluate(part, facts) is True
        case All(parts):
            return _at_least(len(parts), parts, facts)
        case Any(parts):
            return _at_least(1, parts, facts)
        case AtLeast(count, parts):
            return _at_least(count, parts, facts)


def _at_least(count: int, parts: tuple[Expression, ...], facts: Facts) -> Truth:
    """Parts are read until the outcome is sure."""
    wanted, spare = count, len(parts) - count
    for part in parts if wanted > 0 and spare >= 0 else ():
        truth = evaluate(part, facts)
        wanted -= truth is True
        spare -= truth is False
        if wanted == 0 or spare < 0:
            break
    return True if wanted <= 0 else False if spare < 0 else None


def leaves(expression: Expression) -> Iterator[Leaf]:
    """Every leaf of the tree, left to right."""
    match expression:
        case Not(part) | Certain(part):
            yield from leaves(part)
        case All(parts) | Any(parts) | AtLeast(_, parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield expression


def findings_in(expression: Expression) -> tuple[str, ...]:
    """The ids that the tree asks about, each once, in order (may include `age` and `sex`)."""
    return tuple(dict.fromkeys(leaf.finding for leaf in leaves(expression)))
