"""From what a browser sends to the raw answer that the interview takes, and back to what is ticked in a form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from soleus.interview.session import Step
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding

UNKNOWN = "unknown"
NONE_TRUE = "none_true"


class Form(Protocol):
    """Submitted fields: each name with one value or several."""

    def get(self, name: str, default: str = "") -> Any: ...
    def getlist(self, name: str) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field, in words for the person: `field` is the id of the input to go to."""

    field: str
    text: str


class FormError(ValueError):
    """A form that cannot be taken as it is."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.fault = Fault(field, text)


def raw_answer(step: Step, form: Form, knowledge: Knowledge) -> Any:
    """The raw answer of a step. Raises FormError where nothing was chosen or typed."""
    if step.id == "age":
        return _age(form)
    if step.kind == "danger_signs":
        return _signs(form, knowledge)
    if step.kind == "offer" or step.id == "lower_leg":
        return _yes_no(form)
    if step.id == "sex":
        return _one(form)
    return _finding(form, knowledge.findings[step.id])


def typed(form: Form, name: str) -> str:
    """What was typed or chosen in a field; empty where it was not sent, or is a file."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def several(form: Form, name: str) -> list[str]:
    """What was ticked under one name, each once."""
    return list(dict.fromkeys(v for v in form.getlist(name) if isinstance(v, str)))


def first_field(step: Step, knowledge: Knowledge) -> str:
    """The id of the field of a step that comes first."""
    finding = knowledge.findings.get(step.id)
    if step.kind == "danger_signs":
        return knowledge.danger_signs[0]
    if step.id == "age" or (finding and finding.type == "number"):
        return "value"
    return "answer-male" if step.id == "sex" else f"answer-{first_value(finding) if finding else 'yes'}"


def _age(form: Form) -> Any:
    text = typed(form, "value")
    if form.get("unsure"):
        return _unknown_unless(text, "I'd rather not say")
    if not text:
        raise FormError("value", "Type your age in years, or choose “I'd rather not say”.")
    if not text.isdecimal() or len(text) > 3 or int(text) > 120:
        raise FormError("value", "Your age must be a whole number from 0 to 120, such as 54.")
    return int(text)


def _unknown_unless(text: str, label: str) -> str:
    """Unknown; never in place of something that was typed."""
    if text:
        raise FormError("unsure-yes", f"You typed something and chose “{label}”. Use one or the other.")
    return UNKNOWN


def _signs(form: Form, knowledge: Knowledge) -> dict[str, Any]:
    """None true by the button; one that was chosen otherwise is never overruled by it."""
    chosen = {sign: typed(form, sign) for sign in knowledge.danger_signs}
    if form.get(NONE_TRUE):
        if other := next((sign for sign, said in chosen.items() if said not in ("", "no")), None):
            raise FormError(other, "You chose “None of these is true” and something else. Check the list, then use “Go on”.")
        return dict.fromkeys(knowledge.danger_signs, False)
    if not any(chosen.values()):
        raise FormError(knowledge.danger_signs[0], "Answer the list, or use the button “None of these is true”.")
    words = {"yes": True, "no": False}
    return {sign: words.get(said, UNKNOWN) for sign, said in chosen.items()}


def _yes_no(form: Form) -> bool:
    answer = typed(form, "answer")
    if answer not in ("yes", "no"):
        raise FormError("answer-yes", "Choose yes or no.")
    return answer == "yes"


def _one(form: Form) -> str:
    answer = typed(form, "answer")
    if not answer:
        raise FormError("answer-male", "Choose one answer.")
    return answer


def _finding(form: Form, finding: Finding) -> Any:
    match finding.type:
        case "number":
            return _number(form, finding)
        case "multi":
            return _several(form, finding)
    answer = typed(form, "answer")
    if not answer:
        raise FormError(f"answer-{first_value(finding)}", "Choose one answer. If you are not sure, choose “I don't know”.")
    return {"yes": True, "no": False}.get(answer, answer) if finding.type == "boolean" else answer


def first_value(finding: Finding) -> str:
    """The value whose field comes first."""
    return "yes" if finding.type == "boolean" else next(iter(finding.values))


