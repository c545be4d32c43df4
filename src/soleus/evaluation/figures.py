"""The report's pictures, as SVG text. Colours are told apart without colour vision (Okabe and Ito 2008), and every series also has its
own marker or line. The same results give the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from soleus.evaluation.intervals import Figure as Number
from soleus.evaluation.literature import RATIOS
from soleus.evaluation.population import PopulationResult
from soleus.evaluation.simulation import CEILING_SHARE
from soleus.evaluation.suite import FROM, TOLD, Evaluation, LiteratureStudy, SimulationStudy, VignetteStudy
from soleus.evaluation.vignettes import summary

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555")
MARKERS = ("o", "s", "^", "D", "v")
LINES = ("-", "--", "-.", ":", "-")
VERDICTS = {"agrees": ("o", "#0072B2"), "overlaps": ("^", "#E69F00"), "differs": ("X", "#D55E00")}
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "soleus",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
}


def svg(figure: Figure) -> str:
    """The figure as an SVG element, without the XML header, date or program name."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    text = buffer.getvalue()
    return "\n".join(line.rstrip() for line in text[text.index("<svg") :].splitlines()) + "\n"


def _axes(width: float, height: float, columns: int = 1) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns)
    return figure, [axes] if columns == 1 else list(axes)


def naming(study: VignetteStudy) -> str:
    """Share of cases named first, within three and within five, by mode, with intervals."""
    figure, (ax,) = _axes(7.5, 3.6)
    for place, (mode, outcomes) in enumerate(study.outcomes.items()):
        figures = summary(outcomes)
        tops = [figures[f"top{k}"] for k in (1, 3, 5)]
        _points(ax, np.arange(3) + (place - 1) * 0.18, tops, place, mode)
    ax.set_xticks(range(3), ["named first", "within three", "within five"])
    ax.set_ylim(0, 1.02)
    ax.set_ylabel("share of cases")
    ax.legend(loc="lower right", title="told")
    return svg(figure)


def _points(ax: Axes, x: np.ndarray, figures: Sequence[Number], place: int, label: str) -> None:
    y = np.array([f.value for f in figures])
    below, above = y - [f.low for f in figures], [f.high for f in figures] - y
    ax.errorbar(x, y, yerr=[np.maximum(below, 0), np.maximum(above, 0)], fmt=MARKERS[place], color=COLOURS[place], capsize=3, label=label)


def literature(study: LiteratureStudy) -> str:
    """Published against simulated figures: shares on the left, ratios on the right; on the line they are the same."""
    figure, axes = _axes(10, 4.8, 2)
    held = [c for c in study.compared if c.held_out]
    for ax, ratio, title in zip(
        axes, (False, True), ("shares, sensitivities, predictive values", "likelihood and odds ratios"), strict=True
    ):
        for verdict, (marker, colour) in VERDICTS.items():
            rows = [c for c in held if (c.result.measure in RATIOS) == ratio and c.verdict == verdict]
            least = 0.01 if ratio else 0.0
            ax.scatter(
                [max(c.result.value, least) for c in rows],
                [max(c.simulated, least) for c in rows],
                marker=marker,
                color=colour,
                s=36,
                alpha=0.8,
                label=f"{verdict} ({len(rows)})",
            )
        if ratio:
            ax.set_xscale("log")
            ax.set_yscale("log")
        limits = (0.005, 300) if ratio else (0, 1)
        ax.plot(limits, limits, color="#333333", linewidth=1)
        ax.set(xlim=limits, ylim=limits, xlabel="published", ylabel="simulated", title=title)
        ax.legend(loc="lower right")
    return svg(figure)


def population(result: PopulationResult) -> str:
    """Share with a low ankle-brachial index by age: observed with intervals, and what the model expects."""
    figure, axes = _axes(9, 3.8, 2)
    for ax, sex in zip(axes, ("male", "female"), strict=True):
        cells = [c for c in result.cells if c.sex == sex]
        x = np.arange(len(cells))
        seen = np.array([c.observed for c in cells])
        low, high = np.array([c.ci95 for c in cells]).T
        ax.errorbar(x - 0.08, seen, yerr=[seen - low, high - seen], fmt="o", color=COLOURS[0], capsize=3, label="observed")
        ax.plot(x + 0.08, [c.simulated for c in cells], "s--", color=COLOURS[1], label="model")
        ax.fill_between(x + 0.08, *np.array([c.interval for c in cells]).T, color=COLOURS[1], alpha=0.15)
        ax.set_xticks(x, [f"{c.band[0]}-{c.band[1]}" for c in cells])
        ax.set(title="men" if sex == "male" else "women", xlabel="age", ylabel=f"index of {result.survey.low:g} or less", ylim=(0, 0.45))
        ax.legend(loc="upper left")
    return svg(figure)


