"""`soleus assess`: case files in, assessments out."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click
from rich.console import Console

from soleus.assessment.assess import assess as assess_case
from soleus.assessment.result import Assessment
from soleus.delivery.casefile import read_cases
from soleus.delivery.text import print_report
from soleus.errors import InputError
from soleus.knowledge.case import Case
from soleus.knowledge.load import load_knowledge


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="CASE...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print.")
def assess(files: tuple[str, ...], form: str) -> None:
    """Assess one or more cases. CASE is a YAML or JSON file, a JSON Lines file (.jsonl), or - for standard input.

    A single case with --format json prints one JSON object; several print one object a line.
    """
    knowledge = load_knowledge()
    cases = _read_all(files)
    results = [assess_case(case, knowledge) for case in cases]
    if form == "json":
        _print_json(results, lines=len(files) > 1 or len(results) > 1)
    else:
        console = Console()
        for case, result in zip(cases, results, strict=True):
            if len(results) > 1:
                console.rule(f"Case {case.id or ''}".rstrip())
            print_report(console, result, knowledge)


def _read_all(files: tuple[str, ...]) -> list[Case]:
    """Every case of every file; all faults are reported together and nothing is assessed."""
    knowledge, cases, faults = load_knowledge(), list[Case](), list[str]()
    for file in files:
        try:
            cases += list(read_cases(file, knowledge))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    if not cases:
        raise InputError("no case was given")
    return cases


def _print_json(results: list[Assessment], *, lines: bool) -> None:
    for result in results:
        click.echo(result.model_dump_json(indent=None if lines else 2))


def example_file() -> Path:
    """The bundled example case."""
    return Path(str(resources.files("soleus"))) / "examples" / "calf_tightens_when_walking.yaml"


def assess_example() -> None:
    """Assess the bundled example and say how to go on."""
    knowledge = load_knowledge()
    (case,) = read_cases(str(example_file()), knowledge)
    click.echo("No terminal is attached, so here is the bundled example: a woman of 67 who smokes; her calf tightens when she walks.\n")
    print_report(Console(), assess_case(case, knowledge), knowledge)
    click.echo("\nTo answer questions about your own leg, run 'soleus interview' in a terminal.")
    click.echo("To assess a recorded case, run 'soleus assess CASE.yaml' (add --format json for machines).")
