"""Words of the interview in a terminal: how a question is shown and what typed text means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Finding

DONT_KNOW = ("d", "don't know", "dont know", "unknown")


@dataclass(frozen=True)
class Prompt:
    """One screen: the question, help, options to number, how to answer, and why it is asked.

    The last `vague` of the options are part-answers for who is not sure which one it is."""

    question: str
    help: str | None
    options: tuple[tuple[Any, str], ...]
    how: str
    why: str
    vague: int = 0


ABOUT: Mapping[str, Prompt] = {
    "age": Prompt(
        "How old are you?",
        None,
        (),
        "Type your age in years, or d for 'I'd rather not say'.",
        "Which causes are likely changes a lot with age.",
    ),
    "sex": Prompt(
        "What sex were you assigned at birth?",
        None,
        (("male", "male"), ("female", "female")),
        "Type the number, or d for 'other' or 'I'd rather not say'.",
        "Some causes are more common in men or in women, and some questions make sense only for one.",
    ),
    "lower_leg": Prompt(
        "Is your trouble in the calf or lower leg, between the knee and the foot?",
        None,
        (),
        "Type y (yes) or n (no).",
        "Soleus is made for this one complaint and knows little of others.",
    ),
}


def offer_prompt(questions: int) -> Prompt:
    """The offer to check what may be suggested."""
    return Prompt(
        "Shall we check which exercises, home measures and painkillers are safe for you?",
        f"We suggest them only when we know that nothing speaks against them. It takes about {questions} short questions.",
        (),
        "Type y (yes) or n (no). With n you get your result now.",
        "Some painkillers are dangerous with certain illnesses, and some exercises harm a leg that gets too little blood.",
    )


def finding_prompt(finding: Finding) -> Prompt:
    """The screen for one finding."""
    options: list[tuple[Any, str]] = list(finding.values.items())
    if finding.type != "number":
        options += [(name, finding.coarse_labels.get(name, name.replace("_", " "))) for name in finding.coarse]
    vague = len(options) - len(finding.values)
    return Prompt(finding.question, finding.help, tuple(options), _how(finding), finding.why, max(vague, 0))


def _how(finding: Finding) -> str:
    match finding.type:
        case "boolean":
            return "Type y (yes), n (no) or d (don't know)."
        case "choice":
            return "Type one number; two or more if it could be any of them; d for don't know."
        case "multi":
            return "Type every number that fits, such as 1 3. Those you leave out count as no; add d if you are not sure of them (1 3 d)."
        case "number":
            units = " or ".join([finding.unit or "", *finding.units])
            more = "; or height and weight, such as 170 cm 75 kg, or 5 ft 7 in 165 lb" if finding.unit == "kg/m2" else ""
            words = f", or a word: {', '.join(finding.coarse)}" if finding.coarse else ""
            return f"Type a number ({units}){more}{words}; d for don't know."


def danger_prompt(knowledge: Knowledge) -> Prompt:
    """The one screen of danger signs."""
    return Prompt(
        "Is any of these true for you, now or since this began?",
        "Please read the whole list.",
        tuple((sign, knowledge.findings[sign].question) for sign in knowledge.danger_signs),
        "Type every number that is true, such as 2 5, or none. Not sure of one: 5?. Not sure of the rest: add d.",
        "These can be signs of an emergency. We always ask about them first.",
    )


def parse_reply(text: str, finding: Finding) -> Any:
    """The raw answer that typed text means for a finding. Raises ValueError with what is allowed."""
    text = text.strip()
    if text.lower() in DONT_KNOW:
        return "unknown"
    match finding.type:
        case "boolean":
            return parse_yes_no(text)
        case "number":
            return text
        case "choice":
            return [_pick(p, finding_prompt(finding)) for p in _parts(text)] or _nothing()
        case "multi":
            return _ticks(text, finding)


def parse_yes_no(text: str) -> bool:
    answer = text.strip().lower()
    if answer in ("y", "yes"):
        return True
    if answer in ("n", "no"):
        return False
    raise ValueError(f"got {text!r}; allowed: y, n" if text else "nothing was typed; allowed: y, n")


def _nothing() -> Any:
    raise ValueError("nothing was typed; type d if you don't know")


def _pick(part: str, prompt: Prompt) -> Any:
    if part.isdigit() and 1 <= int(part) <= len(prompt.options):
        return prompt.options[int(part) - 1][0]
    raise ValueError(f"got {part!r}; allowed: numbers from 1 to {len(prompt.options)}, or d")


def _parts(text: str) -> list[str]:
    """Typed words, with a span such as 2-4 written out."""
    parts: list[str] = []
    for part in text.lower().replace(",", " ").split():
        low, dash, high = part.partition("-")
        if dash and low.isdigit() and high.isdigit() and int(low) <= int(high) < 1000:
            parts += [str(n) for n in range(int(low), int(high) + 1)]
        else:
            parts.append(part)
    return parts


def _ticks(text: str, finding: Finding) -> Any:
    """Yes for what is ticked; no for the rest, unless 'd' is among them."""
    parts = _parts(text)
    unsure = any(p in DONT_KNOW for p in parts)
    prompt = finding_prompt(finding)
    ticked = [_pick(p, prompt) for p in parts if p not in DONT_KNOW] or _nothing()
    if ticked == [finding.none_value]:
        return ticked
    said = dict.fromkeys(ticked, True)
    if not unsure:
        covered = {str(m) for name in ticked if name in finding.coarse for m in finding.coarse[name]}
        said |= {o: False for o in finding.options if o not in said and o not in covered}
    return said


def parse_danger(text: str, prompt: Prompt) -> dict[str, bool | str]:
    """Typed text on the danger screen to yes, no or unknown for each sign. Raises ValueError."""
    parts = ["??" if part in DONT_KNOW else part for part in _parts(text)]
    if not parts:
        raise ValueError("nothing was typed; type none if none of these is true")
    rest: bool | str = "unknown" if "??" in parts else False
    said: dict[str, bool | str] = {sign: rest for sign, _ in prompt.options}
    numbers = [p for p in parts if p not in ("none", "??")]
    if "none" in parts and numbers:
        raise ValueError("got 'none' together with numbers; type one or the other")
    for part in numbers:
        sure = not part.endswith("?")
        said[_pick_sign(part.rstrip("?"), prompt)] = True if sure else "unknown"
    return said


def _pick_sign(part: str, prompt: Prompt) -> str:
    if part.isdigit() and 1 <= int(part) <= len(prompt.options):
        return str(prompt.options[int(part) - 1][0])
    raise ValueError(f"got {part!r}; allowed: numbers from 1 to {len(prompt.options)}, none, or d for not sure")
