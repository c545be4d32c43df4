"""A case: all that is known about one person at one time.

An answer is what is known of a finding: one value, a set of values still possible, or nothing.
Unknown is never read as absent. `parse_case` is the only way in from outside; it reports every
fault at once.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from soleus.errors import InputError
from soleus.knowledge.quantity import body_mass_index
from soleus.knowledge.schema import Finding, Setting, Sex

if TYPE_CHECKING:
    from soleus.knowledge.load import Knowledge

Origin = Literal["asked", "volunteered", "record", "clinician"]
Raw = Any


@dataclass(frozen=True, slots=True)
class YesNo:
    value: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """A choice: the values still possible (never all of them, never none)."""

    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Options:
    """Several choices: options that are so, that are not so, and groups of which at least one is so."""

    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    some: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Between:
    """A number in the finding's unit, from `low` to `high` (equal when it is exact)."""

    low: float
    high: float


Answer = YesNo | OneOf | Options | Between


@dataclass(frozen=True)
class Case:
    """Demographics, setting and answers; findings that are not in `answers` are unknown.

    It answers the questions of the rule language (`Facts` in expression.py)."""

    age: float | None = None
    sex: Sex | None = None
    setting: Setting | None = None
    id: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def yes(self, finding: str) -> bool | None:
        answer = self.answers.get(finding)
        return answer.value if isinstance(answer, YesNo) else None

    def is_one_of(self, finding: str, values: frozenset[str]) -> bool | None:
        if finding == "sex":
            return None if self.sex is None else self.sex in values
        answer = self.answers.get(finding)
        if not isinstance(answer, OneOf):
            return None
        if answer.values <= values:
            return True
        return None if answer.values & values else False

    def has(self, finding: str, options: frozenset[str]) -> bool | None:
        answer = self.answers.get(finding)
        if not isinstance(answer, Options):
            return None
        if answer.yes & options or any(group - answer.no <= options for group in answer.some):
            return True
        return False if options <= answer.no else None

    def compare(self, finding: str, op: str, bound: float) -> bool | None:
        if finding == "age":
            span = None if self.age is None else Between(self.age, self.age)
        else:
            answer = self.answers.get(finding)
            span = answer if isinstance(answer, Between) else None
        if span is None:
            return None
        test = _COMPARE[op]
        low, high = test(span.low, bound), test(span.high, bound)
        return low if low == high else None

    def known(self, finding: str) -> bool:
        if finding == "age":
            return self.age is not None
        if finding == "sex":
            return self.sex is not None
        return finding in self.answers

    def with_answer(self, finding: str, answer: Answer | None, origin: Origin = "asked") -> Case:
        """A new case in which `finding` has this answer (None: unknown)."""
        answers = {k: v for k, v in self.answers.items() if k != finding}
        origins = {k: v for k, v in self.origins.items() if k != finding}
        if answer is not None:
            answers[finding] = answer
            origins[finding] = origin
        return replace(self, answers=answers, origins=origins)


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


# -- answers ---------------------------------------------------------------------------------------

_UNKNOWN = {"unknown", "dont_know", "don't know", "not sure", "?"}
_WORDS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
_QUANTITY = re.compile(r"^\s*([-+]?\d+(?:[.,]\d+)?)\s*(.*?)\s*$")


def parse_answer(finding: Finding, raw: Raw) -> Answer | None:
    """The answer that `raw` means for `finding`; None for unknown.

    Raises ValueError with what was given and what is allowed.
    """
    if raw is None or (isinstance(raw, str) and raw.strip().lower() in _UNKNOWN):
        return None
    match finding.type:
        case "boolean":
            return YesNo(_truth(raw, "yes, no, unknown"))
        case "choice":
            return _choice(finding, raw)
        case "multi":
            return _options(finding, raw)
        case "number":
            return _number(finding, raw)


def _truth(raw: Raw, allowed: str) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in _WORDS:
        return _WORDS[raw.strip().lower()]
    raise ValueError(f"got {_shown(raw)}; allowed: {allowed}")


def _allowed(finding: Finding) -> str:
    names = [*finding.values, *(name for name in finding.coarse if name not in finding.values)]
    return ", ".join([*names, "unknown"])


def _members(finding: Finding, name: Raw) -> frozenset[str]:
    if isinstance(name, str):
        if name in finding.values:
            return frozenset({name})
        if name in finding.coarse:
            return frozenset(str(member) for member in finding.coarse[name])
    raise ValueError(f"got {_shown(name)}; allowed: {_allowed(finding)}")


def _choice(finding: Finding, raw: Raw) -> OneOf | None:
    given = raw if isinstance(raw, list) else [raw]
    if not given:
        raise ValueError(f"got an empty list; give the values still possible, of: {_allowed(finding)}")
    values = frozenset[str]().union(*(_members(finding, item) for item in given))
    return None if values == set(finding.values) else OneOf(values)


