"""Published results that the model was not given, against what simulated people give.

A study file says who was studied, which scores were applied and what was found. People are drawn from
the model, the same selection and the same scores are applied to them, and the same figure is computed.
Nothing here is used to set a number of the model: a result whose figure is an input is marked `input` and not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from soleus.errors import InputError
from soleus.evaluation.columns import OF_PEOPLE, Columns, Score, edge_of, items_read
from soleus.evaluation.intervals import wilson
from soleus.inference.sample import AGE_BOUNDS, Who, draw
from soleus.knowledge.expression import Compare, Expression, Has, Is, Yes, findings_in, leaves, parse
from soleus.knowledge.load import Knowledge
from soleus.knowledge.numbers import numbers
from soleus.knowledge.read import read_yaml
from soleus.knowledge.schema import Id, Setting, Sex, Source, SourceId, Strict, When
from soleus.model.network import Network
from soleus.safety.columns import Bools

Predictive = Literal["positive_predictive_value", "negative_predictive_value"]
Ratio = Literal["lr_positive", "lr_negative", "odds_ratio"]
Measure = Literal["share", "sensitivity", "specificity"] | Predictive | Ratio
RATIOS = get_args(Ratio)


def _span(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"{list(value)} is upside down")
    return value


def _ages(value: tuple[float, float]) -> tuple[float, float]:
    if not AGE_BOUNDS[0] <= value[0] < value[1] <= AGE_BOUNDS[-1]:
        raise ValueError(f"ages {list(value)}: allowed: from {AGE_BOUNDS[0]:g} to {AGE_BOUNDS[-1]:g}, the first below the second")
    return value


Figures = dict[str, tuple[float, int]]
Span = Annotated[tuple[float, float], AfterValidator(_span)]


class Drawn(Strict):
    """Whom the study saw: `causes` are shares of presenting causes (default: the case mix of `setting`)."""

    setting: Setting | None = None
    causes: dict[Id, Annotated[float, Field(gt=0)]] | None = None
    age: Annotated[tuple[float, float], AfterValidator(_ages)] | None = None
    sex: Sex | None = None


class Result(Strict):
    """One published figure. `test` is what was looked at, `target` what it should tell, both within `among`;
    for a `share` it is the share of `target`. `n`: people in the denominator, from which an interval is made when
    none is published; `range`: lowest and highest of several studies."""

    id: Id
    text: str
    measure: Measure
    target: When
    test: When | None = None
    among: When | None = None
    value: Annotated[float, Field(ge=0)]
    ci95: Span | None = None
    n: Annotated[int, Field(gt=0)] | None = None
    range: Span | None = None
    fact: str | None = None
    source: SourceId | None = Field(None, description="when it differs from the study's")
    input: str | None = Field(None, description="which number of the model was set from this figure; absent: held out")
    why: str | None = Field(None, description="where they differ: the likely reason")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.test is None) != (self.measure == "share"):
            raise ValueError("a share has no 'test'; every other measure needs one")
        if self.ci95 is None and self.range is None and (self.n is None or self.measure in RATIOS):
            raise ValueError("needs 'ci95' or 'range', or, unless it is a ratio, 'n'")
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """The published interval, the range of studies, or Wilson's interval (1927) from n."""
        return self.ci95 or self.range or wilson(self.value, self.n or 1)


class Study(Strict):
    """A published study and its results."""

    id: Id
    source: SourceId
    design: Annotated[str, Field(min_length=20, description="who was studied, against which reference; and how it is imitated")]
    who: Drawn = Drawn()
    include: When | None = None
    definitions: dict[Id, When] = Field(default_factory=dict)
    scores: dict[Id, tuple[tuple[float, When], ...]] = Field(default_factory=dict)
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Compared:
    """A published figure beside the simulated one. `interval`: 95% of the figures that draws of the model's numbers
    give; `people`: simulated people in the denominator."""

    study: Study
    result: Result
    simulated: float
    interval: tuple[float, float]
    people: int

    @property
    def verdict(self) -> Literal["agrees", "overlaps", "differs"]:
        """`agrees`: the simulated figure lies in the published interval; `overlaps`: only the intervals meet."""
        low, high = self.result.interval
        if low <= self.simulated <= high:
            return "agrees"
        return "overlaps" if self.interval[0] <= high and low <= self.interval[1] else "differs"

    @property
    def held_out(self) -> bool:
        return self.result.input is None