def reliability(study: SimulationStudy) -> str:
    """What share of probabilities came true, by tenths: on the line a probability means what it says."""
    figure, axes = _axes(10, 4.6, 2)
    for ax, told in zip(axes, TOLD, strict=True):
        for place, who in enumerate(FROM):
            mean, came_true, _ = np.array(study.scores[who, told].reliability).T
            ax.plot(mean, came_true, LINES[place], marker=MARKERS[place], color=COLOURS[place], label=FROM[who])
        ax.plot([0, 1], [0, 1], color="#333333", linewidth=1)
        ax.set(xlabel="probability given", ylabel="share that was so", title=TOLD[told], xlim=(0, 1), ylim=(0, 1))
    axes[0].legend(loc="upper left", title="people drawn from")
    return svg(figure)


def questions(study: SimulationStudy) -> str:
    """Share named first against the number of questions, for each way of choosing them."""
    figure, (ax,) = _axes(8, 4.4)
    for place, curve in enumerate(study.curves):
        asked, first, _, _ = np.array(curve.points).T
        ax.plot(asked, first, LINES[place], marker=MARKERS[place], color=COLOURS[place], label=curve.name)
    goal = CEILING_SHARE * study.ceiling[0].value
    ax.axhline(goal, color="#333333", linewidth=1)
    ax.annotate("95% of what all questions reach", (30, goal), xytext=(0, -4), textcoords="offset points", ha="right", va="top")
    ax.set(xlabel="questions after the screen of danger signs", ylabel="right cause named first", ylim=(0, 1.02))
    ax.legend(loc="lower right")
    return svg(figure)


def noise(study: SimulationStudy) -> str:
    """Right cause first and safe urgency as answers get noisier."""
    figure, (ax,) = _axes(8, 4.6)
    y = np.arange(len(study.noise))[::-1]
    for place, (name, label) in enumerate((("top1", "right cause first"), ("safe", "urgency not too low"))):
        rows: list[Number] = [getattr(row, name) for row in study.noise]
        x = np.array([f.value for f in rows])
        error = [np.maximum(x - [f.low for f in rows], 0), np.maximum([f.high for f in rows] - x, 0)]
        ax.errorbar(x, y - 0.12 + 0.24 * place, xerr=error, fmt=MARKERS[place], color=COLOURS[place], capsize=3, label=label)
    ax.set_yticks(y, [row.name for row in study.noise])
    ax.set(xlabel="share of interviews", xlim=(0, 1.02))
    ax.legend(loc="lower left")
    return svg(figure)


def confusion(study: SimulationStudy) -> str:
    """Which cause (row) is taken for which (column)."""
    figure, (ax,) = _axes(12, 11)
    image = ax.imshow(study.confusion, cmap="Blues", vmin=0, vmax=1)
    names = [c.replace("_", " ") for c in study.causes]
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    ax.set_yticks(range(len(names)), names, fontsize=7)
    ax.grid(visible=False)
    ax.set(xlabel="named first", ylabel="true cause")
    figure.colorbar(image, ax=ax, shrink=0.5, label="share of people with the true cause")
    return svg(figure)


@dataclass(frozen=True)
class Picture:
    """An SVG element with what it shows in words."""

    svg: str
    alt: str


PICTURES: Mapping[str, tuple[Callable[[Evaluation], str], str]] = {
    "naming": (lambda e: naming(e.vignettes), "Recorded cases whose right cause is named first, within three, within five."),
    "literature": (lambda e: literature(e.literature), "Published against simulated figures; points on the line agree."),
    "population": (lambda e: population(e.population), "People with a low ankle-brachial index by age and sex, observed and expected."),
    "reliability": (lambda e: reliability(e.simulation), "Probability given against the share that was so; on the line it is right."),
    "questions": (lambda e: questions(e.simulation), "Right cause named first, by number of questions and way of choosing them."),
    "noise": (lambda e: noise(e.simulation), "Naming and urgency as answers get noisier."),
    "confusion": (lambda e: confusion(e.simulation), "Which cause is taken for which, three in ten questions answered."),
}


def pictures(evaluation: Evaluation) -> dict[str, Picture]:
    """Every picture of the report, by name."""
    with mpl.rc_context(STYLE):
        return {name: Picture(_named(draw(evaluation), name, alt), alt) for name, (draw, alt) in PICTURES.items()}


def _named(svg: str, name: str, alt: str) -> str:
    """The SVG with a label for those who cannot see it, and ids that are its own on a page with others."""
    own = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return own.replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
