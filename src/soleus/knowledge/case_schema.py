"""JSON Schema of a case file, generated from the findings."""

from __future__ import annotations

from typing import Any, get_args

from soleus.knowledge.case import Origin
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding, Setting

VERSION = 1


def case_schema(knowledge: Knowledge) -> dict[str, Any]:
    """The schema: age, sex, optional id and setting, and answers by finding id."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Soleus case",
        "description": f"Version {VERSION}. All that is known about one person at one time; what is left out is unknown.",
        "type": "object",
        "additionalProperties": False,
        "required": ["age", "sex"],
        "properties": {
            "age": {"oneOf": [{"type": "number", "minimum": 0, "maximum": 120}, {"const": "unknown"}]},
            "sex": {"enum": ["male", "female", "unknown"]},
            "id": {"type": ["string", "integer", "null"]},
            "setting": {"enum": [*get_args(Setting), "unknown", None]},
            "answers": {
                "type": ["object", "null"],
                "additionalProperties": False,
                "properties": {f.id: _with_origin(_answer(f), f) for f in knowledge.findings.values()},
            },
            "expected": {"description": "for evaluation; not read by assess"},
            "note": {},
            "source": {},
        },
    }


def _with_origin(plain: dict[str, Any], finding: Finding) -> dict[str, Any]:
    wrapped = {
        "type": "object",
        "required": ["value", "from"],
        "additionalProperties": False,
        "properties": {"value": plain, "from": {"enum": list(get_args(Origin))}},
    }
    return {"description": finding.question, "anyOf": [plain, wrapped]}


_UNKNOWN: dict[str, Any] = {"enum": ["unknown", None]}
_TRUTH: dict[str, Any] = {"enum": [True, False, "yes", "no", "unknown", None]}


def _answer(finding: Finding) -> dict[str, Any]:
    names = [*finding.values, *finding.coarse]
    match finding.type:
        case "boolean":
            return _TRUTH
        case "choice":
            return {"anyOf": [{"enum": names}, {"type": "array", "minItems": 1, "items": {"enum": names}}, _UNKNOWN]}
        case "multi":
            by_option = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(names, _TRUTH)}
            return {"anyOf": [{"enum": names}, {"type": "array", "items": {"enum": names}}, by_option, _UNKNOWN]}
        case "number":
            return _number(finding)


def _number(finding: Finding) -> dict[str, Any]:
    assert finding.range is not None
    plain = {"type": "number", "minimum": finding.range[0], "maximum": finding.range[1]}
    amount = {"anyOf": [plain, {"type": "string"}]}
    span = {"type": "object", "required": ["min", "max"], "additionalProperties": False, "properties": {"min": amount, "max": amount}}
    unit = {
        "type": "object",
        "required": ["value", "unit"],
        "additionalProperties": False,
        "properties": {"value": {"type": "number"}, "unit": {"enum": [finding.unit, *finding.units]}},
    }
    return {"anyOf": [plain, span, unit, {"type": "string"}, {"type": "null"}]}
