"""Results of the studies as plain data, for JSON, tables and the report. Rounded, so that the same run prints the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from soleus.evaluation import simulation as simulated
from soleus.evaluation.intervals import Figure
from soleus.evaluation.literature import Compared, totals
from soleus.evaluation.population import PopulationResult
from soleus.evaluation.sensitivity import Change
from soleus.evaluation.suite import FROM, TOLD, LiteratureStudy, SensitivityStudy, SimulationStudy, VignetteStudy
from soleus.evaluation.vignettes import PARTS, as_dict, by_level, by_part, summary
from soleus.knowledge.load import Knowledge

Rows = list[dict[str, Any]]


def figure(value: Figure) -> dict[str, Any]:
    """A figure with its interval; null where there is no case."""
    return {"value": number(value.value), "ci95": [number(value.low), number(value.high)], "n": value.n}


def number(value: float) -> float | None:
    """Rounded to four significant digits; what is no finite number is null."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def short(value: float) -> str:
    """Two or three digits, for a table."""
    return "none" if math.isnan(value) else f"{value:.3f}" if value < 1 else f"{value:.3g}"


def span(value: float, interval: tuple[float, float]) -> str:
    """'0.050 [0.040, 0.080]'."""
    return f"{short(value)} [{short(interval[0])}, {short(interval[1])}]"


def percent(value: Figure) -> str:
    """'78% [66, 88]', for a table."""
    return "none" if value.n == 0 else f"{value.value:.0%} [{value.low * 100:.0f}, {value.high * 100:.0f}]"


def yes(value: bool) -> str:
    return "yes" if value else "no"


def vignettes(study: VignetteStudy) -> dict[str, Any]:
    """Study 1 as data."""
    modes = {
        mode: {
            "total": {name: figure(f) for name, f in summary(outcomes).items()},
            "by_level": by_level(outcomes),
            "by_part": {p: {v: {n: figure(f) for n, f in fs.items()} for v, fs in by_part(outcomes, p).items()} for p in PARTS},
            "cases": [as_dict(o) for o in outcomes],
        }
        for mode, outcomes in study.outcomes.items()
    }
    return {"modes": modes, "faults": list(study.faults)}


def literature(study: LiteratureStudy, knowledge: Knowledge) -> dict[str, Any]:
    """Study 2 as data."""
    total = {name: number(value) if isinstance(value, float) else value for name, value in totals(study.compared, knowledge).items()}
    return {"total": total, "results": [_compared(c) for c in study.compared]}


def _compared(c: Compared) -> dict[str, Any]:
    return {
        "id": c.result.id,
        "study": c.study.id,
        "source": c.result.source or c.study.source,
        "text": c.result.text,
        "measure": c.result.measure,
        "published": number(c.result.value),
        "published_interval": [number(v) for v in c.result.interval],
        "simulated": number(c.simulated),
        "simulated_interval": [number(v) for v in c.interval],
        "people": c.people,
        "verdict": c.verdict,
        "input": c.result.input,
        "why": c.result.why,
    }


def population(result: PopulationResult) -> dict[str, Any]:
    """Study 3 as data."""
    cells = [
        {
            "age": list(c.band),
            "sex": c.sex,
            "people": c.n,
            "observed": number(c.observed),
            "observed_interval": [number(v) for v in c.ci95],
            "model": number(c.simulated),
            "model_interval": [number(v) for v in c.interval],
            "model_prevalence": number(c.prevalence),
            "agrees": c.agrees,
        }
        for c in result.cells
    ]
    total = {
        "cells": len(cells),
        "cells_that_agree": sum(c.agrees for c in result.cells),
        "mean_error": number(result.mean_error),
        "calibration_slope": span(result.slope[0], result.slope[1:]),
        "calibration_intercept": span(result.intercept[0], result.intercept[1:]),
        "distance_of_distributions": number(result.distance),
    }
    classes = [{"class": name, "observed": number(seen), "model": number(expected)} for name, seen, expected in result.classes]
    return {"survey": result.survey.title, "total": total, "cells": cells, "classes": classes}


def simulation(study: SimulationStudy) -> dict[str, Any]:
    """Study 4 as data."""
    c = study.coverage
    return {
        "scores": [{"people_from": who, "answered": told} | _scores(scores) for (who, told), scores in study.scores.items()],
        "coverage": {name: number(getattr(c, name)) for name in c.__dataclass_fields__},
        "sent_away_by_the_danger_screen": number(study.sent_away),
        "ceiling": dict(zip(("top1", "top3", "safe"), map(figure, study.ceiling), strict=True)),
        "policies": [_policy(study, curve) for curve in study.curves],
        "noise": [{"answers": row.name} | {n: figure(getattr(row, n)) for n in NOISE_COLUMNS} for row in study.noise],
        "asked": {f: number(share) for f, share in study.asked.items()},
    }


