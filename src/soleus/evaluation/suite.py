"""The four studies in one run: what is drawn, how many, from which seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soleus.evaluation import literature, population, sensitivity, simulation, vignettes
from soleus.evaluation.intervals import Figure
from soleus.evaluation.simulation import Track
from soleus.inference.batch import Batch
from soleus.interview.value import Mind
from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import Source
from soleus.model.compile import compile_network
from soleus.model.network import Array, Network
from soleus.model.uncertainty import Draw


def untracked(_name: str, _total: int) -> Callable[[int], None]:
    """No progress bar."""
    return lambda _done: None


@dataclass(frozen=True)
class Size:
    """How much is simulated. `draws`: draws of the model's numbers; `truths`: further draws that people are drawn from, and as many
    twice as wide; `people`: per published study and for accuracy; `interviews`:
    people who are interviewed for each policy, and a third of them for each noise."""

    seed: int = 1
    draws: int = 39
    truths: int = 10
    people: int = 60_000
    scored: int = 3_000
    interviews: int = 200
    track: Track = untracked


NO_WORLDS = simulation.Worlds((), ())


@dataclass(frozen=True)
class Drawn:
    """Networks with other numbers: `believed` for intervals, `worlds` to draw people from."""

    believed: tuple[Network, ...]
    worlds: simulation.Worlds = NO_WORLDS


def networks(knowledge: Knowledge, n: int, seed: int, stream: int, heavier: float = 1.0, track: Track = untracked) -> tuple[Network, ...]:
    """`n` networks with numbers drawn from their uncertainty, `heavier` times as wide; the same for the same seed and stream."""
    done, made = track("drawing the model's numbers", n), []
    for k in range(n):
        draw = Draw(np.random.default_rng([seed, 1000 + stream, k + 1]), knowledge.settings.judgement_spread, heavier)
        made.append(compile_network(knowledge, draw))
        done(k + 1)
    return tuple(made)


def draw_networks(knowledge: Knowledge, size: Size, *, with_truths: bool = True) -> Drawn:
    """All networks that a run needs."""
    believed = networks(knowledge, size.draws, size.seed, 0, track=size.track)
    if not with_truths:
        return Drawn(believed)
    usual = networks(knowledge, size.truths, size.seed, 1, track=size.track)
    return Drawn(believed, simulation.Worlds(usual, networks(knowledge, size.truths, size.seed, 2, heavier=2.0, track=size.track)))


# -- the studies -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class VignetteStudy:
    """`outcomes` by mode; `faults`: files that could not be used."""

    outcomes: dict[vignettes.Mode, list[vignettes.Outcome]]
    faults: tuple[str, ...]


def vignette_study(
    mind: Mind, folder: Path, modes: Sequence[vignettes.Mode] = tuple(vignettes.MODES), setting: str | None = None
) -> VignetteStudy:
    """Study 1: recorded cases, in each mode."""
    cases, faults = vignettes.read_vignettes(folder, mind.knowledge)
    return VignetteStudy({mode: vignettes.run(cases, mind, mode, setting) for mode in modes} if cases else {}, tuple(faults))


@dataclass(frozen=True)
class LiteratureStudy:
    compared: tuple[literature.Compared, ...]
    sources: dict[str, Source]


def literature_study(mind: Mind, drawn: Drawn, size: Size, folder: Path | None = None) -> LiteratureStudy:
    """Study 2: published results."""
    studies, sources = literature.read_studies(mind.knowledge, folder)
    compared = literature.compare(
        studies,
        mind.knowledge,
        mind.engine.network,
        drawn.believed,
        seed=size.seed,
        people=size.people,
        progress=size.track("published studies", len(studies)),
    )
    return LiteratureStudy(tuple(compared), dict(sources))


def population_study(mind: Mind, drawn: Drawn) -> population.PopulationResult:
    """Study 3: a survey of the population."""
    survey, people = population.read_survey()
    return population.compare_population(survey, people, mind.engine.network, drawn.believed)


@dataclass(frozen=True)
class SimulationStudy:
    """`scores`: by which model people were drawn from and what they told; `sent_away`: share whom the screen of danger signs sends to an
    emergency department at once, and who are not interviewed further; `asked`: share of interviews in which each question
    was asked; `confusion` (causes, causes)."""

    scores: dict[tuple[str, str], simulation.Scores]
    coverage: simulation.Coverage
    sent_away: float
    ceiling: tuple[Figure, Figure, Figure]
    curves: tuple[simulation.Curve, ...]
    noise: tuple[simulation.NoiseRow, ...]
    asked: dict[str, float]
    causes: tuple[str, ...]
    people_of_cause: tuple[int, ...]
    confusion: Array


FROM = {"own": "our own model", "drawn": "models drawn from its uncertainty", "heavier": "models drawn twice as wide"}
TOLD = {"all": "every question answered", "some": "three in ten answered"}


def simulation_study(mind: Mind, drawn: Drawn, size: Size) -> SimulationStudy:
    """Study 4: simulated people."""
    own = mind.engine.network
    scores = _scores(mind, drawn, size)
    coverage = simulation.coverage(mind, drawn.worlds, drawn.believed, size.scored // 3, size.seed, size.track)
    people, sent_away = simulation.interviewed_people(mind, size.interviews, size.seed + 10)
    curves = tuple(
        simulation.curve(mind, name, choose, people, size.track(f"interviews, {name}", len(people)))
        for name, choose in simulation.policies(mind, size.seed).items()
    )
    few = people.part(np.arange(max(len(people) // 3, 1)))
    noise = tuple(
        simulation.noise_row(mind, name, noise, few, size.seed, size.track(f"interviews, answers: {name}", len(few)))
        for name, noise in simulation.NOISES
    )
    many = simulation.drawn_people([own], size.scored * 4, size.seed + 20)
    confusion = simulation.confusion(mind, many, simulation.history(mind, many, simulation.TELLING, size.seed), Batch(own))
    return SimulationStudy(
        scores,
        coverage,
        sent_away,
        simulation.ceiling(mind, people),
        curves,
        noise,
        dict(curves[0].shares),
        own.causes,
        tuple(np.bincount(many.cause, minlength=len(own.causes)).tolist()),
        confusion,
    )


def _scores(mind: Mind, drawn: Drawn, size: Size) -> dict[tuple[str, str], simulation.Scores]:
    batch = Batch(mind.engine.network, most_present=2)
    groups = {"own": (mind.engine.network,), "drawn": drawn.worlds.usual, "heavier": drawn.worlds.heavier}
    done, scores = size.track("people assessed", len(groups) * len(TOLD)), {}
    for name, truths in groups.items():
        people = simulation.drawn_people(truths, size.scored, size.seed)
        for told in TOLD:
            asked = simulation.history(mind, people, 1.0 if told == "all" else simulation.TELLING, size.seed)
            scores[name, told] = simulation.scores(mind, people, asked, batch)
            done(len(scores))
    return scores


@dataclass(frozen=True)
class SensitivityStudy:
    findings: tuple[sensitivity.Change, ...]
    conditions: tuple[sensitivity.Change, ...]
    settings: tuple[sensitivity.Change, ...]


def sensitivity_study(mind: Mind, size: Size, folder: Path) -> SensitivityStudy:
    """What the results over the recorded cases hang on."""
    cases = sensitivity.cases_of(vignettes.read_vignettes(folder, mind.knowledge)[0], mind)
    track = size.track("conditions drawn anew", len(mind.engine.network.causes))
    return SensitivityStudy(
        tuple(sensitivity.without_each_finding(mind, cases)),
        tuple(sensitivity.with_each_condition_redrawn(mind, cases, size.seed, track)),
        tuple(sensitivity.with_each_setting_changed(mind, cases)),
    )


@dataclass(frozen=True)
class Evaluation:
    """All of it. `command` and `date` are the caller's."""

    knowledge: Knowledge
    vignettes: VignetteStudy
    literature: LiteratureStudy
    population: population.PopulationResult
    simulation: SimulationStudy
    sensitivity: SensitivityStudy
    size: Size
    command: str
    date: str


def evaluate(mind: Mind, folder: Path, size: Size, command: str, date: str) -> Evaluation:
    """Run every study."""
    drawn = draw_networks(mind.knowledge, size)
    return Evaluation(
        mind.knowledge,
        vignette_study(mind, folder),
        literature_study(mind, drawn, size),
        population_study(mind, drawn),
        simulation_study(mind, drawn, size),
        sensitivity_study(mind, size, folder),
        size,
        command,
        date,
    )
