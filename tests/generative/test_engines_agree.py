"""The fast engine is held to the slow, obvious one, which is the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soleus.inference import oracle
from soleus.inference.exact import Engine, probability_present
from tests.networks import random_network, random_seen

seeds = st.integers(0, 2**32 - 1)
people = st.tuples(st.none() | st.floats(18, 95), st.sampled_from([None, "male", "female"]), st.sampled_from([None, "at_home"]))


@given(seeds, people)
def test_every_subset_enumerated_agrees_with_brute_force(seed: int, person: tuple[float | None, str | None, str | None]) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng, causes=int(rng.integers(2, 6)), present=int(rng.integers(1, 3)))
    seen = random_seen(rng, network)
    engine = Engine(network, most_present=len(network.present))
    fast = engine.posterior(seen, *person)
    cause, present = oracle.posterior(network, seen, *person)
    assert fast.cause == pytest.approx(cause, abs=1e-9)
    assert probability_present(engine, fast) == pytest.approx(present, abs=1e-9)
    assert engine.left_out(fast) == 0.0


@given(seeds)
def test_the_bound_holds_what_is_left_out(seed: int) -> None:
    """With sets cut off, no cause's probability is further off than the stated bound."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, causes=5, present=4)
    seen = random_seen(rng, network)
    whole = Engine(network, most_present=4)
    exact = whole.posterior(seen)
    for most in (1, 2, 3):
        engine = Engine(network, most)
        cut = engine.posterior(seen)
        bound = engine.left_out(cut)
        held = exact.weights[:, whole.sets.sum(axis=1) <= most].sum()
        assert 1 - held <= bound + 1e-12
        assert np.abs(cut.cause - exact.cause).max() <= bound + 1e-12


@given(seeds)
def test_probabilities_sum_to_one_and_order_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    seen = random_seen(rng, network)
    engine = Engine(network)
    forward, backward = engine.posterior(seen), engine.posterior(seen[::-1])
    assert forward.weights.sum() == pytest.approx(1, abs=1e-12)
    assert forward.cause == pytest.approx(backward.cause, abs=1e-12)


@given(seeds)
def test_an_answer_that_says_nothing_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    seen = random_seen(rng, network, share=0.4)
    engine = Engine(network)
    from soleus.inference.observe import Observation

    item = next(iter(network.values))
    said = any(item in o.items for o in seen)
    empty = Observation(item, {item: np.ones(len(network.values[item]), dtype=bool)})
    if not said:
        assert engine.posterior((*seen, empty)).cause == pytest.approx(engine.posterior(seen).cause, abs=1e-9)


@given(seeds)
def test_taking_an_answer_back_is_the_same_as_never_giving_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    seen = random_seen(rng, network)
    engine = Engine(network)
    whole = engine.posterior(seen)
    without = engine.withdrawals(whole, seen)
    assert set(without) == {o.finding for o in seen}
    for observation in seen:
        rest = [o for o in seen if o is not observation]
        assert without[observation.finding] == pytest.approx(engine.posterior(rest).weights, abs=1e-9)


@given(seeds)
def test_looking_ahead_agrees_with_asking(seed: int) -> None:
    """P(c, v | case) by the batch equals P(c | case, v) P(v | case) by inference, for items that are not risks."""
    from soleus.inference.observe import Observation

    rng = np.random.default_rng(seed)
    network = random_network(rng)
    seen = [o for o in random_seen(rng, network, share=0.3) if not o.groups]
    engine = Engine(network)
    now = engine.posterior(seen)
    joint = engine.joint(now)
    for item, states in network.values.items():
        if item in network.risks or any(item in o.items for o in seen):
            continue
        assert joint[item].sum(axis=1) == pytest.approx(now.cause, abs=1e-9)
        for value in range(len(states)):
            mask = np.arange(len(states)) == value
            then = engine.posterior([*seen, Observation(item, {item: mask})])
            probability = np.exp(then.log_evidence - now.log_evidence)
            assert joint[item][:, value] == pytest.approx(then.cause * probability, abs=1e-9)
