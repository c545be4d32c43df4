"""`assess(case) -> Assessment`: one pure function. No clock, no input or output, no randomness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soleus.assessment.explain import double_check, evidence, robustness, withdrawn
from soleus.assessment.plan import leading_causes, make_plan, seek_care
from soleus.assessment.result import Action, Assessment, Avoid, Cause, Present, Reason, Robustness, RuleOut, SourceNote
from soleus.assessment.undecided import undecided
from soleus.inference.exact import Engine, Posterior, probability_present
from soleus.inference.interval import cause_intervals, present_intervals
from soleus.inference.observe import observations
from soleus.interview.value import Mind, mind
from soleus.knowledge.case import Case, YesNo
from soleus.knowledge.load import Knowledge, load_knowledge
from soleus.knowledge.schema import Condition, Source, Urgency
from soleus.model.network import Array
from soleus.safety.guard import apply_guarded
from soleus.safety.rules import RuleOutcome

EXPLAINED = 0.01
"""Causes at least this likely carry their evidence."""
NOTABLE_PRESENT = 0.2
"""Other conditions at least this likely to be present besides are named."""
LIFTED = 1.5
"""... if they are this many times as likely as in people of this age and sex."""


def assess(case: Case, knowledge: Knowledge | None = None) -> Assessment:
    """The assessment of `case`: same case and same knowledge version, same result.

    `knowledge` defaults to the bundled knowledge base.
    """
    return assess_with(mind(knowledge or load_knowledge()), case)


def assess_with(thinking: Mind, case: Case) -> Assessment:
    """The assessment that this `Mind` comes to."""
    posterior = thinking.posterior(case)
    bounds = cause_intervals(thinking.engine, posterior, observations(case, thinking.knowledge.findings))
    rules = apply_guarded(thinking.knowledge, case)
    by_risk = risk_urgency(thinking, posterior)
    urgency = max(rules.urgency, by_risk)
    without = withdrawn(thinking, case, posterior)
    robust = robustness(thinking.knowledge, case, urgency)
    present = probability_present(thinking.engine, posterior)
    dangerous = _dangerous(thinking, posterior, present, {c for rule in rules.fired for c in rule.guards})
    plan = make_plan(thinking, case, posterior, urgency, [c for c, _ in dangerous], rules.fired)
    level = thinking.knowledge.levels[urgency]
    leading = leading_causes(thinking, posterior)
    draft = Assessment(
        knowledge_version=thinking.knowledge.version,
        review=_review(leading),
        id=case.id,
        urgency=urgency.name,  # type: ignore[arg-type]  # the enum's names are the literal's values
        urgency_name=level.name,
        headline=level.headline,
        do=level.do,
        urgency_reasons=tuple(_reasons(thinking, posterior, rules, by_risk, urgency)),
        differential=_differential(thinking, case, posterior, bounds, without),
        undecided=undecided(thinking, case, posterior, bounds),
        must_rule_out=_must_rule_out(thinking, dangerous),
        present=_present(thinking, case, posterior),
        plan=plan,
        if_not_better=_if_not_better(leading[0], urgency),
        seek_care=seek_care(thinking, case, posterior, urgency),
        double_check=double_check(thinking, case, posterior, without, robust, carried=_carried(thinking, case, robust, urgency)),
        robustness=robust,
        unanswered_danger_signs=rules.unanswered,
        left_out=thinking.engine.left_out(posterior),
        notes=tuple(_notes(thinking, case)),
        sources=(),
    )
    return draft.model_copy(update={"sources": _sources(thinking.knowledge, draft, leading)})


def _carried(mind: Mind, case: Case, robust: Robustness, urgency: Urgency) -> bool:
    """Whether it would be less urgent if the answers that the rules rest on were turned round (what is not yes or no: taken back)."""
    turned = case
    for finding in robust.rests_on:
        said = case.yes(finding)
        turned = turned.with_answer(finding, None if said is None else YesNo(not said))
    return max(apply_guarded(mind.knowledge, turned).urgency, risk_urgency(mind, mind.posterior(turned))) < urgency


def _review(leading: Iterable[Condition]) -> str:
    """Who has signed what is said of the leading causes."""
    signed = [c.review for c in leading]
    if any(r.status != "reviewed" for r in signed):
        return "compiled from published studies and judgement; not reviewed by a clinician"
    return "reviewed by " + ", ".join(dict.fromkeys(f"{r.by} ({r.role}, {r.checked})" for r in signed))


# -- urgency ---------------------------------------------------------------------------------------


def need_shares(mind: Mind, posterior: Posterior) -> Array:
    """P(a person like this needs urgency u), shape (urgencies,)."""
    need = need_of_rows(mind, mind.engine)
    return np.array(np.bincount(need.ravel(), weights=posterior.weights.ravel(), minlength=len(Urgency)), dtype=np.float64)


def need_of_rows(mind: Mind, engine: Engine) -> NDArray[np.int64]:
    """The urgency that each hypothesis needs, shape (causes, sets): the greatest need of the cause and of
    dangerous conditions present besides."""
    besides = need_besides(mind)
    return np.asarray(np.maximum(mind.need[:, None], (engine.sets * besides).max(axis=1)[None, :]).astype(int))


def need_besides(mind: Mind) -> Array:
    """The urgency that each condition needs when present besides, shape (present,)."""
    return np.array([_need_besides(mind.knowledge.conditions[d]) for d in mind.engine.network.present], dtype=float)


def _need_besides(condition: Condition) -> int:
    """Need of a condition present besides: only where a day counts; slow ones do not make this pain urgent."""
    return int(condition.urgency) if condition.must_not_miss and condition.urgency >= Urgency.same_day else 0


def risk_urgency(mind: Mind, posterior: Posterior) -> Urgency:
    """The urgency of least expected loss; the more urgent of two that are equal."""
    return Urgency(int(least_loss(mind, need_shares(mind, posterior)[None, :])[0]))


def least_loss(mind: Mind, shares: Array) -> NDArray[np.int64]:
    """For each row of need shares (n, urgencies), the urgency of least expected loss, the more urgent of two."""
    expected = shares @ mind.loss.T
    return np.asarray(expected.shape[1] - 1 - np.argmin(expected[:, ::-1], axis=1))


def _reasons(mind: Mind, posterior: Posterior, rules: RuleOutcome, by_risk: Urgency, urgency: Urgency) -> Iterator[Reason]:
    if rules.disputed:
        text = "Two independent readings of the safety rules do not agree here. The more urgent one counts. Please report this."
        yield Reason(kind="guard", id=", ".join(rules.disputed), urgency=rules.urgency.name, text=text)  # type: ignore[arg-type]
    for rule in rules.fired:
        yield Reason(kind="rule", id=rule.id, urgency=rule.urgency.name, text=rule.reason, action=rule.action, sources=rule.sources)  # type: ignore[arg-type]
    if by_risk == urgency and (not rules.fired or rules.fired[0].urgency < urgency):
        yield Reason(kind="risk", id="expected_loss", urgency=by_risk.name, text=_risk_text(mind, posterior, by_risk))  # type: ignore[arg-type]
    if rules.unanswered and urgency == Urgency.routine:
        text = f"{len(rules.unanswered)} danger signs were not answered. Until they are, we do not say that you can care for this at home."
        yield Reason(kind="unanswered", id="danger_signs", urgency="routine", text=text)


def _risk_text(mind: Mind, posterior: Posterior, level: Urgency) -> str:
    needing = [i for i in np.argsort(-posterior.cause) if mind.need[i] >= level][:2]
    if not needing:
        return "No dangerous cause is likely enough to ask for more."
    names = " and ".join(
        f"{mind.knowledge.conditions[mind.engine.network.causes[i]].name.lay} ({frequency(posterior.cause[i])})" for i in needing
    )
    return f"It fits how likely these causes are: {names}."


# -- what it may be --------------------------------------------------------------------------------


def in_words(knowledge: Knowledge, probability: float) -> str:
    """The words for a probability, from the settings."""
    return next(words for lower, words in knowledge.settings.words if probability >= lower)


def frequency(probability: float) -> str:
    """A probability as a count of people: '6 in 10', '3 in 100', 'fewer than 1 in 1000'."""
    if probability >= 0.95:
        return "more than 95 in 100"
    if probability >= 0.095:
        return f"{round(probability * 10)} in 10"
    if probability >= 0.0095:
        return f"{round(probability * 100)} in 100"
    return f"{round(probability * 1000)} in 1000" if probability >= 0.001 else "fewer than 1 in 1000"


def _differential(mind: Mind, case: Case, posterior: Posterior, bounds: tuple[Array, Array], without: Any) -> tuple[Cause, ...]:
    causes = []
    for i in np.argsort(-posterior.cause, kind="stable"):
        condition = mind.knowledge.conditions[mind.engine.network.causes[i]]
        share = float(posterior.cause[i])
        causes.append(
            Cause(
                condition=condition.id,
                name=condition.name.lay,
                clinical_name=condition.name.clinical,
                probability=share,
                low=float(bounds[0][i]),
                high=float(bounds[1][i]),
                in_words=in_words(mind.knowledge, share),
                frequency=frequency(share),
                what=condition.what.text,
                in_the_leg=condition.in_the_leg.text if condition.in_the_leg else None,
                evidence=evidence(mind, case, posterior, without, int(i)) if share >= EXPLAINED else (),
            )
        )
    return tuple(causes)


def _dangerous(mind: Mind, posterior: Posterior, present: Array, guarded: set[str]) -> list[tuple[Condition, float]]:
    """Conditions that must be ruled out: because a rule that fired guards against them, or because they must
    not be missed and are likely enough. With the probability: of being the cause, or, where a day counts, of
    being present at all."""
    network, found = mind.engine.network, []
    for i, cause in enumerate(network.causes):
        condition = mind.knowledge.conditions[cause]
        besides = cause in network.present and condition.urgency >= Urgency.same_day
        share = float(present[network.present.index(cause)]) if besides else float(posterior.cause[i])
        likely = condition.must_not_miss and condition.rule_out_above is not None and share >= condition.rule_out_above
        if likely or cause in guarded:
            found.append((condition, share))
    return sorted(found, key=lambda entry: (-entry[0].urgency, -entry[1]))


def _must_rule_out(mind: Mind, dangerous: Iterable[tuple[Condition, float]]) -> tuple[RuleOut, ...]:
    return tuple(
        RuleOut(
            condition=condition.id,
            name=condition.name.lay,
            probability=share,
            above=condition.rule_out_above,
            tests=tuple(mind.knowledge.care[t].name.lay for t in condition.tests[:3]),
        )
        for condition, share in dangerous
    )


def _present(mind: Mind, case: Case, posterior: Posterior) -> tuple[Present, ...]:
    """Conditions likely to be present besides the cause of the pain, and made likelier by the answers."""
    besides = posterior.weights.sum(axis=0) @ mind.engine.sets
    low, high = present_intervals(mind.engine, posterior, observations(case, mind.knowledge.findings))
    order = np.argsort(-besides, kind="stable")
    network, knowledge = mind.engine.network, mind.knowledge
    usual = network.prevalence_of(case.age, case.sex)
    return tuple(
        Present(
            condition=network.present[d],
            name=knowledge.conditions[network.present[d]].name.lay,
            probability=float(besides[d]),
            low=float(low[d]),
            high=float(high[d]),
        )
        for d in order
        if besides[d] >= NOTABLE_PRESENT and besides[d] >= LIFTED * usual[d]
    )


# -- the rest --------------------------------------------------------------------------------------


def _if_not_better(condition: Condition, urgency: Urgency) -> str | None:
    if condition.course is None or urgency >= Urgency.same_day:
        return None
    days = condition.course.better_within_days
    if days is None:
        return condition.course.text
    by = f"{days} days" if days < 14 else f"{round(days / 7)} weeks"
    advice = "see a doctor or physical therapist even if nothing else has changed"
    return f"{condition.course.text} If it is not clearly better within {by}, {advice}."


def _notes(mind: Mind, case: Case) -> Iterator[str]:
    minimum = mind.knowledge.settings.minimum_age
    if case.age is not None and case.age < minimum:
        yield f"Soleus is made for people of {minimum} and over. For a younger person, let a doctor look at the leg."
    if case.age is None or case.sex is None:
        yield "Age or sex is not known, so the likely causes are less certain."


def _sources(knowledge: Knowledge, draft: Assessment, leading: tuple[Condition, ...]) -> tuple[SourceNote, ...]:
    """Every source that a statement in this assessment names, each once."""
    used: dict[str, None] = {}
    parts: tuple[Reason | Action | Avoid, ...] = (*draft.urgency_reasons, *draft.plan.now, *draft.plan.treatments, *draft.plan.avoid)
    for part in parts:
        used |= dict.fromkeys(part.sources)
    for condition in leading:
        for statement in (condition.what, condition.in_the_leg, condition.course, *condition.seek_care):
            used |= dict.fromkeys(statement.sources if statement else ())
    return tuple(cited(knowledge.sources[s]) for s in used)


def cited(source: Source) -> SourceNote:
    """A source as it is named to readers."""
    parts = [source.authors, source.title, source.journal, str(source.year) if source.year else None]
    link = f"https://doi.org/{source.doi}" if source.doi else f"PMID {source.pmid}" if source.pmid else source.url or ""
    seen = {"abstract": "read: abstract", "full_text": "read: full text", "secondary": "quoted in another work"}[source.seen]
    return SourceNote(id=source.id, citation=". ".join(p.rstrip(".") for p in parts if p) + ".", link=link, seen=seen)
