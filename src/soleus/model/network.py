"""The probability model as arrays.

A hypothesis is a presenting cause `c` and a set `S` of other conditions that are present. What a
person answers are *items*: a yes/no finding, a choice, a number read in bins, or one option of a
several-choices finding. Items hang on *nodes*:

- a node that depends on the cause has P(state | c);
- a node that depends on what is present is a noisy-MAX (noisy-OR when it has two states): the
  presenting cause shows a state, each other condition present adds one, the greatest is seen;
- a node may be a latent pattern, and then carries several items, independent given its state.

Risk items do not hang on a node: they move the prior of causes and of conditions present.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    """`base[c, l]`: P(state l | presenting cause c alone). `added[d, l]`: P(condition d, when present
    besides, shows state l or less); ones where it adds nothing. `emission[item][c, l, v]`: P(item has
    value v | c, state l)."""

    id: str
    depends_on: Literal["cause", "present"]
    states: tuple[str, ...]
    base: Array
    added: Array
    emission: Mapping[str, Array]

    @cached_property
    def cumulative(self) -> Array:
        """P(state <= l | c) for every l but the last, shape (causes, states - 1)."""
        return np.cumsum(self.base, axis=1)[:, :-1]


@dataclass(frozen=True)
class Risk:
    """P(value | cause), P(value | condition present besides) and P(value) in all who consult."""

    of_cause: Array
    of_present: Array
    background: Array


@dataclass(frozen=True)
class Network:
    """Everything inference needs, compiled from the knowledge base; nothing of it is changed later.

    `spread[item][c, v]`: standard error of the logarithm of P(item has value v | c); `prior_spread[c]`: the same of its prior;
    `prevalence_spread[d]`: of the log-odds of its prevalence."""

    causes: tuple[str, ...]
    present: tuple[str, ...]
    nodes: Mapping[str, Node]
    risks: Mapping[str, Risk]
    spread: Mapping[str, Array]
    prior_spread: Array
    prevalence_spread: Array
    node_of: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]]
    setting_prior: Mapping[str, Array]
    setting_weights: Mapping[str, float]
    age_points: Array
    age_factor: Array
    age_weights: Array
    sex_factor: Mapping[str, Array]
    prevalence: Mapping[str, Array]

    @cached_property
    def present_index(self) -> NDArray[np.int64]:
        """For each condition that may be present besides, its place among the causes."""
        return np.array([self.causes.index(d) for d in self.present], dtype=np.int64)

    def shares(self, item: str) -> Array:
        """P(value | cause) of an item with nothing else present, shape (causes, values)."""
        if item in self.risks:
            return self.risks[item].of_cause
        node = self.nodes[self.node_of[item]]
        return np.asarray(np.einsum("cl,clv->cv", node.base, node.emission[item]))

    def prior(self, age: float | None, sex: str | None, setting: str | None) -> Array:
        """P(c | age, sex, setting), shape (causes,); what is None is averaged over."""
        factor = self._age(age) * (self.sex_factor[sex] if sex else np.mean(list(self.sex_factor.values()), axis=0))
        settings: Mapping[str, float] = {setting: 1.0} if setting and setting in self.setting_prior else self.setting_weights
        total = np.zeros(len(self.causes))
        for name, weight in settings.items():
            share = self.setting_prior[name] * factor
            total += weight * share / share.sum()
        return np.asarray(total / total.sum())

    def _age(self, age: float | None) -> Array:
        if age is None:
            return np.asarray(self.age_factor @ self.age_weights)
        logs = np.log(self.age_factor)
        return np.asarray(np.exp(np.array([np.interp(age, self.age_points, row) for row in logs])))

    def prevalence_of(self, age: float | None, sex: str | None) -> Array:
        """P(condition is present), shape (present,), by age in whole years and sex."""
        tables = [self.prevalence[sex]] if sex else list(self.prevalence.values())
        table = np.mean(tables, axis=0)
        if age is None:
            ages = np.clip(np.round(self.age_points).astype(int), 0, table.shape[1] - 1)
            return np.asarray(table[:, ages] @ self.age_weights)
        return np.asarray(table[:, min(int(age), table.shape[1] - 1)])
