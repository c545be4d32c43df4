"""Simulated people, assessed: accuracy, calibration, coverage of intervals, and what questions are worth.

People are drawn from the model itself; from models whose numbers are drawn from their uncertainty; and
from models drawn twice as wide. The model that assesses them is always our own, so the last two say what being wrong about
the numbers costs. What no simulation can say is whether the model's picture of the world is right: that is what
recorded cases, published results and the survey are for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soleus.assessment.assess import least_loss, need_besides, need_of_rows
from soleus.evaluation.dialogue import Belief, Choose, belief, dialogue, fixed_order, information_gain, random_order, value_of_information
from soleus.evaluation.intervals import Figure, bootstrap
from soleus.evaluation.people import Noise, case_of, person_only, said
from soleus.inference.batch import UNKNOWN, Asked, Batch, joined
from soleus.inference.interval import cause_intervals
from soleus.inference.observe import observations
from soleus.inference.sample import Codes, People, concatenate, draw
from soleus.interview.value import Mind
from soleus.knowledge.case import Case
from soleus.knowledge.schema import Urgency
from soleus.model.network import Array, Network
from soleus.safety.rules import apply_rules

PEOPLE, TOLD, ORDER, MISTAKES = 1, 2, 3, 4
"""Streams of chance: two that have different numbers have nothing to do with one another. (A seed that ends in noughts is the same as one
without them, so every stream and every count starts at one.)"""
Progress = Callable[[int], None]
Track = Callable[[str, int], Progress]
TOO_HIGH = 2
"""Levels above what a person needs from which urgency counts as too high."""
LOOKED_AT = 0.05
"""Causes that our own model gives at least this are looked at for coverage."""
TELLING = 0.3
"""Share of questions answered where a person has told some things and not others."""
CHECKPOINTS = (0, 2, 4, 6, 8, 10, 12, 14, 16, 20, 25, 30)
"""Numbers of questions at which accuracy is read."""
CEILING_SHARE = 0.95
NOISES: tuple[tuple[str, Noise], ...] = (
    ("none", Noise()),
    ("10% don't know", Noise(unknown=0.1)),
    ("25% don't know", Noise(unknown=0.25)),
    ("50% don't know", Noise(unknown=0.5)),
    ("5% wrong", Noise(wrong=0.05)),
    ("10% wrong", Noise(wrong=0.1)),
    ("20% wrong", Noise(wrong=0.2)),
    ("5% contradictory", Noise(contradictory=0.05)),
    ("10% contradictory", Noise(contradictory=0.1)),
    ("20% contradictory", Noise(contradictory=0.2)),
    ("20% don't know, 5% wrong, 5% contradictory", Noise(0.2, 0.05, 0.05)),
)


@dataclass(frozen=True)
class Scores:
    """Of a group of people: naming, and the Brier score over all causes; urgency `safe` (not below what the person needs), the same
    among those who need same-day care or more, and `too_high` (two levels or more above); expected calibration error of the cause named
    first. `reliability`: mean probability, share that came true, and count, of every cause's probability by tenths."""

    top1: Figure
    top3: Figure
    brier: Figure
    safe: Figure
    safe_when_urgent: Figure
    too_high: Figure
    expected_calibration_error: float
    reliability: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True)
class Curve:
    """One way of choosing questions. `points`: at each of CHECKPOINTS, the share named first, within three, and given safe urgency.
    `asked`: questions until it stopped by itself, one per person; `shares`: share of people asked each question."""

    name: str
    points: tuple[tuple[int, float, float, float], ...]
    asked: tuple[int, ...]
    shares: Mapping[str, float]

    def questions_to(self, top1: float) -> int | None:
        """The fewest questions at which the share named first reaches `top1`, between checkpoints by a straight line; None if
        it never does."""
        before = (0, 0.0)
        for questions, share, _, _ in self.points:
            if share >= top1:
                step = (questions - before[0]) * (top1 - before[1]) / max(share - before[1], 1e-9)
                return int(np.ceil(before[0] + step)) if questions else 0
            before = (questions, share)
        return None


def stream(seed: int, purpose: int, k: int = 0) -> np.random.Generator:
    """The generator for the k-th thing of a purpose."""
    return np.random.default_rng([seed, purpose, k + 1])


# -- accuracy and calibration ----------------------------------------------------------------------


