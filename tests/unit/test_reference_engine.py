"""The fast engine against pyAgrum's LazyPropagation, on the real network, for cases with a few answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soleus.inference.exact import Engine, probability_present
from soleus.inference.observe import Observation
from soleus.knowledge.load import load_knowledge
from soleus.model.compile import network_for
from tests.reference import reference_posterior

NETWORK = network_for(load_knowledge())
WHOLE = Engine(NETWORK, most_present=len(NETWORK.present))
ITEMS = sorted(NETWORK.node_of)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_agrees_on_the_real_network(data: st.DataObject) -> None:
    items = data.draw(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True))
    seen = []
    for item in items:
        mask = np.zeros(len(NETWORK.values[item]), dtype=bool)
        mask[data.draw(st.integers(0, len(mask) - 1))] = True
        seen.append(Observation(item, {item: mask}))
    age, sex = data.draw(st.integers(20, 90)), data.draw(st.sampled_from(["male", "female"]))
    fast = WHOLE.posterior(seen, age, sex)
    cause, present = reference_posterior(NETWORK, seen, age, sex)
    assert fast.cause == pytest.approx(cause, abs=1e-6)
    assert probability_present(WHOLE, fast) == pytest.approx(present, abs=1e-6)
