"""Interviews with people whose answers are known, by several ways of choosing the next question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from soleus.assessment.assess import risk_urgency
from soleus.interview.choose import askable, best_question, may_ask
from soleus.interview.value import Mind, values
from soleus.knowledge.case import Case
from soleus.knowledge.schema import Urgency
from soleus.safety.rules import apply_rules

Choose = Callable[[Mind, Case, Collection[str]], str | None]


def dialogue(mind: Mind, truth: Case, choose: Choose, most: int) -> Iterator[Case]:
    """What is known after the screen of danger signs, and then after each question; at most `most` questions after the screen.
    What `truth` does not say is answered "don't know"."""
    case = Case(truth.age, truth.sex, truth.setting)
    for sign in mind.knowledge.danger_signs:
        case = case.with_answer(sign, truth.answers.get(sign))
    yield case
    done: set[str] = set()
    while len(done) < most and (question := choose(mind, case, done)) is not None:
        done.add(question)
        case = case.with_answer(question, truth.answers.get(question))
        yield case


def value_of_information() -> Choose:
    """Soleus's own way: expected value above the price of asking; it stops by itself."""
    return best_question


def information_gain() -> Choose:
    """The question that is expected to lower the entropy of the cause most, whatever the urgency; it never stops."""

    def choose(mind: Mind, case: Case, done: Collection[str]) -> str | None:
        worth = values(replace(mind, loss=np.zeros_like(mind.loss)), mind.posterior(case), _left(mind, case, done))
        return max(worth, key=lambda f: (worth[f], f), default=None)

    return choose


def fixed_order(mind: Mind) -> Choose:
    """The same order for everybody: by what each question is worth before anything is known."""
    blank = Case()
    worth = values(mind, mind.posterior(blank), askable(mind.knowledge, blank))
    return _in_order(sorted(worth, key=lambda f: (-worth[f], f)))


def random_order(mind: Mind, rng: np.random.Generator) -> Choose:
    """Another random order for each person."""
    order = [f.id for f in askable(mind.knowledge, Case())]
    rng.shuffle(order)
    return _in_order(order)


def _in_order(order: Sequence[str]) -> Choose:
    def choose(mind: Mind, case: Case, done: Collection[str]) -> str | None:
        left = (f for f in order if f not in done and may_ask(mind.knowledge, case, mind.knowledge.findings[f]))
        return next(left, None)

    return choose


def _left(mind: Mind, case: Case, done: Collection[str]) -> list:  # type: ignore[type-arg]
    return [f for f in askable(mind.knowledge, case) if f.id not in done]


@dataclass(frozen=True)
class Belief:
    """What is concluded at one point: `causes` from the likeliest down, as indices, with their probabilities by
    index, and the urgency."""

    causes: tuple[int, ...]
    probability: np.ndarray
    urgency: Urgency


def belief(mind: Mind, case: Case) -> Belief:
    """What Soleus would conclude from this case: naming and urgency alone, without the explanation."""
    posterior = mind.posterior(case)
    urgency = max(apply_rules(mind.knowledge, case).urgency, risk_urgency(mind, posterior))
    return Belief(tuple(int(i) for i in np.argsort(-posterior.cause, kind="stable")), posterior.cause, urgency)