def drawn_people(truths: Sequence[Network], n: int, seed: int) -> People:
    """`n` people, as many from each of the networks."""
    size = n // len(truths)
    return concatenate([draw(network, size, stream(seed, PEOPLE, k)) for k, network in enumerate(truths)])


def history(mind: Mind, people: People, answered: float, seed: int) -> Asked:
    """What the people could tell; each question answered with chance `answered`, danger signs always."""
    rng = stream(seed, TOLD)
    values: dict[str, Codes] = {}
    for finding in mind.knowledge.findings.values():
        if finding.by != "person" or finding.depends_on == "nothing":
            continue
        told = (rng.random(len(people)) < answered) | finding.danger_sign
        for item in (i for i in people.values if i.split(".")[0] == finding.id):
            values[item] = np.where(told, people.values[item], UNKNOWN).astype(np.int8)
    return Asked(people.age, people.sex, values)


def needs(mind: Mind, people: People) -> NDArray[np.int64]:
    """The urgency that each simulated person truly needs, shape (n,)."""
    besides = (people.present * need_besides(mind)).max(axis=1)
    return np.asarray(np.maximum(mind.need[people.cause], besides), dtype=np.int64)


def scores(mind: Mind, people: People, asked: Asked, batch: Batch) -> Scores:
    """Score our own model on these people."""
    rows = batch.of_cause
    need = np.eye(len(Urgency))[need_of_rows(mind, batch.engine).ravel()]
    both = batch.sums(asked, np.concatenate([rows, need], axis=1))
    causes, shares = both[:, : rows.shape[1]], both[:, rows.shape[1] :]
    urgency = np.maximum(least_loss(mind, shares), _by_rules(mind, people, asked))
    return score(causes, people.cause, urgency, needs(mind, people))


def score(causes: Array, truth: NDArray[np.int64], urgency: NDArray[np.int64], need: NDArray[np.int64]) -> Scores:
    """Scores of probabilities `causes` (n, causes) against the true cause, and of urgency against what was needed."""
    right = causes[np.arange(len(truth)), truth]
    rank = (causes > right[:, None]).sum(axis=1)
    target = np.eye(causes.shape[1])[truth]
    urgent = need >= Urgency.same_day
    return Scores(
        top1=bootstrap(rank == 0),
        top3=bootstrap(rank < 3),
        brier=bootstrap(((causes - target) ** 2).sum(axis=1)),
        safe=bootstrap(urgency >= need),
        safe_when_urgent=bootstrap((urgency >= need)[urgent]),
        too_high=bootstrap(urgency >= need + TOO_HIGH),
        expected_calibration_error=calibration_error(causes.max(axis=1), rank == 0),
        reliability=reliability(causes.ravel(), target.ravel() == 1),
    )