SCORE_COLUMNS = ("top1", "top3", "brier", "safe", "safe_when_urgent", "too_high")
NOISE_COLUMNS = ("top1", "top3", "top1_if_not_sent_away", "safe", "safe_when_urgent", "too_high", "questions", "emergency")


def _scores(scores: simulated.Scores) -> dict[str, Any]:
    named = {n: figure(getattr(scores, n)) for n in SCORE_COLUMNS}
    curve = [[number(v) for v in row] for row in scores.reliability]
    return named | {"expected_calibration_error": number(scores.expected_calibration_error), "reliability": curve}


def _policy(study: SimulationStudy, curve: simulated.Curve) -> dict[str, Any]:
    points = [
        {"questions": questions, "top1": number(first), "top3": number(three), "safe": number(safe)}
        for questions, first, three, safe in curve.points
    ]
    return {"policy": curve.name, "asked": figure_of_asked(curve), "to_95_percent_of_ceiling": to_ceiling(study, curve), "points": points}


def figure_of_asked(curve: simulated.Curve) -> dict[str, float]:
    """Median and 90th percentile of the questions asked."""
    asked = sorted(curve.asked)
    return {"median": asked[len(asked) // 2], "p90": asked[min(len(asked) * 9 // 10, len(asked) - 1)]}


def to_ceiling(study: SimulationStudy, curve: simulated.Curve) -> int | None:
    """Questions at which the share named first reaches 95% of that with every question answered."""
    return curve.questions_to(simulated.CEILING_SHARE * study.ceiling[0].value)


def reaches(study: SimulationStudy, curve: simulated.Curve) -> str:
    """'95% of the ceiling after 12 questions', or that it is not reached."""
    questions = to_ceiling(study, curve)
    share = f"{simulated.CEILING_SHARE:.0%} of what all questions reach"
    return f"{share} is not reached" if questions is None else f"{share} after {questions} questions"


def simulation_tables(study: SimulationStudy) -> Mapping[str, Rows]:
    """Study 4 as tables, by title."""
    c = study.coverage
    coverage = (
        (
            f"least to greatest of {c.draws} draws; people from our own model, truth another draw ({c.expected:.3f} expected)",
            c.same_people,
        ),
        ("the same; people from the truth itself", c.from_truth),
        ("the same; people from a truth drawn twice as wide", c.heavier),
        ("the interval that the report shows; people from our own model, truth another draw (should be 0.95)", c.shown),
    )
    return {
        "Accuracy and calibration": [
            {
                "people drawn from": FROM[who],
                "told": TOLD[told],
                "first": percent(s.top1),
                "within three": percent(s.top3),
                "Brier": str(s.brier),
                "not too low": percent(s.safe),
                "not too low, same day or more": percent(s.safe_when_urgent),
                "two levels or more too high": percent(s.too_high),
                "calibration error": f"{s.expected_calibration_error:.3f}",
            }
            for (who, told), s in study.scores.items()
        ],
        "Coverage of 95% intervals": [{"people": who, "share inside": f"{share:.3f}"} for who, share in coverage],
        "Questions": [
            {
                "policy": curve.name,
                "questions to 95% of the ceiling": to_ceiling(study, curve) if to_ceiling(study, curve) is not None else "not reached",
                "asked, median (90%)": "{median} ({p90})".format(**figure_of_asked(curve)),
                **{f"first at {q}": f"{first:.0%}" for q, first, _, _ in curve.points if q in (0, 4, 8, 12, 20, 30)},
                "not too low at the end": f"{curve.points[-1][3]:.0%}",
            }
            for curve in study.curves
        ],
        "Noisy answers": [
            {
                "answers": row.name,
                "first": percent(row.top1),
                "within three": percent(row.top3),
                "not too low": percent(row.safe),
                "not too low, same day or more": percent(row.safe_when_urgent),
                "two levels or more too high": percent(row.too_high),
                "first, of those not sent to an emergency department": percent(row.top1_if_not_sent_away),
                "ended as an emergency": percent(row.emergency),
                "questions": f"{row.questions.value:.1f}",
            }
            for row in study.noise
        ],
    }


def sensitivity(study: SensitivityStudy) -> dict[str, Any]:
    """What the cases hang on, as data."""
    return {name: [_change(c) for c in getattr(study, name)] for name in study.__dataclass_fields__}


def _change(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in change.__dataclass_fields__} | {"log_probability": number(change.log_probability)}


def never_asked(study: SimulationStudy, findings: Sequence[str]) -> list[str]:
    """Questions that no simulated interview asked."""
    return [f for f in findings if not study.asked.get(f)]
