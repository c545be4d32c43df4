"""`soleus evaluate`: how good it is on cases with a known answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console
from rich.table import Table

from soleus.evaluation.vignettes import Mode, Outcome, as_dict, read_vignettes, run, summary
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Setting

SETTINGS = [s for s in get_args(Setting) if isinstance(s, str)]


@click.group()
def evaluate() -> None:
    """Measure Soleus against recorded cases."""


@evaluate.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--facts", type=click.Choice(["history", "all"]), default=None, help="History alone, or everything stated. Default: both.")
@click.option("--setting", type=click.Choice(SETTINGS), default=None, help="Score under this setting instead of the case's own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def vignettes(folder: Path, facts: str | None, setting: str | None, as_json: bool) -> None:
    """Top-1, top-3 and urgency agreement over the case files in FOLDER (*.yaml with an `expected` block)."""
    knowledge = load_knowledge()
    cases, faults = read_vignettes(folder, knowledge)
    modes: tuple[Mode, ...] = ("history", "all") if facts is None else (facts,)  # type: ignore[assignment]
    results = {mode: run(cases, knowledge, mode, setting) for mode in modes} if cases else {}
    if as_json:
        click.echo(json.dumps(_plain(results, knowledge.version, setting, faults), indent=2))
    else:
        for mode, outcomes in results.items():
            _print(Console(), mode, outcomes, setting)
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        sys.exit(1)


def _plain(results: dict[Mode, list[Outcome]], version: str, setting: str | None, faults: list[str]) -> dict[str, Any]:
    modes = {mode: {"total": summary(outcomes), "cases": [as_dict(o) for o in outcomes]} for mode, outcomes in results.items()}
    return {"knowledge_version": version, "setting": setting or "as in the case", "modes": modes, "faults": faults}


def _print(console: Console, mode: Mode, outcomes: list[Outcome], setting: str | None) -> None:
    title = {"history": "from the history alone", "all": "from everything stated"}[mode]
    table = Table(title=f"Cases {title}, setting: {setting or 'as in the case'}", title_justify="left")
    for column in ("case", "right cause", "rank", "named first", "urgency", "accepted as right", ""):
        table.add_column(column, overflow="fold")
    for o in outcomes:
        verdict = f"under by {o.under}" if o.under else f"over by {o.over}" if o.over else "ok"
        table.add_row(o.id, o.expected, str(o.rank), "" if o.rank == 1 else o.first, o.urgency.name, o.right_urgency.name, verdict)
    console.print(table)
    for name, value in summary(outcomes).items():
        shown = f"{value:.3f}" if isinstance(value, float) else str(value)
        console.print(f"  {name.replace('_', ' ')}: {shown}")