def calibration_error(confidence: Array, correct: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equal bins (Naeini 2015)."""
    return sum(count * abs(mean - share) for mean, share, count in reliability(confidence, correct)) / len(confidence)


def reliability(probability: Array, correct: NDArray[np.bool_]) -> tuple[tuple[float, float, int], ...]:
    """By tenths of the probability: its mean, the share that came true, and how many."""
    tenth = np.minimum((probability * 10).astype(int), 9)
    groups = [tenth == t for t in range(10)]
    return tuple((float(probability[g].mean()), float(correct[g].mean()), int(g.sum())) for g in groups if g.any())


def _by_rules(mind: Mind, people: People, asked: Asked) -> NDArray[np.int64]:
    """Urgency by the rules from what was told, shape (n,)."""
    return np.array([int(apply_rules(mind.knowledge, case).urgency) for case in _told_cases(mind, people, asked)])


def _told_cases(mind: Mind, people: People, asked: Asked) -> Iterator[Case]:
    """Each person as a case with only what was told."""
    for row in range(len(people)):
        truth = person_only(case_of(people, row, mind.knowledge), mind.knowledge)
        told = {f: a for f, a in truth.answers.items() if _told(asked, f, row)}
        yield Case(truth.age, truth.sex, answers=told, origins=dict.fromkeys(told, "asked"))


def _told(asked: Asked, finding: str, row: int) -> bool:
    codes = asked.values.get(finding)
    if codes is None:
        codes = next(c for item, c in asked.values.items() if item.split(".")[0] == finding)
    return bool(codes[row] != UNKNOWN)


def confusion(mind: Mind, people: People, asked: Asked, batch: Batch) -> Array:
    """Of people with cause i (rows), the share for whom j (columns) is named first, shape (causes, causes)."""
    first = batch.causes(asked).argmax(axis=1)
    table = np.zeros((len(mind.engine.network.causes),) * 2)
    np.add.at(table, (people.cause, first), 1)
    return np.asarray(table / np.maximum(table.sum(axis=1, keepdims=True), 1))


@dataclass(frozen=True)
class Worlds:
    """Models that people are drawn from: with numbers drawn from their `usual` uncertainty, and twice as wide."""

    usual: tuple[Network, ...]
    heavier: tuple[Network, ...]


# -- coverage --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coverage:
    """Share of true posterior probabilities that lie in the 95% interval. `same_people`: people drawn from our own model, the
    truth another draw of the numbers: what the interval promises; `shown` is the same for the interval of an assessment, which only
    approximates it. `from_truth`: people drawn from that truth, which makes their answers fit it better than any other. `heavier`: the
    same, drawn twice as wide. `draws`: of the interval; `width`: its mean; `pairs`: how many (person, cause) were looked at."""

    same_people: float
    from_truth: float
    heavier: float
    shown: float
    draws: int
    width: float
    pairs: int

    @property
    def expected(self) -> float:
        """How often another draw lies between the least and the greatest of these."""
        return (self.draws - 1) / (self.draws + 1)


def coverage(mind: Mind, truths: Worlds, believed: Sequence[Network], n: int, seed: int, track: Track) -> Coverage:
    """The interval runs from the least to the greatest posterior under `believed`, draws of the model's numbers: with 39 of
    them, another draw lies inside with chance 38 / 40. Causes that our own model gives at least 5% are looked at."""
    own = mind.engine.network
    shares, shown = [], float("nan")
    for number, (drawn_from, true) in enumerate((((own,) * len(truths.usual), truths.usual), (truths.usual,) * 2, (truths.heavier,) * 2)):
        groups = [draw(network, n // len(true), stream(seed, PEOPLE, 100 * (number + 1) + k)) for k, network in enumerate(drawn_from)]
        asked = [history(mind, group, TELLING, seed + k) for k, group in enumerate(groups)]
        truth = np.concatenate([Batch(network).causes(told) for network, told in zip(true, asked, strict=True)])
        everybody = joined(asked)
        low, high = _extremes(everybody, believed, track("posteriors under drawn numbers", len(believed)))
        looked = Batch(own).causes(everybody) >= LOOKED_AT
        shares.append((float(((truth >= low) & (truth <= high))[looked].mean()), float((high - low)[looked].mean()), int(looked.sum())))
        if number == 0:
            low, high = _shown(mind, concatenate(groups), everybody)
            shown = float(((truth >= low) & (truth <= high))[looked].mean())
    return Coverage(shares[0][0], shares[1][0], shares[2][0], shown, len(believed), shares[0][1], shares[0][2])


def _shown(mind: Mind, people: People, asked: Asked) -> tuple[Array, Array]:
    """The interval that an assessment shows of each person's causes, shape (n, causes) each."""
    bounds = []
    for case in _told_cases(mind, people, asked):
        seen = observations(case, mind.knowledge.findings)
        bounds.append(cause_intervals(mind.engine, mind.engine.posterior(seen, case.age, case.sex), seen))
    return np.array([low for low, _ in bounds]), np.array([high for _, high in bounds])


def _extremes(asked: Asked, believed: Sequence[Network], progress: Progress) -> tuple[Array, Array]:
    """The least and the greatest posterior of each person and cause under these networks."""
    low, high = np.array(np.inf), np.array(-np.inf)
    for number, network in enumerate(believed):
        causes = Batch(network).causes(asked)
        low, high = np.minimum(low, causes), np.maximum(high, causes)
        progress(number + 1)
    return low, high


# -- interviews ------------------------------------------------------------------------------------


def policies(mind: Mind, seed: int) -> dict[str, Callable[[int], Choose]]:
    """Ways of choosing the next question, by name: person to policy."""
    own, gain, fixed = value_of_information(), information_gain(), fixed_order(mind)
    return {
        "value of information": lambda _: own,
        "information gain": lambda _: gain,
        "fixed order": lambda _: fixed,
        "random order": lambda person: random_order(mind, stream(seed, ORDER, person)),
    }


def interviewed_people(mind: Mind, n: int, seed: int) -> tuple[People, float]:
    """`n` people from our own model whom the screen of danger signs does not already send to an emergency department, and the share of
    people whom it does."""
    people = draw(mind.engine.network, 3 * n, stream(seed, PEOPLE))
    stay = []
    for row in range(len(people)):
        screen = next(dialogue(mind, case_of(people, row, mind.knowledge), value_of_information(), 0))
        stay.append(apply_rules(mind.knowledge, screen).urgency < Urgency.emergency_now)
    return people.part(np.flatnonzero(stay)[:n]), 1 - float(np.mean(stay))


def curve(mind: Mind, name: str, choose: Callable[[int], Choose], people: People, progress: Progress) -> Curve:
    """Accuracy against the number of questions for one policy. After a policy has stopped its last answer stands."""
    table, asked, counts = np.zeros((len(people), len(CHECKPOINTS), 3)), [], Counter[str]()
    need, screen = needs(mind, people), set(mind.knowledge.danger_signs)
    for row in range(len(people)):
        truth = person_only(case_of(people, row, mind.knowledge), mind.knowledge)
        states = list(dialogue(mind, truth, choose(row), CHECKPOINTS[-1]))
        seen: dict[int, tuple[bool, ...]] = {}
        for place, checkpoint in enumerate(CHECKPOINTS):
            at = min(checkpoint, len(states) - 1)
            if at not in seen:
                seen[at] = _right(belief(mind, states[at]), int(people.cause[row]), int(need[row]))[:3]
            table[row, place] = seen[at]
        asked.append(len(states) - 1)
        counts.update(set(states[-1].answers) - screen)
        progress(row + 1)
    means = table.mean(axis=0)
    points = tuple((c, float(a), float(b), float(s)) for c, (a, b, s) in zip(CHECKPOINTS, means, strict=True))
    return Curve(name, points, tuple(asked), {f: count / len(people) for f, count in sorted(counts.items())})


def ceiling(mind: Mind, people: People) -> tuple[Figure, Figure, Figure]:
    """With every question answered: share named first, within three, and given safe urgency."""
    need = needs(mind, people)
    rights = []
    for row in range(len(people)):
        truth = person_only(case_of(people, row, mind.knowledge), mind.knowledge)
        rights.append(_right(belief(mind, truth), int(people.cause[row]), int(need[row])))
    first, three, safe, _ = (bootstrap(column) for column in zip(*rights, strict=True))
    return first, three, safe


def _right(concluded: Belief, cause: int, need: int) -> tuple[bool, bool, bool, bool]:
    """Named first, within three, urgency not too low, urgency too high."""
    named, level = concluded.causes, concluded.urgency
    return named[0] == cause, cause in named[:3], level >= need, level >= need + TOO_HIGH


@dataclass(frozen=True)
class NoiseRow:
    """How interviews end when answers are noisy. `emergency`: a rule sent the person to an emergency department, which also ends the
    questions that would tell causes apart."""

    name: str
    top1: Figure
    top3: Figure
    safe: Figure
    safe_when_urgent: Figure
    too_high: Figure
    questions: Figure
    emergency: Figure
    top1_if_not_sent_away: Figure


def noise_row(mind: Mind, name: str, noise: Noise, people: People, seed: int, progress: Progress) -> NoiseRow:
    """Interviews with Soleus's own policy and a person who answers with `noise`."""
    knowledge, need, choose = mind.knowledge, needs(mind, people), value_of_information()
    truths = [person_only(case_of(people, row, knowledge), knowledge) for row in range(len(people))]
    rights, questions, emergency = [], [], []
    for row, truth in enumerate(truths):
        heard = said(truth, truths[row - 1], noise, knowledge, stream(seed, MISTAKES, row))
        states = list(dialogue(mind, heard, choose, knowledge.settings.most_questions))
        rights.append(_right(belief(mind, states[-1]), int(people.cause[row]), int(need[row])))
        questions.append(len(states) - 1)
        emergency.append(apply_rules(knowledge, states[-1]).urgency >= Urgency.emergency_now)
        progress(row + 1)
    first, three, safe, high = zip(*rights, strict=True)
    staying = [f for f, away in zip(first, emergency, strict=True) if not away]
    urgent = [s for s, n in zip(safe, need, strict=True) if n >= Urgency.same_day]
    return NoiseRow(name, *map(bootstrap, (first, three, safe, urgent, high, questions, emergency, staying)))
