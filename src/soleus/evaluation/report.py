"""The report: one self-contained page, a text version, the pictures and all numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import yaml

from soleus import __version__
from soleus.evaluation import plain
from soleus.evaluation.figures import Picture, pictures
from soleus.evaluation.intervals import Figure
from soleus.evaluation.literature import Compared, totals
from soleus.evaluation.suite import Evaluation
from soleus.evaluation.vignettes import MODES, PARTS, by_level, by_part, summary

FOLDER = Path(__file__).parent
LEAST_PEOPLE = 30
"""Causes of fewer simulated people are left out of the list of confusions."""
SHOWN = 15
"""Rows shown of a long list that is in the numbers in full."""
PICTURES_IN = "evaluation"
CAVEATS = (
    "Fifty cases are few: one case is two points. They lean towards disease, so over-triage of harmless cases is under-seen.",
    "The findings were partly worded with these cases in view, and some numbers of the method (cost of sending too late, share of atypical "
    "people, weight of risk factors on conditions present besides) were set while looking at their totals; no number of a condition was "
    "changed for a case. Expect less on other cases.",
    "Cases were encoded without clinicians, and only with what the source states; all else is unknown, never absent.",
    "Published figures were matched to the model's findings by hand: a disagreement may lie in the imitation. Several results of one paper "
    "move together, and most simulated figures of judged numbers are themselves unsure.",
    "Simulated intervals go from the least to the greatest of the draws. Some published intervals are the range of several "
    "studies. Intervals over people from drawn models do not count that people of one model are alike.",
    "Weight of naming, price of a question and worth of a precaution were set on simulated people.",
)
COUNTED = ("questions", "brier", "mean_reciprocal_rank")
"""Figures that are not shares."""


def write(evaluation: Evaluation, out: Path) -> Iterator[Path]:
    """Write the report into the folder `out` (made if need be); returns the paths written. Nothing is written before all is ready."""
    drawn = pictures(evaluation)
    documents = {
        "evaluation.html": _render("page.html.j2", evaluation, drawn),
        "evaluation.md": _render("page.md.j2", evaluation, drawn),
        "evaluation.json": json.dumps(_numbers(evaluation), indent=1, allow_nan=False) + "\n",
    } | {f"{PICTURES_IN}/{name}.svg": picture.svg for name, picture in drawn.items()}
    (out / PICTURES_IN).mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        (out / name).write_text(text, encoding="utf-8")
        yield out / name


def _numbers(evaluation: Evaluation) -> dict[str, Any]:
    head = {"soleus": __version__, "knowledge_version": evaluation.knowledge.version, "command": evaluation.command}
    return head | {
        "vignettes": plain.vignettes(evaluation.vignettes),
        "literature": plain.literature(evaluation.literature, evaluation.knowledge),
        "population": plain.population(evaluation.population),
        "simulation": plain.simulation(evaluation.simulation),
        "sensitivity": plain.sensitivity(evaluation.sensitivity),
    }


def _render(template: str, evaluation: Evaluation, drawn: dict[str, Picture]) -> str:
    loader = jinja2.FileSystemLoader(FOLDER)
    environment = jinja2.Environment(
        loader=loader, autoescape=template.endswith(".html.j2"), trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(template).render(e=evaluation, pictures=drawn, version=__version__, **_tables(evaluation))


# -- tables ----------------------------------------------------------------------------------------


def _tables(evaluation: Evaluation) -> dict[str, Any]:
    outcomes = evaluation.vignettes.outcomes
    return {
        "modes": MODES,
        "caveats": CAVEATS,
        "headline": _headline(evaluation),
        "vignette_rows": _vignette_rows(evaluation),
        "levels": {mode: by_level(rows) for mode, rows in outcomes.items()},
        "parts": {part: _part_rows(evaluation, part) for part in PARTS if part != "cause"},
        "missed": [o for o in outcomes["history"] if o.rank > 1],
        "literature_totals": totals(evaluation.literature.compared, evaluation.knowledge),
        "literature_rows": [_literature_row(c, evaluation) for c in evaluation.literature.compared],
        "population_total": plain.population(evaluation.population)["total"],
        "simulation_tables": plain.simulation_tables(evaluation.simulation),
        "never_asked": _never_asked(evaluation),
        "confused": _confused(evaluation),
        "sensitivity_rows": _sensitivity_rows(evaluation),
        "peers": yaml.safe_load((FOLDER / "peers.yaml").read_text("utf-8")),
        "ours": {mode: summary(rows) for mode, rows in outcomes.items()},
        "percent": plain.percent,
        "span": plain.span,
        "yes": plain.yes,
    }


def _headline(evaluation: Evaluation) -> list[str]:
    """The report in a few sentences."""
    told, interview = (summary(evaluation.vignettes.outcomes[m]) for m in ("history", "interview"))
    counts = totals(evaluation.literature.compared, evaluation.knowledge)
    agree = sum(c.agrees for c in evaluation.population.cells)
    own, gain = evaluation.simulation.curves[:2]
    noise = {row.name: row for row in evaluation.simulation.noise}
    wrong, reaches = noise["5% wrong"], plain.reaches
    apart = counts["from_sources_without_a_number_in_the_model"]
    return [
        f"Of {told['top1'].n} recorded cases, told all that the person could tell, Soleus names the right cause first in "
        f"{plain.percent(told['top1'])} and within three in {plain.percent(told['top3'])}; in an interview in "
        f"{plain.percent(interview['top1'])} and {plain.percent(interview['top3'])}.",
        f"Urgency was below what two independent readings of a case leave open in {plain.percent(told['under_triaged'])} "
        f"and above it in {plain.percent(told['over_triaged'])}.",
        f"Of {counts['held_out']} published figures that the model was not given, {counts['agrees']} come out within the "
        f"published interval, {counts['overlaps']} only overlap with it and {counts['differs']} differ. Of the {apart} whose "
        f"paper gave the model no number at all, {counts['of_these_agree']} agree.",
        f"In a survey of the population {agree} of {len(evaluation.population.cells)} age and sex groups agree.",
        f"Simulated people: an interview stops after a median of {plain.figure_of_asked(own)['median']:g} questions with the "
        f"right cause first in {own.points[-1][1]:.0%} ({reaches(evaluation.simulation, own)}); asking for the cause alone, "
        f"without regard to urgency, {reaches(evaluation.simulation, gain)}.",
        f"When 5% of answers are wrong, {plain.percent(wrong.emergency)} of simulated people end as emergencies, against "
        f"{plain.percent(noise['none'].emergency)} without mistakes; of the others the right cause comes first in "
        f"{plain.percent(wrong.top1_if_not_sent_away)}.",
        f"Over-triage: of simulated people who answer everything, {plain.percent(evaluation.simulation.scores['own', 'all'].too_high)} are "
        "given an urgency two levels or more above their need, as any danger sign counts, also one that is there by chance.",
        "No clinician has reviewed the knowledge base. No figure here comes from use by real people.",
    ]


def _vignette_rows(evaluation: Evaluation) -> list[dict[str, str]]:
    figures = {mode: summary(rows) for mode, rows in evaluation.vignettes.outcomes.items()}
    names = list(dict.fromkeys(name for table in figures.values() for name in table))
    return [
        {"figure": name.replace("_", " ")} | {mode: _shown(name, table[name]) if name in table else "" for mode, table in figures.items()}
        for name in names
    ]


def _shown(name: str, value: Figure) -> str:
    return plain.span(value.value, (value.low, value.high)) if name in COUNTED else plain.percent(value)


def _part_rows(evaluation: Evaluation, part: str) -> list[dict[str, Any]]:
    rows = []
    for value, figures in by_part(evaluation.vignettes.outcomes["all"], part).items():
        rows.append({part: value.replace("_", " "), "cases": figures["top1"].n, **{k: plain.percent(f) for k, f in figures.items()}})
    return rows


def _literature_row(c: Compared, evaluation: Evaluation) -> dict[str, Any]:
    source = evaluation.literature.sources[c.result.source or c.study.source]
    return {
        "text": c.result.text,
        "measure": c.result.measure.replace("_", " "),
        "source": f"{(source.authors or source.title).split(',')[0]} {source.year or ''}".strip(),
        "published": plain.span(c.result.value, c.result.interval),
        "simulated": plain.span(c.simulated, c.interval),
        "verdict": c.verdict if c.held_out else "input",
        "why": (c.result.why or "") if c.verdict != "agrees" else "",
        "design": c.study.design,
        "study": c.study.id,
    }


def _never_asked(evaluation: Evaluation) -> list[str]:
    findings = evaluation.knowledge.findings.values()
    questions = [f.id for f in findings if f.by == "person" and f.depends_on != "nothing" and not f.danger_sign]
    return plain.never_asked(evaluation.simulation, questions)


def _confused(evaluation: Evaluation) -> list[dict[str, str]]:
    """The pairs taken for one another most often."""
    study = evaluation.simulation
    off = study.confusion - np.diag(np.diag(study.confusion))
    off[np.array(study.people_of_cause) < LEAST_PEOPLE] = 0.0
    order = np.argsort(-off, axis=None, kind="stable")[:SHOWN]
    pairs = [np.unravel_index(i, off.shape) for i in order]
    names = [c.replace("_", " ") for c in study.causes]
    return [
        {
            "true cause": names[i],
            "people": str(study.people_of_cause[i]),
            "named first": names[j],
            "share of the true cause": f"{off[i, j]:.0%}",
        }
        for i, j in pairs
    ]


def _sensitivity_rows(evaluation: Evaluation) -> dict[str, list[dict[str, str]]]:
    study = evaluation.sensitivity
    titles = {
        "An answer left out of every case": study.findings,
        "One condition's numbers drawn anew": study.conditions,
        "A number of the method changed": study.settings,
    }
    return {title: [_change_row(c) for c in changes[:SHOWN]] for title, changes in titles.items()}


def _change_row(c: Any) -> dict[str, str]:
    return {
        "what": c.what.replace("_", " "),
        "cases whose answer changes": str(c.moved),
        "named first": f"{c.top1:+d}",
        "log probability": f"{c.log_probability:+.3f}",
        "too low": f"{c.under:+d}",
        "too high": f"{c.over:+d}",
    }
