"""From the numbers of the knowledge base to P(value | condition) for every item, with how sure each is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soleus.knowledge.load import Knowledge
from soleus.knowledge.schema import AGE_BANDS, Condition, Finding, OddsRatio, Sex, Varies
from soleus.model.network import Array
from soleus.model.uncertainty import Draw, spread_of, spread_of_ratios

FLOOR = 1e-5
"""No share is taken to be nought or one: the smallest a study of this size could not rule out."""
SEXES: tuple[Sex, ...] = ("male", "female")


@dataclass(frozen=True)
class Shares:
    """By item: `of_condition` P(value | condition) and its `spread` on the log scale, shapes (conditions, values); `background`
    in all who ask (values,); and the names of the `values`."""

    of_condition: Mapping[str, Array]
    spread: Mapping[str, Array]
    background: Mapping[str, Array]
    values: Mapping[str, tuple[str, ...]]


def items_of(finding: Finding) -> tuple[str, ...]:
    """The items of a finding: itself, or each option of a several-choices finding."""
    return tuple(f"{finding.id}.{o}" for o in finding.options) if finding.type == "multi" else (finding.id,)


def read_shares(knowledge: Knowledge, draw: Draw | None) -> Shares:
    """The shares of every item of the model; with a `draw`, each number is replaced by a draw from its uncertainty."""
    shares = Shares({}, {}, {}, {})
    for finding in knowledge.findings.values():
        if finding.depends_on != "nothing":
            assert finding.background is not None, "checked when knowledge is loaded"
            for item, base in _spread_out(finding, finding.background.value).items():
                _read_item(knowledge, finding, item, base, draw, shares)
    return shares


def _read_item(knowledge: Knowledge, finding: Finding, item: str, base: Array, draw: Draw | None, into: Shares) -> None:
    assert finding.background is not None, "checked when knowledge is loaded"
    widest, conditions = knowledge.settings.judgement_spread, list(knowledge.conditions.values())
    spread = spread_of(finding.background, base, widest)
    base = draw.of_shares(base, spread) if draw and draw.only is None else base
    found = [_share(c, finding, item, base, widest) or (base, spread, False) for c in conditions]
    shares = np.array(
        [
            draw.of_shares(share, s) if draw and own and draw.only in (None, c.id) else share
            for c, (share, s, own) in zip(conditions, found, strict=True)
        ]
    )
    if finding.varies is not None:
        elicited = np.array([own and not any(_odds_ratios(c, finding, item)) for c, (_, _, own) in zip(conditions, found, strict=True)])
        shares[elicited] = _at_usual_age(shares, base, _expected(finding.varies, finding, item, base, knowledge))[elicited]
    for table, value in ((into.of_condition, shares), (into.spread, np.array([s for _, s, _ in found])), (into.background, base)):
        table[item] = value  # type: ignore[index]  # being filled
    into.values[item] = finding.states  # type: ignore[index]  # being filled


# -- one number ------------------------------------------------------------------------------------


def _spread_out(finding: Finding, value: float | dict[str, float]) -> dict[str, Array]:
    """Item to its distribution over the finding's states."""
    if finding.type == "boolean":
        assert isinstance(value, float | int)
        return {finding.id: _binary(value)}
    assert isinstance(value, dict)
    if finding.type == "multi":
        return {f"{finding.id}.{o}": _binary(value[o]) for o in finding.options if o in value}
    vector = np.maximum([value.get(s, 0.0) for s in finding.states], FLOOR)
    return {finding.id: vector / vector.sum()}


def _binary(share: float) -> Array:
    share = min(max(share, FLOOR), 1 - FLOOR)
    return np.array([1 - share, share])


def _share(condition: Condition, finding: Finding, item: str, background: Array, widest: float) -> tuple[Array, Array, bool] | None:
    """P(item | condition) and its spread, from its odds ratios, else its own number; None where it has neither."""
    if finding.depends_on == "risk":
        found = _odds_ratios(condition, finding, item)
        if any(found):
            tilted = background * np.array([r.odds_ratio if r else 1.0 for r in found])
            return np.asarray(tilted / tilted.sum()), spread_of_ratios(found, background, widest), True
    own = condition.findings.get(item) or condition.findings.get(finding.id)
    if own is None:
        return None
    share = _spread_out(finding, own.value).get(item) if isinstance(own.value, dict) else _binary(own.value)
    return None if share is None else (share, spread_of(own, share, widest), True)


def _odds_ratios(condition: Condition, finding: Finding, item: str) -> list[OddsRatio | None]:
    """For each state of the item, the odds ratio that the condition gives it, if any."""
    if finding.type in ("boolean", "multi"):
        return [None, condition.risk.get(item)]
    return [condition.risk.get(f"{finding.id}.{state}") for state in finding.states]


# -- age and sex -----------------------------------------------------------------------------------


def _at_usual_age(shares: Array, background: Array, expected: Array) -> Array:
    """Shares as they would be if the cause's people were of the same ages and sexes as all who ask: age and sex already move the
    prior, and what goes with them must not count again."""
    tilted = background * shares / expected
    return np.asarray(tilted / tilted.sum(axis=1, keepdims=True))


def _expected(varies: Varies, finding: Finding, item: str, background: Array, knowledge: Knowledge) -> Array:
    """The background of an item among people of the ages and sexes of each cause, shape (conditions, values). States that are not
    said to vary share what is left."""
    states = ("no", item.partition(".")[2] or "yes") if finding.type in ("boolean", "multi") else finding.states
    named = np.array([state in varies.age or state in varies.sex for state in states])
    table = background * np.column_stack([_relative(varies, state, knowledge) for state in states])
    left = np.maximum(1 - table[:, named].sum(axis=1), FLOOR)
    table[:, ~named] *= (left / table[:, ~named].sum(axis=1))[:, None]
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def _relative(varies: Varies, state: str, knowledge: Knowledge) -> Array:
    """How often a state is seen at the ages and sexes of each cause, relative to all who ask, shape (conditions,)."""
    conditions = knowledge.conditions.values()
    usual = np.array([knowledge.settings.consulter_age[band] for band in AGE_BANDS])  # type: ignore[index]
    ages = np.maximum([[c.prior.age[band] for band in AGE_BANDS] for c in conditions], 1e-4) * usual  # type: ignore[index]
    sexes = np.maximum([[dict(c.prior.sex)[s] for s in SEXES] for c in conditions], 1e-4)
    by_age = np.array(varies.age.get(state, (1.0,) * len(AGE_BANDS)))
    by_sex = np.array([varies.sex[state][s] if state in varies.sex else 1.0 for s in SEXES])
    of_age = (ages / ages.sum(axis=1, keepdims=True)) @ by_age / (usual @ by_age)
    return np.asarray(of_age * ((sexes / sexes.sum(axis=1, keepdims=True)) @ by_sex) / by_sex.mean())