# -- reading ---------------------------------------------------------------------------------------


def studies_folder() -> Path:
    """The studies that are bundled with the package."""
    return Path(str(resources.files("soleus"))) / "evaluation" / "studies"


def read_studies(knowledge: Knowledge, folder: Path | None = None) -> tuple[tuple[Study, ...], Mapping[str, Source]]:
    """Every study in a folder, and their sources. Raises InputError with every fault, by file and line."""
    folder = folder or studies_folder()
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    faults: list[str] = []
    sources = dict(knowledge.sources)
    if (folder / "sources.yaml").is_file():
        sources |= {s.id: s for s in _entries(folder / "sources.yaml", Source, faults)}
    studies: list[Study] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "sources.yaml":
            studies += _entries(path, Study, faults)
    for study in studies:
        faults += [f"{study.id}: {fault}" for fault in _faults(study, knowledge, sources)]
    faults += _doubles(studies)
    faults += _inputs_called_held_out(studies, knowledge)
    if faults:
        raise InputError(faults)
    if not studies:
        raise InputError(f"{folder}: no study files (*.yaml) here")
    return tuple(studies), sources


def _doubles(studies: Sequence[Study]) -> Iterator[str]:
    """The same id twice, or a figure of one fact in two studies: it would count twice."""
    ids = [r.id for s in studies for r in s.results]
    yield from (f"result {i!r} is given more than once" for i in sorted({i for i in ids if ids.count(i) > 1}))
    places: dict[tuple[str, str, float], set[str]] = {}
    for study in studies:
        for result in (r for r in study.results if r.fact):
            places.setdefault((str(result.fact), result.measure, result.value), set()).add(study.id)
    for (fact, measure, value), where in places.items():
        if len(where) > 1:
            yield f"fact {fact!r} ({measure} {value:g}) is compared in more than one study: {', '.join(sorted(where))}"


def _inputs_called_held_out(studies: Sequence[Study], knowledge: Knowledge) -> Iterator[str]:
    """Results said to be held out whose fact a number of the model was read from."""
    used = {placed.number.fact for placed in numbers(knowledge)}
    for result in (r for s in studies for r in s.results):
        if result.input is None and result.fact in used - {None}:
            yield f"{result.id}: a number of the model was read from fact {result.fact!r}: say which with 'input'"


