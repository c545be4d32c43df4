"""What the compiler makes of shares: comorbidity and age are not counted twice."""

from __future__ import annotations

import numpy as np
import pytest

from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import AGE_BANDS
from soleus.model.compile import network_for
from soleus.model.shares import items_of

KNOWLEDGE = load_knowledge()
NETWORK = network_for(KNOWLEDGE)


def test_a_share_that_is_only_that_of_the_ages_does_not_count() -> None:
    """A condition of the old whose people have high blood pressure as often as others of their age: the ratio to everybody is near one
    after the correction, where the plain ratio would be about two."""
    background = KNOWLEDGE.findings["high_blood_pressure"].background
    assert background is not None
    assert isinstance(background.value, float)
    risk = NETWORK.risks["high_blood_pressure"]
    row = NETWORK.causes.index("lumbar_spinal_stenosis")
    own = KNOWLEDGE.conditions["lumbar_spinal_stenosis"].findings["high_blood_pressure"].value
    assert isinstance(own, float)
    assert own / background.value > 1.4
    assert risk.of_cause[row, 1] / risk.background[1] < 0.75 * own / background.value


def test_odds_ratios_from_studies_are_left_as_they_are() -> None:
    ratio = KNOWLEDGE.conditions["peripheral_artery_disease"].risk["high_blood_pressure"].odds_ratio
    risk = NETWORK.risks["high_blood_pressure"]
    own, usual = risk.of_cause[NETWORK.causes.index("peripheral_artery_disease")], risk.background
    assert own[1] / own[0] / (usual[1] / usual[0]) == pytest.approx(ratio, rel=1e-6)


def test_shares_of_findings_are_kept_on_average_over_what_is_usually_present() -> None:
    """Simple findings that conditions besides may show: base and others together give back the file's share, unless the others
    alone already give more."""
    ages = np.array([KNOWLEDGE.settings.consulter_age[b] for b in AGE_BANDS])  # type: ignore[index]
    points = np.round(NETWORK.age_points).astype(int)
    checked = 0
    for finding in KNOWLEDGE.findings.values():
        for item in items_of(finding):
            node = NETWORK.nodes.get(item)
            if node is None or node.depends_on != "present" or finding.type != "boolean":
                continue
            for row, cause in enumerate(NETWORK.causes):
                own = KNOWLEDGE.conditions[cause].findings.get(item)
                if own is None or not isinstance(own.value, float):
                    continue
                weights = {s: (ages * NETWORK.age_factor[row])[:, None] * NETWORK.sex_factor[s][row] for s in ("male", "female")}
                total = sum(w.sum() for w in weights.values())
                usual = sum((NETWORK.prevalence[s][:, points].T * w).sum(axis=0) for s, w in weights.items()) / total
                usual = np.where(NETWORK.present_index == row, 0.0, usual)
                none = node.base[row, 0] * np.prod(1 - usual * (1 - node.added[:, 0]))
                others = 1 - np.prod(1 - usual * (1 - node.added[:, 0]))
                assert 1 - none == pytest.approx(max(own.value, others), abs=0.002), f"{item} {cause}"
                checked += 1
    assert checked > 500
