"""The committed safety case is of this knowledge base; bad answers are read as the rules read cases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from soleus.evaluation import adversarial as bad
from soleus.evaluation.intervals import clopper_pearson
from soleus.evaluation.people import case_of, person_only
from soleus.evaluation.safety_case import thresholds
from soleus.evaluation.simulation import needs
from soleus.inference.batch import Batch
from soleus.inference.sample import draw
from soleus.interview import always_asked
from soleus.interview.value import mind
from soleus.knowledge.expression import Compare, leaves
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Urgency
from soleus.safety.columns import apply_columns
from soleus.safety.mutate import mutants
from soleus.safety.prove import STATEMENTS
from soleus.safety.rules import apply_rules

KNOWLEDGE = load_knowledge()
MIND = mind(KNOWLEDGE)
COMMITTED = json.loads((Path(__file__).parents[2] / "docs" / "safety-case.json").read_text("utf-8"))
PEOPLE = draw(MIND.engine.network, 60, np.random.default_rng(4))


def test_it_is_of_this_knowledge_and_all_is_proven() -> None:
    """Another knowledge base needs `make safety-case`."""
    assert COMMITTED["knowledge_version"] == KNOWLEDGE.version
    assert {p["name"] for p in COMMITTED["proofs"]} == {*STATEMENTS, always_asked.NAME}
    assert all(p["holds"] for p in COMMITTED["proofs"])
    assert COMMITTED["mutants"].get("survived", 0) == 0
    assert sum(COMMITTED["mutants"].values()) == sum(1 for _ in mutants(KNOWLEDGE))


def test_its_people_and_thresholds() -> None:
    assert [way["way"] for way in COMMITTED["adversarial"]] == [way.name for way in bad.WAYS]
    assert all(way["people"] >= 100_000 for way in COMMITTED["adversarial"])
    assert {p["rule"] for p in COMMITTED["prices"]} == set(KNOWLEDGE.rules)
    assert COMMITTED["thresholds"] == [vars(t) for t in thresholds(MIND)]


def test_people_as_columns_fire_the_rules_that_they_fire_as_cases() -> None:
    """Rules that read a number are left out: it stands anywhere in its bin."""
    told = bad.answers(KNOWLEDGE, PEOPLE, bad.WAYS[0], PEOPLE, seed=1)
    outcome = apply_columns(KNOWLEDGE, bad.table_of(KNOWLEDGE, told))
    plain = [i for i, rule in enumerate(outcome.rules) if not _reads_a_number(rule)]
    assert len(plain) > 30
    for row in range(len(PEOPLE)):
        fired = {rule.id for rule in apply_rules(KNOWLEDGE, person_only(case_of(PEOPLE, row, KNOWLEDGE), KNOWLEDGE)).fired}
        assert {outcome.rules[i] for i in plain if outcome.fired[i, row]} == {outcome.rules[i] for i in plain} & fired


def _reads_a_number(rule: str) -> bool:
    return any(isinstance(leaf, Compare) and leaf.finding != "age" for leaf in leaves(KNOWLEDGE.rule_when[rule]))


@pytest.mark.parametrize("way", bad.WAYS, ids=[w.name for w in bad.WAYS])
def test_each_way_of_answering_does_what_it_says(way: bad.Answering) -> None:
    truth = bad.answers(KNOWLEDGE, PEOPLE, bad.WAYS[0], PEOPLE, seed=2).values
    told = bad.answers(KNOWLEDGE, PEOPLE, way, PEOPLE, seed=2).values
    signs = [s for s in KNOWLEDGE.danger_signs if (told[s] != truth[s]).any()]
    assert (not signs) == way.danger_true
    if way.denied:
        lost = sum((truth[s] == 1).astype(int) - (told[s] == 1).astype(int) for s in KNOWLEDGE.danger_signs)
        there = sum((truth[s] == 1).astype(int) for s in KNOWLEDGE.danger_signs)
        assert (lost == np.minimum(there, way.denied)).all()


def test_worse_answers_do_not_make_dangerous_people_safer() -> None:
    dangerous = bad._dangerous_people(MIND, 600, seed=3)
    batch = Batch(MIND.engine.network)
    levels = {w.name: bad.urgencies(MIND, batch, bad.answers(KNOWLEDGE, dangerous, w, PEOPLE, 5)) for w in (bad.WAYS[0], bad.WAYS[2])}
    need = needs(MIND, dangerous)
    truthful, silent = ((need > found).mean() for found in levels.values())
    assert truthful < silent
    assert set(np.unique(need)) <= {int(u) for u in Urgency}


@pytest.mark.parametrize(("seen", "n", "bound"), [(0, 2543, 0.001177), (0, 10, 0.258866), (3, 10, 0.606624), (10, 10, 1.0)])
def test_clopper_pearson(seen: int, n: int, bound: float) -> None:
    """Against published and tabled values (Meer 2024 gives 0.118% for none of 2,543)."""
    assert clopper_pearson(seen, n) == pytest.approx(bound, abs=1e-5)