def _entries(path: Path, model: type[Any], faults: list[str]) -> list[Any]:
    try:
        document = read_yaml(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: not UTF-8 text") from None
    if not isinstance(document.data, list):
        raise InputError(f"{path.name}: should be a list of entries, each with '- id:'")
    found = []
    for index, raw in enumerate(document.data):
        try:
            found.append(model.model_validate(raw))
        except ValidationError as error:
            for fault in error.errors():
                keys = tuple(k for k in fault["loc"] if isinstance(k, int | str))
                place = f"{path.name}, line {document.line((index, *keys))}: {'.'.join(map(str, keys))}"
                faults.append(f"{place}: {fault['msg'].removeprefix('Value error, ')}")
    return found


def _faults(study: Study, knowledge: Knowledge, sources: Mapping[str, Source]) -> Iterator[str]:
    for source in (study.source, *(r.source for r in study.results if r.source)):
        if source not in sources:
            yield f"no source {source!r} in the knowledge base or in sources.yaml"
    for cause in study.who.causes or ():
        if cause not in knowledge.conditions:
            yield f"who.causes: no condition {cause!r}"
    try:
        parsed = Parsed.of(study, knowledge)
    except ValueError as error:
        yield str(error)
        return
    for expression in parsed.expressions():
        for leaf in leaves(expression):
            yield from _leaf_faults(leaf, study, knowledge)


def _leaf_faults(leaf: Any, study: Study, knowledge: Knowledge) -> Iterator[str]:
    name = leaf.finding
    if name in OF_PEOPLE or name in study.scores:
        yield from _person_faults(leaf, "number" if name in ("age", *study.scores) else name, knowledge)
        return
    finding = knowledge.findings.get(name)
    if finding is None or finding.depends_on == "nothing":
        yield f"no finding {name!r} in the model{knowledge.suggest(name)}"
    elif isinstance(leaf, Compare):
        try:
            edge_of(finding, leaf.bound)
        except InputError as error:
            yield str(error)
    else:
        allowed = {Yes: ("boolean",), Is: ("choice",), Has: ("multi",)}.get(type(leaf), ())
        values = leaf.values if isinstance(leaf, Is) else leaf.options if isinstance(leaf, Has) else ()
        known = finding.options if finding.type == "multi" else finding.states
        if allowed and finding.type not in allowed:
            yield f"{name} is of type {finding.type}; it cannot be read this way"
        yield from (f"{name}: no value {v!r}; allowed: {', '.join(known)}" for v in values if v not in known)


_PERSON_LEAVES: Mapping[str, tuple[Any, str]] = {
    "number": (Compare, "a number to compare, such as '{} >= 65'"),
    "sex": (Is, "'{} is female' or '{} is male'"),
    "cause": (Is, "'{} is CONDITION' or '{} in [A, B]'"),
    "condition": (Has, "'{} has CONDITION'"),
}


def _person_faults(leaf: Any, kind: str, knowledge: Knowledge) -> Iterator[str]:
    """Faults of a leaf that reads age, sex, the cause, what is had at all, or a score."""
    allowed, words = _PERSON_LEAVES[kind]
    named = leaf.values if isinstance(leaf, Is) else leaf.options if isinstance(leaf, Has) else ()
    if not isinstance(leaf, allowed):
        yield f"{leaf.finding}: cannot be read this way; allowed: {words.format(leaf.finding, leaf.finding)}"
    elif kind == "sex":
        yield from (f"sex: no value {v!r}; allowed: female, male" for v in named if v not in ("female", "male"))
    elif kind != "number":
        yield from (f"{leaf.finding}: no condition {c!r}" for c in named if c not in knowledge.conditions)


# -- simulating ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parsed:
    """The expressions of a study as trees."""

    include: Expression | None
    scores: Mapping[str, Score]
    results: Mapping[str, tuple[Expression, Expression | None, Expression | None]]

    @classmethod
    def of(cls, study: Study, knowledge: Knowledge) -> Parsed:
        """Raises ValueError with the piece that is not understood."""
        definitions = {d.id: d.when for d in knowledge.definitions.values()} | dict(study.definitions)

        def tree(raw: object) -> Expression | None:
            return None if raw is None else parse(raw, definitions)

        return cls(
            tree(study.include),
            {name: tuple((points, parse(when, definitions)) for points, when in items) for name, items in study.scores.items()},
            {r.id: (parse(r.target, definitions), tree(r.test), tree(r.among)) for r in study.results},
        )

    def expressions(self) -> Iterator[Expression]:
        """Every tree of the study."""
        if self.include is not None:
            yield self.include
        for score in self.scores.values():
            yield from (when for _, when in score)
        for parts in self.results.values():
            yield from (part for part in parts if part is not None)


def compare(
    studies: Sequence[Study],
    knowledge: Knowledge,
    network: Network,
    drawn: Sequence[Network] = (),
    *,
    seed: int,
    people: int = 200_000,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Compared]:
    """Every result beside what `people` simulated people of `network` give; the intervals from an eighth as many of each of
    the `drawn` networks. `progress` is called with the number of the study that is done."""
    compared = []
    for number, study in enumerate(studies):
        parsed = Parsed.of(study, knowledge)

        sizes = [people, *(max(people // 8, 1) for _ in drawn)]
        rows = [
            _simulate(study, parsed, knowledge, other, size, np.random.default_rng([seed, number + 1, stream + 1]))
            for stream, (other, size) in enumerate(zip((network, *drawn), sizes, strict=True))
        ]
        for result in study.results:
            figures = [row[result.id] for row in rows]
            compared.append(Compared(study, result, figures[0][0], _interval([value for value, _ in figures[1:]]), figures[0][1]))
        progress(number + 1)
    return compared


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """From the least to the greatest of the figures that there are: with 39 draws, another lies inside with chance 38 / 40. NaN where
    there is none."""
    known = [v for v in values if np.isfinite(v)]
    return (min(known), max(known)) if known else (float("nan"), float("nan"))


def _simulate(study: Study, parsed: Parsed, knowledge: Knowledge, network: Network, n: int, rng: np.random.Generator) -> Figures:
    """Result id to the simulated figure and the people in its denominator."""
    items = items_read(knowledge, [f for e in parsed.expressions() for f in findings_in(e)])
    who = Who(study.who.setting, study.who.causes, study.who.age, study.who.sex)
    columns = Columns(draw(network, n, rng, who, items), knowledge, parsed.scores)
    included = np.ones(n, dtype=bool) if parsed.include is None else columns.holds(parsed.include)
    figures = {}
    for result in study.results:
        target, test, among = parsed.results[result.id]
        rows = included if among is None else included & columns.holds(among)
        figures[result.id] = figure(result.measure, columns.holds(target)[rows], None if test is None else columns.holds(test)[rows])
    return figures


def figure(measure: Measure, target: Bools, test: Bools | None) -> tuple[float, int]:
    """The figure and the people in its denominator; NaN where there is nobody."""
    if test is None:
        return _share(target), len(target)
    match measure:
        case "sensitivity":
            return _share(test[target]), int(target.sum())
        case "specificity":
            return _share(~test[~target]), int((~target).sum())
        case "positive_predictive_value":
            return _share(target[test]), int(test.sum())
        case "negative_predictive_value":
            return _share(~target[~test]), int((~test).sum())
    sensitivity, false_positive = _share(test[target]), _share(test[~target])
    with np.errstate(divide="ignore", invalid="ignore"):
        positive, negative = np.divide(sensitivity, false_positive), np.divide(1 - sensitivity, 1 - false_positive)
        ratio = {"lr_positive": positive, "lr_negative": negative, "odds_ratio": np.divide(positive, negative)}[measure]
    return float(ratio), int(min(target.sum(), (~target).sum()))


def _share(rows: Bools) -> float:
    return float(rows.mean()) if len(rows) else float("nan")


def totals(compared: Sequence[Compared], knowledge: Knowledge) -> dict[str, int | float]:
    """Counts over the results that were held out; inputs are counted apart and not scored. A held-out figure may be of a paper that gave
    the model another figure, so those whose paper gave none are counted as well."""
    held = [c for c in compared if c.held_out]
    feeding = {source for placed in numbers(knowledge) for source in placed.number.sources}
    apart = [c for c in held if (c.result.source or c.study.source) not in feeding]
    verdicts = [c.verdict for c in held]
    n = max(len(held), 1)
    return {
        "held_out": len(held),
        "inputs": len(compared) - len(held),
        "agrees": verdicts.count("agrees"),
        "overlaps": verdicts.count("overlaps"),
        "differs": verdicts.count("differs"),
        "share_that_agrees": verdicts.count("agrees") / n,
        "from_sources_without_a_number_in_the_model": len(apart),
        "of_these_agree": sum(c.verdict == "agrees" for c in apart),
        "median_factor_off": float(np.median([_factor(c) for c in held])) if held else 1.0,
    }


def _factor(compared: Compared) -> float:
    """How many times the simulated odds (of a share) or ratio is off the published one, at least 1; infinite where nobody was left
    to compute it from."""
    if np.isnan(compared.simulated):
        return float("inf")
    published, simulated = compared.result.value, compared.simulated
    if compared.result.measure not in RATIOS:
        published, simulated = _odds(published), _odds(simulated)
    return float(np.exp(abs(np.log(max(simulated, 1e-4) / max(published, 1e-4)))))


def _odds(share: float) -> float:
    return max(share, 1e-4) / max(1 - share, 1e-4)
