"""`soleus kb`: check, list, show, rule, schema and version of the knowledge base; what edits it stands in `kb_edit`."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from soleus.assessment.result import Assessment
from soleus.cli.kb_edit import COMMANDS
from soleus.delivery.fhirpath import to_fhirpath
from soleus.delivery.rule_words import in_words
from soleus.errors import InputError
from soleus.knowledge import schema as kb_schema
from soleus.knowledge.case_schema import case_schema
from soleus.knowledge.check import check as check_knowledge
from soleus.knowledge.load import Knowledge, default_folder, load_knowledge

ROOMS = ("conditions", "findings", "patterns", "rules", "care", "hazards", "sources")
MODELS: Mapping[str, type[BaseModel]] = {
    "condition": kb_schema.Condition,
    "finding": kb_schema.Finding,
    "pattern": kb_schema.Pattern,
    "rule": kb_schema.Rule,
    "definition": kb_schema.Definition,
    "care": kb_schema.Care,
    "hazard": kb_schema.Hazard,
    "source": kb_schema.Source,
    "level": kb_schema.Level,
    "settings": kb_schema.Settings,
    "assessment": Assessment,
}


@click.group()
def kb() -> None:
    """Check, list and show the knowledge base."""


@kb.command()
@click.option(
    "--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Another knowledge base than the bundled one."
)
def check(folder: Path | None) -> None:
    """Check every file: format, references, sums, bases, sources, rules and plain words."""
    report = check_knowledge(load_knowledge(folder))
    for fault in report.faults:
        click.echo(fault)
    counted = ", ".join(f"{number} {name}" for name, number in report.counts.items())
    if report.faults:
        click.echo(f"{len(report.faults)} faults. Checked {counted}.")
        sys.exit(1)
    click.echo(f"OK. Checked {counted}.")


@kb.command(name="list")
@click.argument("what", type=click.Choice(ROOMS), required=False)
def list_entries(what: str | None) -> None:
    """List ids and names: conditions, findings, patterns, rules, care or sources (default: how many of each)."""
    knowledge = load_knowledge()
    if what is None:
        for room in ROOMS:
            click.echo(f"{room}: {len(getattr(knowledge, room))}")
        return
    for entry in getattr(knowledge, what).values():
        click.echo(f"{entry.id}\t{_title(entry)}")


def _title(entry: Any) -> str:
    match entry:
        case kb_schema.Condition():
            return f"{entry.name.lay}{'' if entry.complete else ' (not complete)'}"
        case kb_schema.Care():
            return f"{entry.name.lay} [{entry.kind}]"
        case kb_schema.Finding():
            return entry.question
        case kb_schema.Rule():
            return f"{entry.urgency.name}: {entry.reason}"
        case kb_schema.Hazard():
            return f"{entry.name} [{entry.kind}, risk {entry.before.level} to {entry.after.level}]"
        case kb_schema.Source():
            return f"{entry.title} ({entry.year or 'no year'})"
    return str(entry.what)


@kb.command()
@click.argument("entry_id", metavar="ID")
def show(entry_id: str) -> None:
    """Show one entry (condition, finding, pattern, rule, care entry or source) by its id or alias."""
    knowledge = load_knowledge()
    entry_id = knowledge.condition_of.get(entry_id, entry_id)
    found = [(room, getattr(knowledge, room)[entry_id]) for room in ROOMS if entry_id in getattr(knowledge, room)]
    if not found:
        raise InputError(f"no entry {entry_id!r} in the knowledge base{_near(knowledge, entry_id)}")
    for room, entry in found:
        name, line = knowledge.where[f"{room}/{entry_id}"]
        click.echo(f"# {name}, line {line}")
        click.echo(entry.model_dump_json(indent=2, exclude_none=True, exclude_defaults=True))


def _near(knowledge: Knowledge, entry_id: str, rooms: tuple[str, ...] = ROOMS) -> str:
    near = difflib.get_close_matches(entry_id, [i for room in rooms for i in getattr(knowledge, room)], n=3)
    listing = f"kb list {rooms[0]}" if len(rooms) == 1 else "kb list"
    return f"; did you mean {' or '.join(near)}?" if near else f"; 'soleus {listing}' shows what there is"


@kb.command()
@click.argument("rule_id", metavar="RULE_ID")
@click.option("--as", "form", type=click.Choice(["words", "fhirpath"]), default="words", show_default=True)
def rule(rule_id: str, form: str) -> None:
    """Show a safety rule in plain English with its sources, or as FHIRPath over a QuestionnaireResponse."""
    knowledge = load_knowledge()
    if rule_id not in knowledge.rules:
        raise InputError(f"no rule {rule_id!r} in the knowledge base{_near(knowledge, rule_id, ('rules',))}")
    if form == "fhirpath":
        click.echo(to_fhirpath(knowledge.rule_when[rule_id], knowledge))
        return
    entry = knowledge.rules[rule_id]
    click.echo(f"{knowledge.levels[entry.urgency].name} ({entry.urgency.name})")
    click.echo(entry.reason)
    click.echo(f"\nIt fires if:\n{in_words(knowledge.rule_when[rule_id], knowledge)}\n")
    click.echo("Sources:" if entry.sources else "It rests on judgement.")
    for source in (knowledge.sources[s] for s in entry.sources):
        click.echo(f"- {source.authors or 'no author'}. {source.title}. {source.journal or ''} {source.year or ''}".rstrip())


@kb.command()
@click.argument("what", type=click.Choice([*MODELS, "case"]), default="condition")
def schema(what: str) -> None:
    """Print the JSON Schema of a kind of file (default: condition); also of a case and of an assessment."""
    document = case_schema(load_knowledge()) if what == "case" else MODELS[what].model_json_schema()
    click.echo(json.dumps(document, indent=2))


@kb.command()
def version() -> None:
    """Print the content hash of the knowledge base."""
    click.echo(load_knowledge().version)


@kb.command()
def where() -> None:
    """Print the folder that holds the knowledge base."""
    click.echo(default_folder())


for command in COMMANDS:
    kb.add_command(command)