def _options(finding: Finding, raw: Raw) -> Options | None:
    """A list names what is so and leaves the rest unknown; a mapping says yes or no for each option."""
    if isinstance(raw, Mapping):
        said = {name: _option_truth(finding, name, value) for name, value in raw.items()}
    else:
        given = raw if isinstance(raw, list) else [raw]
        said = {item: True for item in given if _members(finding, item)}
    yes: set[str] = set()
    no: set[str] = set()
    some: list[frozenset[str]] = []
    for name, truth in said.items():
        members = _members(finding, name)
        if name == finding.none_value:
            if truth:
                no |= set(finding.options)
            elif truth is False:
                some.append(frozenset(finding.options))
        elif truth is False:
            no |= members
        elif truth and len(members) == 1:
            yes |= members
        elif truth:
            some.append(members)
    if yes & no:
        clash = ", ".join(sorted(yes & no))
        raise ValueError(f"{clash} is both so and not so" + (f"; {finding.none_value} excludes the rest" if finding.none_value else ""))
    open_groups = tuple(group - no for group in some if not group & yes)
    if any(not group for group in open_groups):
        raise ValueError("one of a group is said to be so, and each of the group not to be so")
    yes |= {next(iter(group)) for group in open_groups if len(group) == 1}
    groups = tuple(group for group in open_groups if len(group) > 1)
    if not (yes or no or groups):
        return None
    return Options(frozenset(yes), frozenset(no), groups)


def _option_truth(finding: Finding, name: str, value: Raw) -> bool | None:
    if value is None or (isinstance(value, str) and value.strip().lower() in _UNKNOWN):
        _members(finding, name)
        return None
    try:
        return _truth(value, "yes, no, unknown")
    except ValueError as error:
        raise ValueError(f"option {name}: {error}") from None


def _number(finding: Finding, raw: Raw) -> Between:
    if isinstance(raw, Mapping):
        if set(raw) == {"min", "max"}:
            low, high = _quantity(finding, raw["min"]), _quantity(finding, raw["max"])
            if low > high:
                raise ValueError(f"min {low:g} is above max {high:g}")
            return Between(low, high)
        if set(raw) == {"value", "unit"}:
            raw = f"{raw['value']} {raw['unit']}"
        else:
            raise ValueError(f"got {_shown(raw)}; {_number_allowed(finding)}")
    if isinstance(raw, str) and raw in finding.coarse:
        lowest, highest = finding.coarse[raw]
        return Between(float(lowest), float(highest))
    value = _quantity(finding, raw)
    return Between(value, value)


def _number_allowed(finding: Finding) -> str:
    assert finding.range is not None
    units = ", ".join(unit for unit in (finding.unit or "", *finding.units) if unit)
    words = f", or one of: {', '.join(finding.coarse)}" if finding.coarse else ""
    return f"allowed: {finding.range[0]:g} to {finding.range[1]:g} {finding.unit} (units: {units}), or {{min: , max: }}{words}, unknown"


def _quantity(finding: Finding, raw: Raw) -> float:
    """`raw` in the finding's own unit; a bare number is taken to be in it."""
    assert finding.range is not None
    value, unit = _split_quantity(raw)
    if finding.unit == "kg/m2" and isinstance(raw, str) and (index := body_mass_index(raw)) is not None:
        value, unit = index, ""
    if value is None:
        raise ValueError(f"got {_shown(raw)}; {_number_allowed(finding)}")
    if unit and unit != finding.unit:
        if unit not in finding.units:
            raise ValueError(f"got the unit {unit!r}; {_number_allowed(finding)}")
        value = value * finding.units[unit].scale + finding.units[unit].offset
    if not finding.range[0] <= value <= finding.range[1]:
        raise ValueError(f"got {_shown(raw)}; {_number_allowed(finding)}")
    return value


def _split_quantity(raw: Raw) -> tuple[float | None, str]:
    if isinstance(raw, bool):
        return None, ""
    if isinstance(raw, int | float):
        return (float(raw), "") if math.isfinite(raw) else (None, "")
    match = _QUANTITY.match(raw) if isinstance(raw, str) else None
    return (float(match[1].replace(",", ".")), match[2]) if match else (None, "")


def _shown(raw: Raw) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."


def raw_answer(finding: Finding, answer: Answer) -> Raw:
    """The plain form of an answer, as it stands in a case file; `parse_answer` reads it back."""
    match answer:
        case YesNo(value):
            return value
        case OneOf(values):
            return next(iter(values)) if len(values) == 1 else [v for v in finding.values if v in values]
        case Between(low, high):
            return low if low == high else {"min": low, "max": high}
        case Options(yes, no, some):
            if not yes and not some and no == set(finding.options) and finding.none_value:
                return [finding.none_value]
            said: dict[str, bool] = {o: True for o in finding.options if o in yes} | {o: False for o in finding.options if o in no}
            return said | dict(_named_group(finding, group, no) for group in some)


