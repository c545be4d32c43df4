"""The result of an assessment. Everything a user sees is a rendering of this.

The JSON form is versioned by `schema_version`; `Assessment.model_json_schema()` is its schema.
"""

from __future__ import annotations

from typing import Literal

from soleus.knowledge.schema import Strict

Level = Literal["call_ambulance", "emergency_now", "same_day", "within_days", "routine", "self_care"]
Support = Literal["strongly for", "for", "slightly for", "slightly against", "against", "strongly against"]


class Reason(Strict):
    """Why the urgency is what it is. `kind`: a safety rule, the risk of a dangerous cause, danger signs not answered, or two readings
    of the rules that do not agree."""

    kind: Literal["rule", "risk", "unanswered", "guard"]
    id: str
    urgency: Level
    text: str
    action: str | None = None
    sources: tuple[str, ...] = ()


class Evidence(Strict):
    """How much one answer moved one cause: `decibans` is the change of log-odds (10 decibans is a factor
    of ten) when the answer is withdrawn."""

    finding: str
    text: str
    decibans: float
    support: Support


class Cause(Strict):
    """One cause of the differential. `low` to `high`: 95% credible interval of the probability, from how unsure the
    numbers behind it are."""

    condition: str
    name: str
    clinical_name: str
    probability: float
    low: float
    high: float
    in_words: str
    frequency: str
    what: str
    in_the_leg: str | None
    evidence: tuple[Evidence, ...]


class Undecided(Strict):
    """Leading causes that no question left can tell apart, and the examinations or tests that would, best first."""

    conditions: tuple[str, ...]
    names: tuple[str, ...]
    tests: tuple[str, ...]


class RuleOut(Strict):
    """A dangerous condition that must be ruled out: likelier than `above`, or guarded against by a rule that fired.

    `probability`: of being the cause, or, where a day counts, of being present at all.
    """

    condition: str
    name: str
    probability: float
    above: float | None
    tests: tuple[str, ...]


class Present(Strict):
    """A condition that may be present besides the cause; `low` to `high`: 95% credible interval."""

    condition: str
    name: str
    probability: float
    low: float
    high: float


class Action(Strict):
    """Something to do. `for_conditions`: names of the causes it is for."""

    id: str
    kind: str
    step: str
    name: str
    what: str
    steps: tuple[str, ...] = ()
    dose: str | None = None
    maximum: str | None = None
    duration: str | None = None
    effect: str
    strength: str
    cautions: tuple[str, ...] = ()
    for_conditions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class NotForYou(Strict):
    id: str
    name: str
    because: tuple[str, ...]


class AskFirst(Strict):
    """Not suggested because something is not known: the findings to ask."""

    id: str
    name: str
    ask: tuple[str, ...]


class SuggestedTest(Strict):
    """A test a clinician may do; `value` is what it is expected to lower the loss of a wrong decision by."""

    id: str
    name: str
    what: str
    value: float
    burden: str


class Avoid(Strict):
    text: str
    sources: tuple[str, ...] = ()


class Plan(Strict):
    now: tuple[Action, ...]
    not_for_you: tuple[NotForYou, ...]
    ask_first: tuple[AskFirst, ...]
    avoid: tuple[Avoid, ...]
    treatments: tuple[Action, ...]
    tests: tuple[SuggestedTest, ...]


class SeekCare(Strict):
    """When to seek care sooner. `findings`: new signs that the rules say would raise the urgency."""

    urgency: Level
    how: str
    texts: tuple[str, ...]


class DoubleCheck(Strict):
    """An answer which, if it were otherwise, would change the conclusion."""

    finding: str
    text: str
    would: str


class Robustness(Strict):
    """How many answers would have to be wrong for the rules to ask for another urgency. `fewest_too_high`: at least so many for it to be
    too high, and `rests_on` such a smallest set (none and empty where no rule asks for this urgency); `fewest_too_low`: so many for it
    to be too low, and `would_raise` the answers of which one is enough (none and empty where no single one is)."""

    fewest_too_high: int | None
    fewest_too_low: int | None
    rests_on: tuple[str, ...]
    would_raise: tuple[str, ...]


class SourceNote(Strict):
    id: str
    citation: str
    link: str
    seen: str


class Assessment(Strict):
    schema_version: Literal[1] = 1
    knowledge_version: str
    review: str
    id: str | None
    urgency: Level
    urgency_name: str
    headline: str
    do: str
    urgency_reasons: tuple[Reason, ...]
    differential: tuple[Cause, ...]
    undecided: Undecided | None
    must_rule_out: tuple[RuleOut, ...]
    present: tuple[Present, ...]
    plan: Plan
    if_not_better: str | None
    seek_care: tuple[SeekCare, ...]
    double_check: tuple[DoubleCheck, ...]
    robustness: Robustness
    unanswered_danger_signs: tuple[str, ...]
    left_out: float
    notes: tuple[str, ...]
    sources: tuple[SourceNote, ...]
