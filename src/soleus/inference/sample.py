"""People drawn from the model: the same distribution that inference takes apart, run forwards.

Age and sex come first, then the presenting cause, then risk items given the cause, then which other
conditions are present given the risks, then every node and its items: the order in which `Engine` writes
P(case). So what is drawn with a network is calibrated for inference on that network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from soleus.model.network import Array, Network, Node

Codes = NDArray[np.int8]
AGE_BOUNDS = (18.0, 30.0, 50.0, 65.0, 75.0, 95.0)
"""Edges of the age bands in years; within a band every age is as likely."""
TOGETHER = 8192
"""People drawn at once: so many that their numbers stay in the processor's cache."""


@dataclass(frozen=True)
class Who:
    """Whom to draw. `causes`: share of each presenting cause, whatever its prior (None: the prior of
    `setting`); `age`: bounds in years, or one age per person; `sex`: one for all, one per person, or None for half
    and half."""

    setting: str | None = None
    causes: Mapping[str, float] | None = None
    age: tuple[float, float] | Array | None = None
    sex: str | tuple[str, ...] | None = None


@dataclass(frozen=True)
class People:
    """Simulated people. `cause` (n,): index among the causes; `present` (n, conditions): present besides the
    cause; `values`: item to the index of its value (n,)."""

    network: Network
    age: Array
    sex: NDArray[np.str_]
    cause: NDArray[np.int64]
    present: NDArray[np.bool_]
    values: Mapping[str, Codes] = field(repr=False)

    def __len__(self) -> int:
        return len(self.cause)

    def part(self, rows: NDArray[np.int64]) -> People:
        """Some of the people, in the order of `rows`."""
        values = {item: codes[rows] for item, codes in self.values.items()}
        return People(self.network, self.age[rows], self.sex[rows], self.cause[rows], self.present[rows], values)

    def has(self, condition: str) -> NDArray[np.bool_]:
        """Whether each person has the condition, as the cause or besides."""
        found = self.cause == self.network.causes.index(condition)
        if condition in self.network.present:
            found = found | self.present[:, self.network.present.index(condition)]
        return np.asarray(found)


def draw(network: Network, n: int, rng: np.random.Generator, who: Who = Who(), items: Set[str] | None = None) -> People:
    """`n` people drawn from the network, with the values of `items` (None: of all) and of what these hang on.
    Raises ValueError for a cause that the network does not know."""
    age, sex = _ages(network, n, rng, who), _sexes(n, rng, who)
    cause = _causes(network, age, sex, rng, who)
    parts = [slice(i, i + TOGETHER) for i in range(0, max(n, 1), TOGETHER)]
    return concatenate([_draw(network, age[p], sex[p], cause[p], rng, items) for p in parts])


def _draw(
    network: Network, age: Array, sex: NDArray[np.str_], cause: NDArray[np.int64], rng: np.random.Generator, items: Set[str] | None
) -> People:
    values = {item: _pick(risk.of_cause, (cause,), rng) for item, risk in network.risks.items()}
    present = _others(network, age, sex, cause, values, rng)
    for node in network.nodes.values():
        if items is not None and not items & node.emission.keys():
            continue
        state = _states(node, cause, present, rng)
        for item, emission in node.emission.items():
            values[item] = state if item == node.id else _pick(emission, (cause, state), rng)
    return People(network, age, sex, cause, present, values)


def concatenate(groups: Sequence[People]) -> People:
    """Several groups as one. Their networks must share causes, conditions and items."""
    values = {i: np.concatenate([g.values[i] for g in groups]) for i in groups[0].values}
    parts = {name: np.concatenate([getattr(g, name) for g in groups]) for name in ("age", "sex", "cause", "present")}
    return People(groups[0].network, values=values, **parts)


def _pick(shares: Array, rows: tuple[NDArray[np.int64] | Codes, ...], rng: np.random.Generator) -> Codes:
    """One value for each of `rows`, which index the distributions in `shares` (..., values)."""
    below = np.cumsum(shares, axis=-1)[..., :-1][rows]
    return np.asarray((rng.random(len(below))[:, None] >= below).sum(axis=1), dtype=np.int8)


def _ages(network: Network, n: int, rng: np.random.Generator, who: Who) -> Array:
    if isinstance(who.age, np.ndarray):
        return who.age
    low, high = who.age or (AGE_BOUNDS[0], AGE_BOUNDS[-1])
    lower, upper = np.clip(AGE_BOUNDS[:-1], low, high), np.clip(AGE_BOUNDS[1:], low, high)
    kept = network.age_weights * (upper - lower) / np.diff(AGE_BOUNDS)
    band = rng.choice(len(kept), size=n, p=kept / kept.sum())
    return np.asarray(np.floor(lower[band] + rng.random(n) * (upper - lower)[band]))


def _sexes(n: int, rng: np.random.Generator, who: Who) -> NDArray[np.str_]:
    if isinstance(who.sex, tuple):
        return np.array(who.sex)
    return np.full(n, who.sex) if who.sex else rng.choice(["male", "female"], size=n)


def _causes(network: Network, age: Array, sex: NDArray[np.str_], rng: np.random.Generator, who: Who) -> NDArray[np.int64]:
    if who.causes is not None:
        total = sum(who.causes.values())
        chosen = np.array([network.causes.index(c) for c in who.causes])
        return np.asarray(rng.choice(chosen, size=len(age), p=[share / total for share in who.causes.values()]))
    cause = np.zeros(len(age), dtype=np.int64)
    for one, rows in alike(age, sex):
        prior = network.prior(one[0], one[1], who.setting)
        cause[rows] = rng.choice(len(prior), size=len(rows), p=prior)
    return cause


def alike(age: Array, sex: NDArray[np.str_]) -> list[tuple[tuple[float, str], NDArray[np.int64]]]:
    """Rows of people of the same age and sex."""
    keys, inverse = np.unique(age + 1000 * (sex == "female"), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
    return [((float(key % 1000), "female" if key >= 1000 else "male"), rows) for key, rows in zip(keys, groups, strict=True)]


def _others(
    network: Network, age: Array, sex: NDArray[np.str_], cause: NDArray[np.int64], values: Mapping[str, Codes], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Conditions present besides the cause, given age, sex and risks, shape (n, conditions)."""
    odds = np.empty((len(age), len(network.present)))
    for one, rows in alike(age, sex):
        prevalence = network.prevalence_of(*one)
        odds[rows] = prevalence / (1 - prevalence)
    for item, risk in network.risks.items():
        odds *= np.take((risk.of_present / risk.background).T, values[item], axis=0)
    present = rng.random(odds.shape) < odds / (1 + odds)
    present &= network.present_index[None, :] != cause[:, None]
    return present


def _states(node: Node, cause: NDArray[np.int64], present: NDArray[np.bool_], rng: np.random.Generator) -> Codes:
    """The state of a node for each person: noisy-MAX of the cause and all that is present besides."""
    below = node.cumulative[cause]
    if node.depends_on == "present":
        below = below * np.exp(present @ np.log(np.maximum(node.added[:, :-1], 1e-300)))
    return np.asarray((rng.random(len(cause))[:, None] >= below).sum(axis=1), dtype=np.int8)