def _named_group(finding: Finding, group: frozenset[str], no: frozenset[str]) -> tuple[str, bool]:
    """The entry that stands for a group: a coarse answer, or denying the value that means none of these."""
    for name, members in finding.coarse.items():
        if {str(m) for m in members} - no == group:
            return name, True
    assert finding.none_value is not None, "a group comes from a coarse answer or from denying 'none'"
    return finding.none_value, False


# -- cases -----------------------------------------------------------------------------------------

_CASE_KEYS = ("age", "sex", "id", "setting", "answers", "expected", "note", "source")


def parse_case(raw: Raw, knowledge: Knowledge, name: str = "case", line_of: Any = None) -> Case:
    """The case that `raw` (a mapping, as read from YAML or JSON) describes.

    `expected`, `note` and `source` may stand in the file and are not read. Raises InputError with
    one message for each fault: place, field, what was given, what is allowed.
    """
    place = _Place(name, line_of)
    if not isinstance(raw, Mapping):
        raise InputError(f"{name}: a case is a mapping with age, sex and answers; got {_shown(raw)}")
    faults = [place(key) + f"unknown field {key!r}; allowed: {', '.join(_CASE_KEYS)}" for key in raw if key not in _CASE_KEYS]
    age = _collect(faults, place("age"), lambda: _age(raw))
    sex = _collect(faults, place("sex"), lambda: _one("sex", raw, get_args(Sex), required=True))
    setting = _collect(faults, place("setting"), lambda: _one("setting", raw, get_args(Setting), required=False))
    case_id = raw.get("id")
    if case_id is not None and not isinstance(case_id, str | int):
        faults.append(place("id") + f"id: got {_shown(case_id)}; allowed: a short text")
    answers, origins = _answers(raw.get("answers"), knowledge, place, faults)
    if faults:
        raise InputError(faults)
    return Case(age, sex, setting, None if case_id is None else str(case_id), answers, origins)


@dataclass(frozen=True)
class _Place:
    name: str
    line_of: Any

    def __call__(self, *path: str) -> str:
        return f"{self.name}, line {self.line_of(path)}: " if self.line_of else f"{self.name}: "


def _collect(faults: list[str], place: str, make: Any) -> Any:
    try:
        return make()
    except ValueError as error:
        faults.append(f"{place}{error}")
        return None


def _age(raw: Mapping[str, Raw]) -> float | None:
    if "age" not in raw:
        raise ValueError("age: missing; allowed: 0 to 120 (years), or unknown")
    age = raw["age"]
    if age == "unknown":
        return None
    if isinstance(age, bool) or not isinstance(age, int | float) or not 0 <= age <= 120:
        raise ValueError(f"age: got {_shown(age)}; allowed: 0 to 120 (years), or unknown")
    return float(age)


def _one(key: str, raw: Mapping[str, Raw], allowed: tuple[str, ...], *, required: bool) -> str | None:
    if key not in raw and not required:
        return None
    if key not in raw:
        raise ValueError(f"{key}: missing; allowed: {', '.join(allowed)}, unknown")
    value = raw[key]
    if value == "unknown" or (value is None and not required):
        return None
    if value not in allowed:
        raise ValueError(f"{key}: got {_shown(value)}; allowed: {', '.join(allowed)}, unknown")
    return str(value)


def _answers(raw: Raw, knowledge: Knowledge, place: _Place, faults: list[str]) -> tuple[dict[str, Answer], dict[str, Origin]]:
    answers: dict[str, Answer] = {}
    origins: dict[str, Origin] = {}
    if raw is None:
        return answers, origins
    if not isinstance(raw, Mapping):
        faults.append(place("answers") + f"answers: got {_shown(raw)}; allowed: a mapping of finding id to value")
        return answers, origins
    for key, value in raw.items():
        finding = knowledge.findings.get(key)
        if finding is None:
            faults.append(place("answers", key) + f"answers.{key}: unknown finding{knowledge.suggest(key)}")
            continue
        try:
            value, origin = _provenance(value, finding)
            answer = parse_answer(finding, value)
        except ValueError as error:
            faults.append(place("answers", key) + f"answers.{key}: {error}")
            continue
        if answer is not None:
            answers[key] = answer
            origins[key] = origin
    return answers, origins


def _provenance(value: Raw, finding: Finding) -> tuple[Raw, Origin]:
    if isinstance(value, Mapping) and set(value) == {"value", "from"}:
        origin = value["from"]
        if origin not in get_args(Origin):
            raise ValueError(f"from: got {_shown(origin)}; allowed: {', '.join(get_args(Origin))}")
        return value["value"], origin
    return value, "record" if finding.by == "person" else "clinician"


def case_dict(case: Case, findings: Mapping[str, Finding]) -> dict[str, Any]:
    """The plain form of a case, as it would stand in a case file."""
    out: dict[str, Any] = {} if case.id is None else {"id": case.id}
    out |= {"age": "unknown" if case.age is None else case.age, "sex": case.sex or "unknown"}
    if case.setting:
        out["setting"] = case.setting
    return out | {"answers": {k: raw_answer(findings[k], case.answers[k]) for k in case.answers}}
