"""The model's prevalence in the population against a survey that measured everybody."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soleus.evaluation.intervals import Z95, wilson
from soleus.knowledge.read import read_yaml
from soleus.knowledge.schema import Id, Strict
from soleus.model.network import Array, Network

SEXES = ("male", "female")


class ColumnNames(Strict):
    age: str
    sex: str
    lowest_of: tuple[str, ...]


class Survey(Strict):
    """A survey: which columns to read, and which condition, finding and cut-off they are compared with. `edges`: the survey's upper
    bound of each class to the edge of the model's bins; `cause`: the presenting cause that stands for having no complaint."""

    id: Id
    title: str
    note: str
    file: str
    columns: ColumnNames
    finding: Id
    edges: dict[float, float]
    low: float
    condition: Id
    cause: Id
    bands: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Participants:
    """`age` in years, `sex`, and the lowest `value` of the sides measured, shape (n,)."""

    age: Array
    sex: NDArray[np.str_]
    value: Array


@dataclass(frozen=True)
class Cell:
    """One age band and sex. `observed`: share of low values with Wilson's interval; `simulated`: what the model expects for the same
    people; `prevalence`: its P(condition present); `interval`: 95% of draws of the model's numbers."""

    band: tuple[int, int]
    sex: str
    n: int
    observed: float
    ci95: tuple[float, float]
    simulated: float
    interval: tuple[float, float]
    prevalence: float

    @property
    def agrees(self) -> bool:
        return self.ci95[0] <= self.simulated <= self.ci95[1]


@dataclass(frozen=True)
class PopulationResult:
    """`slope` and `intercept` (with 95% intervals): logistic regression of what was observed on the model's log-odds; a perfect
    model has 1 and 0. `classes`: share of participants in each class of the value, observed and expected."""

    survey: Survey
    cells: tuple[Cell, ...]
    slope: tuple[float, float, float]
    intercept: tuple[float, float, float]
    classes: tuple[tuple[str, float, float], ...]

    @property
    def mean_error(self) -> float:
        """Mean absolute difference of the share of low values over the cells."""
        return float(np.mean([abs(c.observed - c.simulated) for c in self.cells]))

    @property
    def distance(self) -> float:
        """Share of people that would have to change class for the distributions to be the same."""
        return float(sum(abs(seen - expected) for _, seen, expected in self.classes) / 2)


def surveys_folder() -> Path:
    """The surveys that are bundled with the package."""
    return Path(str(resources.files("soleus"))) / "evaluation" / "surveys"


def read_survey(name: str = "nhanes_abi", folder: Path | None = None) -> tuple[Survey, Participants]:
    """A survey and its participants with at least one side measured."""
    folder = folder or surveys_folder()
    survey = Survey.model_validate(read_yaml((folder / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml").data)
    names, rows = survey.columns, []
    with (folder / survey.file).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            measured = [float(row[c]) for c in names.lowest_of if row[c]]
            if measured:
                rows.append((float(row[names.age]), row[names.sex], min(measured)))
    ages, sexes, lowest = zip(*rows, strict=True)
    return survey, Participants(np.array(ages), np.array(sexes), np.array(lowest))


def compare_population(survey: Survey, people: Participants, network: Network, drawn: Sequence[Network] = ()) -> PopulationResult:
    """The model's expectation for each participant's age and sex against what was measured."""
    shares = _expected(survey, people, network)
    others = [_low(survey, network, _expected(survey, people, other)) for other in drawn]
    expected_low, low = _low(survey, network, shares), people.value <= survey.low
    slope, intercept = calibration(expected_low, low)
    cells = tuple(_cell(survey, people, network, band, sex, low, expected_low, others) for band in survey.bands for sex in SEXES)
    return PopulationResult(survey, cells, slope, intercept, _classes(survey, people, network, shares))


def _expected(survey: Survey, people: Participants, network: Network) -> Array:
    """P(value in each of the model's bins | age, sex) without a complaint, exact, shape (n, bins)."""
    node = network.nodes[network.node_of[survey.finding]]
    cause = network.causes.index(survey.cause)
    table = {}
    for age, sex in sorted(set(zip(people.age.tolist(), people.sex.tolist(), strict=True))):
        prevalence = network.prevalence_of(age, sex)[:, None]
        below = node.cumulative[cause] * np.prod(1 - prevalence + prevalence * node.added[:, :-1], axis=0)
        states = np.diff(np.concatenate([[0.0], below, [1.0]]))
        table[age, sex] = states @ node.emission[survey.finding][cause]
    return np.array([table[age, sex] for age, sex in zip(people.age.tolist(), people.sex.tolist(), strict=True)])


def _bin_of(survey: Survey, network: Network, bound: float) -> int:
    """How many of the model's bins lie at or below the survey's bound."""
    upper = [state.split("-")[-1].removeprefix("<") for state in network.values[survey.finding]]
    return upper.index(f"{survey.edges[bound]:g}") + 1


def _low(survey: Survey, network: Network, shares: Array) -> Array:
    return np.asarray(shares[:, : _bin_of(survey, network, survey.low)].sum(axis=1))


def _cell(
    survey: Survey,
    people: Participants,
    network: Network,
    band: tuple[int, int],
    sex: str,
    low: NDArray[np.bool_],
    expected: Array,
    others: Sequence[Array],
) -> Cell:
    rows = (people.age >= band[0]) & (people.age <= band[1]) & (people.sex == sex)
    drawn = [float(other[rows].mean()) for other in others] or [float("nan")]
    d = network.present.index(survey.condition)
    prevalence = float(np.mean([network.prevalence_of(age, sex)[d] for age in people.age[rows]]))
    observed, n = float(low[rows].mean()), int(rows.sum())
    interval = (min(drawn), max(drawn))
    return Cell(band, sex, n, observed, wilson(observed, n), float(expected[rows].mean()), interval, prevalence)


def _classes(survey: Survey, people: Participants, network: Network, shares: Array) -> tuple[tuple[str, float, float], ...]:
    bounds = sorted(survey.edges)
    mean = np.cumsum(shares.mean(axis=0))
    expected = np.diff([0.0, *(mean[_bin_of(survey, network, b) - 1] for b in bounds), 1.0])
    observed = np.diff([0.0, *((people.value <= b).mean() for b in bounds), 1.0])
    names = [f"up to {bounds[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(bounds)), f"above {bounds[-1]:g}"]
    return tuple((name, float(o), float(e)) for name, o, e in zip(names, observed, expected, strict=True))


def calibration(expected: Array, seen: NDArray[np.bool_]) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Slope and intercept of the logistic regression of `seen` on the log-odds of `expected` (Cox 1958), with 95% intervals,
    by Newton's method."""
    design = np.column_stack([np.ones(len(expected)), np.log(expected / (1 - expected))])
    weights = np.zeros(2)
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-design @ weights))
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        step = np.linalg.solve(information + 1e-9 * np.eye(2), design.T @ (seen - fitted))
        weights = weights + np.clip(step, -2, 2)
    error = np.sqrt(np.diag(np.linalg.inv(information + 1e-9 * np.eye(2))))
    (intercept, slope), (e0, e1) = weights, error
    return (float(slope), float(slope - Z95 * e1), float(slope + Z95 * e1)), (
        float(intercept),
        float(intercept - Z95 * e0),
        float(intercept + Z95 * e0),
    )
