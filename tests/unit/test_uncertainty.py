"""Credible intervals, and saying so when questions cannot tell causes apart."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from soleus.assessment.assess import assess, assess_with
from soleus.cli.assess import example_file
from soleus.delivery.casefile import read_cases
from soleus.delivery.text import print_report
from soleus.evaluation.people import case_of, person_only
from soleus.evaluation.simulation import history
from soleus.evaluation.suite import networks
from soleus.evaluation.vignettes import history_only, read_vignettes
from soleus.inference.batch import UNKNOWN, Batch
from soleus.inference.exact import Engine
from soleus.inference.interval import cause_intervals, present_intervals
from soleus.inference.observe import observations
from soleus.inference.sample import draw
from soleus.interview.value import mind, mind_with
from soleus.knowledge.case import Case
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Review

KNOWLEDGE = load_knowledge()
MIND = mind(KNOWLEDGE)
CASES = [history_only(v.case, KNOWLEDGE) for v in read_vignettes(Path(__file__).parent.parent / "vignettes", KNOWLEDGE)[0]]


def test_every_interval_holds_its_probability_and_is_the_same_every_time() -> None:
    for case in CASES[:12]:
        one, two = assess(case, KNOWLEDGE), assess(case, KNOWLEDGE)
        assert one == two
        for cause in one.differential:
            assert 0 <= cause.low <= cause.probability <= cause.high <= 1


def test_numbers_that_are_less_sure_make_wider_intervals() -> None:
    network = MIND.engine.network
    unsure = replace(network, spread={i: 2 * s for i, s in network.spread.items()}, prior_spread=2 * network.prior_spread)

    def width(engine: Engine, case: Case) -> float:
        seen = observations(case, KNOWLEDGE.findings)
        posterior = engine.posterior(seen, case.age, case.sex)
        low, high = cause_intervals(engine, posterior, seen)
        return float((high - low).max())

    widths = [(width(Engine(network), case), width(Engine(unsure), case)) for case in CASES[:12]]
    assert all(wide >= narrow - 0.01 for narrow, wide in widths)
    assert np.mean([wide - narrow for narrow, wide in widths]) > 0.05


def test_intervals_of_what_is_present_besides_cover_that_of_other_draws_of_all_numbers() -> None:
    others = [mind_with(KNOWLEDGE, network).engine for network in networks(KNOWLEDGE, 8, seed=3, stream=5)]
    inside = []
    for case in CASES[::3]:
        seen = observations(case, KNOWLEDGE.findings)
        posterior = MIND.engine.posterior(seen, case.age, case.sex)
        low, high = present_intervals(MIND.engine, posterior, seen)
        point = posterior.weights.sum(axis=0) @ MIND.engine.sets
        assert np.all((low <= point + 1e-9) & (point <= high + 1e-9))
        for engine in others:
            besides = engine.posterior(seen, case.age, case.sex).weights.sum(axis=0) @ engine.sets
            inside += list(((low <= besides) & (besides <= high))[point >= 0.05])
    assert len(inside) > 200
    assert np.mean(inside) > 0.9


def test_intervals_cover_the_posterior_of_other_draws_of_all_numbers() -> None:
    """Against networks drawn and compiled anew, which the interval only approximates."""
    others = networks(KNOWLEDGE, 8, 5, 1)
    people = draw(MIND.engine.network, 60, np.random.default_rng(8))
    asked = history(MIND, people, 0.3, 3)
    truth = np.array([Batch(other).causes(asked) for other in others])
    engine, covered = Engine(MIND.engine.network, 1), []
    for row in range(60):
        case = _told(person_only(case_of(people, row, KNOWLEDGE), KNOWLEDGE), asked.values, row)
        seen = observations(case, KNOWLEDGE.findings)
        posterior = engine.posterior(seen, case.age, case.sex)
        low, high = cause_intervals(engine, posterior, seen)
        looked = posterior.cause >= 0.05
        covered.append(((truth[:, row] >= low) & (truth[:, row] <= high))[:, looked].mean())
    assert 0.85 < np.mean(covered) <= 1


def _told(truth: Case, values: object, row: int) -> Case:
    known = {item.split(".")[0] for item, codes in values.items() if codes[row] != UNKNOWN}  # type: ignore[attr-defined]
    return Case(truth.age, truth.sex, answers={f: a for f, a in truth.answers.items() if f in known})


def test_when_questions_cannot_tell_causes_apart_it_says_so_and_names_the_test() -> None:
    """Two causes made alike in all that a person can tell, one test apart."""
    network = MIND.engine.network
    one, two = (network.causes.index(c) for c in ("calf_muscle_strain", "soleus_strain"))

    def like(table: np.ndarray) -> np.ndarray:
        copy = np.array(table)
        copy[two] = copy[one]
        return copy

    told = {n for n in network.nodes if n not in KNOWLEDGE.findings or KNOWLEDGE.findings[n].by == "person"}
    nodes = {
        name: replace(node, base=like(node.base), emission={i: like(t) for i, t in node.emission.items()}) if name in told else node
        for name, node in network.nodes.items()
    }
    risks = {i: replace(r, of_cause=like(r.of_cause)) for i, r in network.risks.items()}
    prior = {s: like(p) for s, p in network.setting_prior.items()}
    sex = {s: like(p) for s, p in network.sex_factor.items()}
    alike = replace(network, nodes=nodes, risks=risks, setting_prior=prior, sex_factor=sex, age_factor=like(network.age_factor))
    case = next(c for c in CASES if assess(c, KNOWLEDGE).differential[0].condition == "calf_muscle_strain")
    result = assess_with(mind_with(KNOWLEDGE, alike), case)
    assert result.undecided is not None
    assert set(result.undecided.conditions) >= {"calf_muscle_strain", "soleus_strain"}
    assert KNOWLEDGE.care["soft_tissue_ultrasound"].name.lay in result.undecided.tests
    console = Console(record=True, width=200, file=io.StringIO())
    print_report(console, result, KNOWLEDGE)
    assert "Questions alone cannot tell these apart" in console.export_text()


def test_a_clear_leader_is_not_called_undecided() -> None:
    (case,) = read_cases(str(example_file()), KNOWLEDGE)
    assert assess(case, KNOWLEDGE).undecided is None


def test_a_sign_off_needs_name_role_and_version_and_is_shown() -> None:
    with pytest.raises(ValueError, match="needs 'by', 'role' and 'version'"):
        Review.model_validate({"checked": "2026-11-24", "status": "reviewed", "by": "A Doctor"})
    signed = Review(checked="2026-11-24", status="reviewed", by="A Doctor", role="vascular surgeon", version=KNOWLEDGE.version)
    conditions = {i: c.model_copy(update={"review": signed}) for i, c in KNOWLEDGE.conditions.items()}
    reviewed = mind_with(replace(KNOWLEDGE, conditions=conditions), MIND.engine.network)
    assert assess_with(reviewed, CASES[0]).review == "reviewed by A Doctor (vascular surgeon, 2026-11-24)"
    assert assess(CASES[0], KNOWLEDGE).review == "compiled from published studies and judgement; not reviewed by a clinician"
