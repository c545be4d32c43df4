"""What a knowledge file may say. Pydantic models are the schema; they export JSON Schema.

Every number is an `Estimate`: it names a source, or says `judgement` with a weight (the size of the
sample it should count as). Every lay statement names its sources, or says it is a judgement.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


class Urgency(IntEnum):
    """How soon to be seen, from least to most urgent; the order is the meaning."""

    self_care = 0
    routine = 1
    within_days = 2
    same_day = 3
    emergency_now = 4
    call_ambulance = 5


def _urgency(value: object) -> object:
    if isinstance(value, str):
        if value not in Urgency.__members__:
            raise ValueError(f"allowed: {', '.join(Urgency.__members__)}")
        return Urgency[value]
    return value


UrgencyName = Annotated[
    Urgency,
    BeforeValidator(_urgency, json_schema_input_type=Literal[tuple(Urgency.__members__)]),
]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SourceId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Probability = Annotated[float, Field(ge=0, le=1)]
When = Any  # an expression as written (str, mapping); parsed against the definitions when knowledge is loaded
Act = Literal[
    "raise_leg",
    "level_leg",
    "lower_leg",
    "warm",
    "cool",
    "compress",
    "loosen",
    "rub",
    "stretch",
    "exercise",
    "walk",
    "stand",
    "nsaid",
    "plain_painkiller",
]
"""What advice can tell a person to do with the leg; advice that forbids an act is never given together with advice to do it."""
EvidenceStrength = Literal["high", "moderate", "low", "very_low"]
Setting = Literal["at_home", "primary_care", "emergency_department", "sports_clinic", "vascular_clinic"]
Sex = Literal["male", "female"]
AGE_BANDS = ("0-29", "30-49", "50-64", "65-74", "75-120")


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _distribution(value: float | dict[str, float]) -> float | dict[str, float]:
    shares = value.values() if isinstance(value, dict) else [value]
    for share in shares:
        if not 0 <= share <= 1:
            raise ValueError(f"share {share} is outside 0 to 1")
    return value


class Basis(Strict):
    """Where a number or statement comes from: `source` (one or more ids), or `judgement`."""

    source: SourceId | tuple[SourceId, ...] | None = None
    basis: Literal["judgement"] | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _has_a_basis(self) -> Self:
        if (self.source is None) == (self.basis is None):
            raise ValueError("needs exactly one of 'source: ID' or 'basis: judgement'")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source


class Number(Basis):
    """A number with its basis. `n` is the sample it was seen in, `ci95` its interval; `weight` is the
    sample size that a judgement, or a source without n and interval, should count as."""

    n: Annotated[int, Field(gt=0)] | None = None
    ci95: tuple[float, float] | None = None
    weight: Annotated[float, Field(gt=0)] | None = None
    fact: str | None = Field(None, description="id of the fact in the evidence collection it was read from")

    @model_validator(mode="after")
    def _has_a_weight(self) -> Self:
        if self.basis and self.weight is None:
            raise ValueError("a judgement needs 'weight: N', the sample size it should count as")
        if self.source and self.n is None and self.ci95 is None and self.weight is None:
            raise ValueError("a sourced number needs 'n', 'ci95' or 'weight'")
        if self.ci95 and self.ci95[0] > self.ci95[1]:
            raise ValueError(f"ci95 {list(self.ci95)} is upside down")
        return self


class Estimate(Number):
    """A share (yes/no finding, one option) or a distribution (choice, bins) or shares by option (several choices)."""

    value: Annotated[float | dict[str, float], AfterValidator(_distribution)]


class OddsRatio(Number):
    odds_ratio: Annotated[float, Field(gt=0)]


class Statement(Basis):
    """A sentence or paragraph in our own words."""

    text: Annotated[str, Field(min_length=3)]


class Name(Strict):
    lay: str
    clinical: str


class Review(Strict):
    """Sign-off. `compiled` means: put together from the named sources, not yet reviewed by a clinician."""

    status: Literal["compiled", "reviewed"] = "compiled"
    checked: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    by: str | None = Field(None, description="who signed; needed when reviewed")
    role: str | None = Field(None, description="in which role, such as 'vascular surgeon'; needed when reviewed")
    version: str | None = Field(None, description="the knowledge version that was read, from 'soleus kb version'; needed when reviewed")

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.status == "reviewed" and not (self.by and self.role and self.version):
            raise ValueError("status: reviewed needs 'by', 'role' and 'version'")
        return self


# -- sources ---------------------------------------------------------------------------------------


class Source(Strict):
    id: SourceId
    title: str
    authors: str | None = None
    journal: str | None = None
    year: int | None = None
    doi: str | None = None
    pmid: str | None = None
    url: str | None = None
    kind: str
    seen: Literal["abstract", "full_text", "secondary"] = Field(description="how much of it was read; secondary: quoted in another work")
    standing: Literal["good", "stale", "retracted"] = Field(
        "good", description="stale: a newer work replaces it; retracted: nothing may rest on it"
    )
    standing_note: str | None = Field(None, description="what replaces it, or who retracted it and when")

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if not (self.doi or self.pmid or self.url):
            raise ValueError("needs a doi, a pmid or a url, so that a reader can find it")
        if (self.standing == "good") != (self.standing_note is None):
            raise ValueError("a source that is stale or retracted needs a 'standing_note', and only such a one has it")
        return self


# -- findings --------------------------------------------------------------------------------------


class Unit(Strict):
    """Another unit that is accepted: canonical = value * scale + offset."""

    scale: float
    offset: float = 0.0


class Varies(Basis):
    """How the background of a risk finding goes with age and sex: relative shares of a value or option (of 'yes' for a yes/no finding), by
    age band from youngest to oldest, and by sex. Only their ratios count; their mean over all who ask is the background."""

    age: dict[str, tuple[float, float, float, float, float]] = Field(default_factory=dict)
    sex: dict[str, dict[Sex, Annotated[float, Field(ge=0)]]] = Field(default_factory=dict)


class Finding(Strict):
    """Anything that can be observed and recorded."""

    id: Id
    kind: Literal["pain_feature", "symptom", "history", "risk", "sign", "test"]
    by: Literal["person", "clinician", "test"]
    type: Literal["boolean", "choice", "multi", "number"]
    name: str = Field(description="short noun phrase for lists and reasons: 'pain eases when you stand still'")
    question: str
    help: str | None = None
    why: str = Field(description="why it is asked, to the person")
    danger_sign: bool = False
    picture: Literal["leg"] | None = Field(None, description="a drawing on which one can point at the options")
    values: dict[str, str] = Field(default_factory=dict, description="value id to lay label, in the order shown")
    none_value: str | None = Field(None, description="the value of a multi that means: none of these")
    coarse: dict[str, tuple[str, ...] | tuple[float, float]] = Field(
        default_factory=dict, description="part-answers: a name for a set of values still possible (numbers: a range)"
    )
    coarse_labels: dict[str, str] = Field(default_factory=dict)
    unit: str | None = None
    units: dict[str, Unit] = Field(default_factory=dict, description="other units that are accepted")
    range: tuple[float, float] | None = Field(None, description="what is possible for a number")
    bins: tuple[float, ...] = Field((), description="cut points by which the model reads a number")
    depends_on: Literal["cause", "present", "risk", "nothing"] = Field(
        description="cause: the pain's one cause; present: any condition that is present (noisy-OR); "
        "risk: moves the prior; nothing: not part of the model (medicine safety)"
    )
    order: tuple[str, ...] = Field((), description="for a choice that depends on what is present: from least to most; the most shows")
    ask_if: When | None = Field(None, description="asked only if this is not false")
    burden: Annotated[float, Field(ge=0)] = 1.0
    background: Estimate | None = None
    varies: Varies | None = Field(None, description="for a risk finding: how its background goes with age and sex")

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type in ("choice", "multi") and len(self.values) < 2:
            raise ValueError(f"a {self.type} needs at least two values")
        if self.type in ("boolean", "number") and self.values:
            raise ValueError(f"a {self.type} has no values")
        if self.type == "number" and (self.unit is None or self.range is None):
            raise ValueError("a number needs a unit and a range")
        if self.type == "number" and self.depends_on != "nothing" and not self.bins:
            raise ValueError("a number in the model needs bins")
        if self.danger_sign and self.type != "boolean":
            raise ValueError("a danger sign is a yes/no finding")
        if self.none_value is not None and self.none_value not in self.values:
            raise ValueError(f"none_value {self.none_value!r} is not among the values")
        if self.varies and (self.depends_on != "risk" or not {*self.varies.age, *self.varies.sex} <= {"yes", *self.values, *self.states}):
            raise ValueError("varies: only for a risk finding, and only for its values or options ('yes' for a yes/no finding)")
        if self.order and set(self.order) != set(self.values):
            raise ValueError("order must list every value once")
        for name, members in self.coarse.items():
            if self.type != "number" and not set(members) <= set(self.values):
                raise ValueError(f"coarse answer {name!r} names values that do not exist")
        return self

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Options of a several-choices finding that are facts of their own (without 'none')."""
        return tuple(v for v in self.values if v != self.none_value)

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The mutually exclusive states the model gives it (for a multi: of each option)."""
        if self.type == "choice":
            return self.order or tuple(self.values)
        if self.type == "number":
            edges = ["", *(f"{b:g}" for b in self.bins), ""]
            return tuple(f"<{hi}" if not lo else f">={lo}" if not hi else f"{lo}-{hi}" for lo, hi in pairwise(edges))
        return ("no", "yes")


# -- conditions ------------------------------------------------------------------------------------


class Prior(Strict):
    """Share of people with a calf or lower-leg complaint for whom it is the presenting cause.

    `by_setting`: before age and sex; `age` and `sex` multiply it (relative to all who consult)."""

    by_setting: dict[Setting, Annotated[float, Field(gt=0, lt=1)]]
    age: dict[Literal["0-29", "30-49", "50-64", "65-74", "75-120"], Annotated[float, Field(ge=0)]]
    sex: dict[Sex, Annotated[float, Field(ge=0)]]
    basis: Literal["judgement"] | None = None
    source: SourceId | None = None
    weight: Annotated[float, Field(gt=0)]
    note: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.source is None) == (self.basis is None):
            raise ValueError("needs exactly one of 'source: ID' or 'basis: judgement'")
        if set(self.age) != set(AGE_BANDS) or set(self.sex) != {"male", "female"}:
            raise ValueError(f"age needs the bands {', '.join(AGE_BANDS)}; sex needs male and female")
        if "primary_care" not in self.by_setting:
            raise ValueError("by_setting needs at least primary_care")
        return self


class Prevalence(Number):
    """Share of people of this age and sex who have it, whether or not it causes this pain."""

    age: tuple[int, int]
    sex: Literal["male", "female", "any"] = "any"
    value: Probability


class Course(Statement):
    better_within_days: int | None = Field(None, description="if not clearly better by then: see a clinician")


class Avoidance(Statement):
    forbids: tuple[Act, ...] = ()


class WhenToSeekCare(Statement):
    urgency: UrgencyName


class Condition(Strict):
    id: Id
    name: Name
    group: Id
    aliases: tuple[Id, ...] = ()
    must_not_miss: bool
    urgency: UrgencyName = Field(description="how soon a person should be seen when this is the cause")
    urgency_basis: Statement
    rule_out_above: Probability | None = Field(None, description="probability above which it must be ruled out; needed for must_not_miss")
    complete: bool = Field(False, description="every part is filled in; checked")
    review: Review
    codes: dict[Literal["icd10cm", "snomed"], tuple[str, ...]] = Field(default_factory=dict)
    what: Statement
    in_the_leg: Statement | None = Field(None, description="what happens in the leg when walking")
    course: Course | None = None
    prior: Prior
    prevalence: tuple[Prevalence, ...] = Field((), description="given only where it is common or silent enough to be present besides")
    risk: dict[str, OddsRatio] = Field(default_factory=dict, description="'finding' or 'finding.value' to odds ratio")
    findings: dict[str, Estimate] = Field(default_factory=dict, description="'finding' or 'finding.option' to its share")
    self_care: tuple[Id, ...] = ()
    avoid: tuple[Avoidance, ...] = ()
    treatments: tuple[Id, ...] = ()
    tests: tuple[Id, ...] = ()
    seek_care: tuple[WhenToSeekCare, ...] = ()

    @model_validator(mode="after")
    def _complete_means_complete(self) -> Self:
        if self.must_not_miss and self.rule_out_above is None:
            raise ValueError("must_not_miss needs 'rule_out_above'")
        parts = ("in_the_leg", "course", "codes", "self_care", "treatments", "tests", "seek_care", "findings")
        missing = [part for part in parts if not getattr(self, part)]
        if self.complete and missing:
            raise ValueError(f"complete: true, but these parts are empty: {', '.join(missing)}")
        return self


# -- patterns --------------------------------------------------------------------------------------


class Archetype(Strict):
    """One way a group of findings hangs together, described by conditions that show it purely."""

    id: Id
    what: str
    like: tuple[Id, ...]


class Pattern(Strict):
    """A latent pattern: findings that tell one fact several times are independent only given it."""

    id: Id
    what: str
    why: str
    depends_on: Literal["cause", "present"]
    findings: tuple[str, ...] = Field(description="'finding' or 'finding.option'; a bare multi means all its options")
    archetypes: tuple[Archetype, ...] = Field(description="for depends_on present: from least to most; the most shows")


# -- rules -----------------------------------------------------------------------------------------


class Rule(Basis):
    """If `when` holds the person must be seen at least this soon."""

    id: Id
    urgency: UrgencyName
    guards: tuple[Id, ...] = Field((), description="dangerous conditions that must be ruled out when it fires, however unlikely")
    when: When
    reason: str = Field(description="to the person: why this matters; a full sentence")
    action: str | None = Field(None, description="what to do in the meantime, if more than the level's own advice")
    does: tuple[Act, ...] = Field((), description="what the action tells the person to do")
    forbids: tuple[Act, ...] = Field((), description="what the action tells the person not to do")
    symptom: str | None = Field(None, description="how it reads in 'seek care sooner if ...'")


class Definition(Strict):
    """A named expression, used as '@id'."""

    id: Id
    what: str
    when: When


class Level(Strict):
    """What a level of urgency tells the person."""

    id: UrgencyName
    name: str
    headline: str
    do: str
    seek: str = Field(description="how it reads at the end of 'if this happens: ...'")
    basis: Literal["judgement"]


# -- care ------------------------------------------------------------------------------------------


class NotIf(Basis):
    """A contraindication: `when` must be answered and false before the action is suggested."""

    when: When
    because: str = Field(description="to the person: not for you, because ...")
    ask: Id | None = Field(None, description="finding to ask when it is unknown")


class Effect(Basis):
    strength: EvidenceStrength
    text: str = Field(description="what it achieves, for whom, in plain words")


class Care(Strict):
    """Something to do: at home, in treatment, or a test."""

    id: Id
    kind: Literal["self_care", "exercise", "medicine", "treatment", "test"]
    step: Literal["home", "lifestyle", "physical_therapy", "medicine", "procedure", "test"]
    name: Name
    what: str = Field(description="one plain sentence")
    steps: tuple[str, ...] = ()
    dose: str | None = None
    maximum: str | None = None
    duration: str | None = None
    effect: Effect
    not_if: tuple[NotIf, ...] = ()
    does: tuple[Act, ...] = Field((), description="what it makes the person do, as far as other advice may forbid it")
    forbids: tuple[Act, ...] = Field((), description="what the person must not do together with it")
    cautions: tuple[str, ...] = ()
    finding: Id | None = Field(None, description="test: the finding it answers")
    burden: Literal["low", "medium", "high"] | None = Field(None, description="test: cost, time and discomfort")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "medicine" and not (self.dose and self.maximum and self.duration and self.not_if):
            raise ValueError("a medicine needs dose, maximum, duration and not_if")
        if (self.kind in ("self_care", "exercise")) and not self.steps:
            raise ValueError(f"{self.kind} needs steps")
        return self


# -- hazards ---------------------------------------------------------------------------------------


Severity = Literal["minor", "significant", "considerable", "major", "catastrophic"]
Likelihood = Literal["very_low", "low", "medium", "high", "very_high"]
RISK_MATRIX: dict[str, tuple[int, int, int, int, int]] = {
    "very_high": (3, 4, 4, 5, 5),
    "high": (2, 3, 3, 4, 5),
    "medium": (2, 2, 3, 3, 4),
    "low": (1, 2, 2, 3, 4),
    "very_low": (1, 1, 2, 2, 3),
}
"""Risk 1 to 5 by likelihood and severity, as in DCB0129; 4 and 5 are unacceptable, 3 only where it cannot be lowered further."""


class Risk(Strict):
    severity: Severity
    likelihood: Likelihood

    @property
    def level(self) -> int:
        """1 (lowest) to 5."""
        return RISK_MATRIX[self.likelihood][("minor", "significant", "considerable", "major", "catastrophic").index(self.severity)]


class Situation(Strict):
    """Answers with which harm is near: whoever gives them ends at least at `urgency`, whatever else is answered or left out.
    Proven over the whole answer space."""

    id: Id
    what: str = Field(description="the situation, in one plain sentence")
    when: When
    urgency: UrgencyName
    textbook_of: tuple[Id, ...] = Field((), description="conditions that must not be missed of which this is a textbook presentation")


class Never(Strict):
    """Advice to do this is given only to whom `when` is known not to apply. Proven over the whole answer space."""

    does: Act
    when: When
    why: str


class Control(Strict):
    """What holds a hazard down, and what shows that it works."""

    kind: Literal["rule", "proof", "test", "design"]
    id: str = Field(description="rule id; proof name; 'tests/file.py::test_name'; or, for design, 'docs/decisions/file.md'")
    how: str


class Hazard(Strict):
    """One way in which this product can harm, as DCB0129 and ISO 14971 ask for it."""

    id: Id
    name: str
    kind: Literal["clinical", "software"]
    causes: tuple[str, ...]
    harm: str
    before: Risk = Field(description="without controls")
    after: Risk = Field(description="with controls")
    guards: tuple[Id, ...] = Field((), description="dangerous conditions it is about")
    situations: tuple[Situation, ...] = ()
    never: tuple[Never, ...] = ()
    controls: tuple[Control, ...] = Field(min_length=1)
    residual: str = Field(description="what is left of the risk, and who has to accept it")

    @model_validator(mode="after")
    def _controls_help(self) -> Self:
        if self.after.level > self.before.level:
            raise ValueError("the risk with controls is above the risk without")
        return self


# -- settings --------------------------------------------------------------------------------------


class Losses(Strict):
    """What a wrong urgency costs, per level of difference, and what makes a question worth asking."""

    under: Annotated[float, Field(gt=0)]
    under_growth: Annotated[float, Field(ge=1)]
    over: Annotated[float, Field(gt=0)]
    precaution: Probability = Field(description="share of the cost of being too late that counts when a rule, not a cause, asks for more")
    naming: Annotated[float, Field(ge=0)]
    question: Annotated[float, Field(gt=0)]
    unknown: Annotated[float, Field(ge=0)] = Field(description="how much dearer a question gets with each answer that was not known")
    basis: Literal["judgement"]
    why: str


class Settings(Strict):
    """Numbers of the method itself."""

    setting_weights: dict[Setting, Probability] = Field(description="mix of settings for a case that names none")
    consulter_age: dict[Literal["0-29", "30-49", "50-64", "65-74", "75-120"], Probability]
    losses: Losses
    most_present: Annotated[int, Field(ge=1, le=4)] = Field(description="largest set of other conditions present that is enumerated")
    most_questions: Annotated[int, Field(ge=1)]
    risk_overlap: Probability = Field(description="power of risk factors' ratios on conditions present besides; 1: as if independent")
    atypical: Probability = Field(description="share of every condition's cases that may follow any pattern")
    judgement_spread: Annotated[float, Field(gt=0)] = Field(description="widest spread of a judged share, on the log scale")
    core_questions: tuple[Id, ...] = Field(description="asked first of everybody without an emergency: the story itself")
    minimum_age: int
    words: tuple[tuple[Probability, str], ...] = Field(description="lower bound of a probability and the words for it, falling")
    basis: Literal["judgement"]
    why: str
