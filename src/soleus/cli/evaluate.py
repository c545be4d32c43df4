"""`soleus evaluate`: how good it is, by four studies."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from soleus.cli.kb_edit import checked_date
from soleus.errors import InputError
from soleus.evaluation import adversarial as bad
from soleus.evaluation import plain, suite
from soleus.evaluation.literature import read_studies, totals
from soleus.evaluation.simulation import Track
from soleus.evaluation.vignettes import MODES, Mode, Outcome, read_vignettes, summary
from soleus.interview.value import mind
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Setting

SETTINGS = [s for s in get_args(Setting) if isinstance(s, str)]
Option = Callable[[Any], Any]
as_json_option: Option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
seed_option: Option = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same result.")
draws_option: Option = click.option(
    "--draws", type=click.IntRange(1), default=39, show_default=True, help="Draws of the model's numbers, for intervals."
)


@click.group()
def evaluate() -> None:
    """Measure Soleus: recorded cases, published results, a survey, simulated people."""


@evaluate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--facts", type=click.Choice(list(MODES)), default=None, help="What Soleus is told. Default: each of them.")
@click.option("--setting", type=click.Choice(SETTINGS), default=None, help="Score under this setting instead of the case's own.")
@as_json_option
def vignettes(folder: Path, facts: str | None, setting: str | None, as_json: bool) -> None:
    """Naming and urgency over the case files in FOLDER (*.yaml with an `expected` block)."""
    thinking = mind(load_knowledge())
    modes: tuple[Mode, ...] = tuple(MODES) if facts is None else (facts,)  # type: ignore[assignment]
    study = suite.vignette_study(thinking, folder, modes, setting)
    if as_json:
        _echo({"knowledge_version": thinking.knowledge.version, "setting": setting or "as in the case"} | plain.vignettes(study))
    else:
        for mode, outcomes in study.outcomes.items():
            _print_cases(Console(), mode, outcomes, setting)
    _end(study.faults)


@evaluate.command()
@click.option(
    "--studies", "folder", type=click.Path(path_type=Path), default=None, help="Folder of study files. Default: the bundled ones."
)
@click.option("--people", type=click.IntRange(1000), default=60_000, show_default=True, help="Simulated people per study.")
@draws_option
@seed_option
@as_json_option
def literature(folder: Path | None, people: int, draws: int, seed: int, as_json: bool) -> None:
    """Published results that the model was not given, against what simulated people give."""
    thinking = mind(load_knowledge())
    read_studies(thinking.knowledge, folder)
    with _progress() as track:
        size = suite.Size(seed=seed, draws=draws, people=people, track=track)
        study = suite.literature_study(thinking, suite.draw_networks(thinking.knowledge, size, with_truths=False), size, folder)
    if as_json:
        _echo({"knowledge_version": thinking.knowledge.version, "seed": seed} | plain.literature(study, thinking.knowledge))
        return
    console = Console()
    table = Table(title="Published results and what simulated people give", title_justify="left")
    for column in ("result", "published", "simulated", "", "held out"):
        table.add_column(column, overflow="fold")
    for c in study.compared:
        table.add_row(
            c.result.text,
            plain.span(c.result.value, c.result.interval),
            plain.span(c.simulated, c.interval),
            c.verdict,
            plain.yes(c.held_out),
        )
    console.print(table)
    _print_figures(console, totals(study.compared, thinking.knowledge))


@evaluate.command()
@draws_option
@seed_option
@as_json_option
def population(draws: int, seed: int, as_json: bool) -> None:
    """Prevalence of narrowed leg arteries against a survey that measured everybody."""
    thinking = mind(load_knowledge())
    with _progress() as track:
        drawn = suite.draw_networks(thinking.knowledge, suite.Size(seed=seed, draws=draws, track=track), with_truths=False)
        result = suite.population_study(thinking, drawn)
    if as_json:
        _echo({"knowledge_version": thinking.knowledge.version, "seed": seed} | plain.population(result))
        return
    console = Console()
    table = Table(title=result.survey.title, title_justify="left")
    for column in ("age", "sex", "people", "observed", "model", "agrees"):
        table.add_column(column)
    for c in result.cells:
        band = f"{c.band[0]} to {c.band[1]}"
        table.add_row(band, c.sex, str(c.n), plain.span(c.observed, c.ci95), plain.span(c.simulated, c.interval), plain.yes(c.agrees))
    console.print(table)
    _print_figures(console, plain.population(result)["total"])


@evaluate.command()
@click.option("--people", type=click.IntRange(100), default=2000, show_default=True, help="Simulated people for accuracy and calibration.")
@click.option("--interviews", type=click.IntRange(10), default=200, show_default=True, help="People interviewed for each policy and noise.")
@draws_option
@seed_option
@as_json_option
def simulation(people: int, interviews: int, draws: int, seed: int, as_json: bool) -> None:
    """Simulated people: accuracy, calibration, coverage, and what questions are worth."""
    thinking = mind(load_knowledge())
    with _progress() as track:
        size = suite.Size(seed=seed, draws=draws, scored=people, interviews=interviews, track=track)
        study = suite.simulation_study(thinking, suite.draw_networks(thinking.knowledge, size), size)
    document = {"knowledge_version": thinking.knowledge.version, "seed": seed} | plain.simulation(study)
    if as_json:
        _echo(document)
        return
    console = Console()
    for title, rows in plain.simulation_tables(study).items():
        _print_rows(console, title, rows)


@evaluate.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--vignettes", "folder", type=click.Path(path_type=Path), required=True, help="Folder of case files.")
@click.option("--date", "day", required=True, help="Date that the report carries, YYYY-MM-DD.")
@click.option("--people", type=click.IntRange(1000), default=60_000, show_default=True, help="Simulated people per published study.")
@click.option("--interviews", type=click.IntRange(10), default=200, show_default=True, help="People interviewed for each policy and noise.")
@draws_option
@seed_option
def report(out: Path, folder: Path, day: str, people: int, interviews: int, draws: int, seed: int) -> None:
    """Run every study and write one self-contained page, a text version, the figures and all numbers to OUT."""
    try:
        from soleus.evaluation import report as writer
    except ModuleNotFoundError as error:
        raise InputError(f"the report needs {error.name}; install it with: pip install 'soleus[report]'") from None
    checked_date(day, "--date")
    thinking = mind(load_knowledge())
    if not read_vignettes(folder, thinking.knowledge)[0]:
        raise InputError(f"{folder}: no case file here can be used; 'soleus evaluate vignettes {folder}' says why")
    out.mkdir(parents=True, exist_ok=True)
    command = f"soleus evaluate report OUT --vignettes {folder.name} --date {day} --people {people} --interviews {interviews}"
    with _progress() as track:
        size = replace(suite.Size(seed=seed, draws=draws, people=people, interviews=interviews), track=track)
        evaluation = suite.evaluate(thinking, folder, size, f"{command} --draws {draws} --seed {seed}", day)
    for path in writer.write(evaluation, out):
        click.echo(path)
    _end(evaluation.vignettes.faults)


@evaluate.command()
@click.option("--people", type=click.IntRange(1000), default=100_000, show_default=True, help="Simulated people with dangerous conditions.")
@seed_option
@as_json_option
def adversarial(people: int, seed: int, as_json: bool) -> None:
    """Simulated people with dangerous conditions who answer badly: how often is their urgency too low?"""
    with _progress() as track:
        results = bad.adversarial(mind(load_knowledge()), people, seed, track("ways of answering", len(bad.WAYS)))
    rows = [
        {
            "way of answering": r.way.name,
            "people": r.total.n,
            "too low": r.total.under,
            "share": plain.short(r.total.share),
            "bound": plain.short(r.total.upper),
            "harmless too high by two": plain.short(r.too_high_by_two),
            "self-care too high": plain.short(r.of_self_care),
        }
        for r in results
    ]
    if as_json:
        _echo({"seed": seed, "ways": rows})
        return
    _print_rows(Console(), "Urgency of people who answer badly", rows)


@evaluate.command(name="safety-case")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--date", "day", required=True, help="Date that the page carries, YYYY-MM-DD.")
@click.option("--people", type=click.IntRange(1000), default=100_000, show_default=True, help="Simulated people with dangerous conditions.")
@seed_option
def safety_case(out: Path, day: str, people: int, seed: int) -> None:
    """Run the proofs, break every rule, simulate bad answers, and write the safety case to OUT (minutes)."""
    try:
        from soleus.evaluation import safety_case as page
        from soleus.interview.always_asked import all_proofs
        from soleus.safety import mutate
    except ModuleNotFoundError as error:
        raise InputError(f"the safety case needs {error.name}; install it with: pip install 'soleus[prove,report]'") from None
    checked_date(day, "--date")
    thinking = mind(load_knowledge())
    with _progress() as track:
        proofs = list(all_proofs(thinking.knowledge))
        mutation, mutants = mutate.Mutation(thinking.knowledge), list(mutate.mutants(thinking.knowledge))
        done, verdicts = track("breaking rules", len(mutants)), []
        for number, mutant in enumerate(mutants):
            verdicts.append(mutation.judge(mutant))
            done(number + 1)
        results = bad.adversarial(thinking, people, seed, track("ways of answering", len(bad.WAYS)))
        prices = bad.prices(thinking, people // 5, seed)
    ways = mutation.prover.formulas.space.size.bit_length() - 1
    command = f"soleus evaluate safety-case OUT --people {people} --seed {seed} --date {day}"
    for path in page.write(page.SafetyCase(thinking, proofs, verdicts, results, prices, ways, command, day), out):
        click.echo(path)


# -- printing --------------------------------------------------------------------------------------


@contextmanager
def _progress() -> Iterator[Track]:
    """Progress bars on standard error, so that output stays clean."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:

        def track(name: str, total: int) -> Callable[[int], None]:
            bar = bars.add_task(name, total=total)
            return lambda done: bars.update(bar, completed=done, visible=done < total)

        yield track


def _echo(document: Mapping[str, Any]) -> None:
    click.echo(json.dumps(document, indent=2, allow_nan=False))


def _end(faults: Sequence[str]) -> None:
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        sys.exit(1)


def _print_cases(console: Console, mode: Mode, outcomes: list[Outcome], setting: str | None) -> None:
    table = Table(title=f"Cases {MODES[mode]}; setting: {setting or 'as in the case'}", title_justify="left")
    for column in ("case", "right cause", "rank", "named first", "urgency", "accepted as right", ""):
        table.add_column(column, overflow="fold")
    for o in outcomes:
        verdict = f"under by {o.under}" if o.under else f"over by {o.over}" if o.over else "ok"
        table.add_row(o.id, o.expected, str(o.rank), "" if o.rank == 1 else o.first, o.urgency.name, o.right_urgency.name, verdict)
    console.print(table)
    _print_figures(console, summary(outcomes))


def _print_figures(console: Console, figures: Mapping[str, Any]) -> None:
    for name, value in figures.items():
        console.print(f"  {name.replace('_', ' ')}: {value:.3f}" if isinstance(value, float) else f"  {name.replace('_', ' ')}: {value}")


def _print_rows(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)
