"""People drawn from a network are distributed as inference on that network says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soleus.errors import InputError
from soleus.evaluation.columns import Columns, edge_of
from soleus.evaluation.people import case_of
from soleus.inference.batch import UNKNOWN, Asked, Batch
from soleus.inference.exact import Engine, probability_present
from soleus.inference.observe import Observation
from soleus.inference.sample import People, Who, draw
from soleus.knowledge.expression import Compare, Expression, evaluate, findings_in, leaves
from soleus.knowledge.load import Knowledge, load_knowledge
from soleus.model.compile import compile_network, network_for
from soleus.model.uncertainty import Draw
from tests.networks import random_network

seeds = st.integers(0, 2**32 - 1)


def observed(people: People, row: int, items: list[str]) -> list[Observation]:
    sizes = people.network.values
    return [Observation(i, {i: np.arange(len(sizes[i])) == people.values[i][row]}) for i in items if people.values[i][row] != UNKNOWN]


@given(seeds)
@settings(max_examples=30)
def test_the_batch_engine_agrees_with_the_engine_person_by_person(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, causes=int(rng.integers(2, 6)), present=int(rng.integers(1, 3)))
    people = draw(network, 12, rng)
    values = {i: np.where(rng.random(12) < 0.4, UNKNOWN, codes).astype(np.int8) for i, codes in people.values.items()}
    people = People(network, people.age, people.sex, people.cause, people.present, values)
    batch = Batch(network, most_present=2)
    asked = Asked(people.age, people.sex, values)
    causes, present = batch.causes(asked), batch.sums(asked, batch.of_present)
    engine = Engine(network, most_present=2)
    for row in range(12):
        posterior = engine.posterior(observed(people, row, list(values)), float(people.age[row]), str(people.sex[row]))
        assert causes[row] == pytest.approx(posterior.cause, abs=1e-9)
        assert present[row] == pytest.approx(probability_present(engine, posterior), abs=1e-9)


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_of_the_people_given_a_probability_that_share_has_it(seed: int) -> None:
    """Calibration to within chance: the sum of (truth - probability) over many people, in standard errors."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, causes=4, present=2)
    people = draw(network, 4000, rng)
    causes = Batch(network, most_present=2).causes(Asked(people.age, people.sex, people.values))
    truth = np.eye(4)[people.cause]
    off = np.abs((truth - causes).sum(axis=0)) / np.sqrt((causes * (1 - causes)).sum(axis=0) + 1)
    assert off.max() < 5


def test_only_those_asked_for_are_drawn() -> None:
    network = random_network(np.random.default_rng(1))
    people = draw(network, 500, np.random.default_rng(2), Who(causes={"c1": 3, "c2": 1}, age=(40, 60), sex="female"))
    assert set(people.cause) == {1, 2}
    assert np.mean(people.cause == 1) == pytest.approx(0.75, abs=0.08)
    assert people.age.min() >= 40
    assert people.age.max() <= 60
    assert set(people.sex) == {"female"}


def test_the_same_seed_draws_the_same_people() -> None:
    network = network_for(load_knowledge())
    one, two = (draw(network, 300, np.random.default_rng(7)) for _ in range(2))
    assert all(np.array_equal(one.values[i], two.values[i]) for i in network.values)
    assert np.array_equal(one.cause, two.cause)


def test_rules_read_over_columns_are_the_rules_read_case_by_case() -> None:
    """Every rule of the knowledge base on 60 people: the column reader against the reference evaluator."""
    knowledge = load_knowledge()
    people = draw(network_for(knowledge), 60, np.random.default_rng(3))
    columns, cases = Columns(people, knowledge), [case_of(people, row, knowledge) for row in range(60)]
    asked_of_model = {f.id for f in knowledge.findings.values() if f.depends_on != "nothing"}
    compared = 0
    for rule, when in knowledge.rule_when.items():
        if not set(findings_in(when)) <= asked_of_model | {"age", "sex"} or not on_edges(knowledge, when):
            continue
        holds = columns.holds(when)
        for row in range(60):
            assert holds[row] == evaluate(when, cases[row]), rule
        compared += 1
    assert compared > 40


def on_edges(knowledge: Knowledge, when: Expression) -> bool:
    """Whether each number is compared at an edge of its bins, all that a simulated person has."""
    numbers = [leaf for leaf in leaves(when) if isinstance(leaf, Compare) and leaf.finding != "age"]
    return all(leaf.bound in knowledge.findings[leaf.finding].bins for leaf in numbers)


def test_a_bound_between_edges_is_an_error() -> None:
    temperature = load_knowledge().findings["temperature"]
    assert edge_of(temperature, 38.0) == 1
    with pytest.raises(InputError) as error:
        edge_of(temperature, 38.5)
    assert error.value.faults == ("temperature: 38.5 is no edge of its bins; allowed: 38, 39",)


def test_draws_of_the_numbers_are_spread_around_them_and_twice_as_wide_when_heavier() -> None:
    knowledge = load_knowledge()
    own = network_for(knowledge)
    name, row = "leg_warm", own.causes.index("cellulitis")

    widest = knowledge.settings.judgement_spread

    def spread(heavier: float) -> tuple[float, float]:
        draws = [compile_network(knowledge, Draw(np.random.default_rng(i), widest, heavier)) for i in range(12)]
        odds = [np.log(n.nodes[name].base[row, 1] / n.nodes[name].base[row, 0]) for n in draws]
        return float(np.mean(odds)), float(np.std(odds))

    centre = np.log(own.nodes[name].base[row, 1] / own.nodes[name].base[row, 0])
    (middle, narrow), (_, wide) = spread(1.0), spread(2.0)
    assert abs(middle - centre) < 3 * narrow / np.sqrt(12) + 0.1
    assert wide == pytest.approx(2 * narrow, rel=0.3)


def test_a_draw_of_nothing_is_the_model_itself() -> None:
    knowledge = load_knowledge()
    own, same = network_for(knowledge), compile_network(knowledge, Draw(np.random.default_rng(1), 0.7, heavier=0.0))
    assert all(np.allclose(own.nodes[n].base, same.nodes[n].base, atol=1e-12) for n in own.nodes)
    assert np.allclose(own.prevalence["male"], same.prevalence["male"], atol=1e-12)