def _several(form: Form, finding: Finding) -> Any:
    """Ticked: yes; the rest: no, unless the person is not sure of it."""
    ticked = several(form, "answer")
    unsure = bool(form.get("unsure"))
    if not ticked:
        if unsure:
            return UNKNOWN
        raise FormError(f"answer-{first_value(finding)}", "Choose at least one answer. If none fits, choose the last one.")
    if finding.none_value in ticked:
        if len(ticked) > 1:
            none = finding.values[str(finding.none_value)]
            raise FormError(f"answer-{finding.none_value}", f"You chose “{none}” and something else. Choose one or the other.")
        return ticked
    said: dict[str, Any] = dict.fromkeys(ticked, True)
    if not unsure:
        covered = {str(m) for name in ticked if name in finding.coarse for m in finding.coarse[name]}
        said |= {o: False for o in finding.options if o not in said and o not in covered}
    return said


def _number(form: Form, finding: Finding) -> Any:
    value, unit, word = (typed(form, name) for name in ("value", "unit", "answer"))
    body = finding.unit == "kg/m2" and bool(typed(form, "height") or typed(form, "weight"))
    if form.get("unsure"):
        return _unknown_unless(value or word or ("body" if body else ""), "I don't know")
    if body and not value:
        return _body(form)
    if word and value and not _fits(value, finding.coarse.get(word, ())):
        raise FormError("value", "The number and the word do not go together. Empty the box, or choose the word that fits.")
    if not value and not word:
        raise FormError("value", "Type a number, or choose “I don't know”.")
    return f"{value} {unit}".strip() if value else word


def _fits(value: str, span: Sequence[Any]) -> bool:
    try:
        return float(span[0]) <= float(value.replace(",", ".")) <= float(span[1])
    except (ValueError, IndexError):
        return False


def _body(form: Form) -> str:
    """Height and weight in one system of units, as the case reader takes them."""
    height, inches, weight = (typed(form, name) for name in ("height", "inches", "weight"))
    if not height or not weight:
        raise FormError("height", "Type both your height and your weight.")
    if typed(form, "system") == "us":
        return f"{height} ft {inches or 0} in {weight} lb"
    return f"{height} cm {weight} kg"


# -- what stands in the form -----------------------------------------------------------------------


@dataclass(frozen=True)
class Filled:
    """What a form shows as chosen: `ticked` values, the text of a number with its unit, height and weight in `body`, and whether the
    rest is unsure."""

    ticked: frozenset[str] = frozenset()
    signs: Mapping[str, str] | None = None
    value: str = ""
    unsure: bool = False
    unit: str = ""
    body: Mapping[str, str] = field(default_factory=dict)


def from_answer(step: Step, raw: Any) -> Filled:
    """The form as it was filled in for this stored answer."""
    if raw is None:
        return Filled()
    if step.kind == "danger_signs":
        words = {True: "yes", False: "no"}
        return Filled(signs={sign: words.get(said, "unknown") if isinstance(said, bool) else "unknown" for sign, said in raw.items()})
    if raw == UNKNOWN:
        return Filled(frozenset({UNKNOWN}), unsure=True)
    if isinstance(raw, bool):
        return Filled(frozenset({"yes" if raw else "no"}))
    if isinstance(raw, Mapping):
        yes = frozenset(name for name, said in raw.items() if said is True)
        return Filled(yes, unsure=not any(said is False for said in raw.values()))
    if isinstance(raw, list):
        return Filled(frozenset(map(str, raw)))
    if isinstance(raw, int | float):
        return Filled(value=f"{raw:g}")
    if body := _AMERICAN.fullmatch(str(raw)) or _METRIC.fullmatch(str(raw)):
        system = "us" if body.re is _AMERICAN else "metric"
        return Filled(body={"system": system, **{name: text for name, text in body.groupdict().items() if text}})
    if number := _NUMBER.fullmatch(str(raw)):
        return Filled(value=number[1], unit=number[2] or "")
    return Filled(frozenset({str(raw)}))


_METRIC = re.compile(r"(?P<height>\S+) cm (?P<weight>\S+) kg")
_NUMBER = re.compile(r"([-+]?\d+(?:[.,]\d+)?) ?(\D.*)?")
_AMERICAN = re.compile(r"(?P<height>\S+) ft (?P<inches>\S+) in (?P<weight>\S+) lb")


def from_form(step: Step, form: Form) -> Filled:
    """The form as it was just sent, so that nothing typed is lost when there is a fault in it."""
    signs = None
    if step.kind == "danger_signs":
        signs = {name: typed(form, name) for name in step.findings if form.get(name)}
    body = {name: typed(form, name) for name in ("system", "height", "inches", "weight")}
    ticked = frozenset(several(form, "answer"))
    return Filled(ticked, signs, typed(form, "value"), bool(form.get("unsure")), typed(form, "unit"), body)
