"""`soleus kb new`, `explain`, `diff` and `coverage`: for the people who edit the knowledge base."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path

import click
import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from soleus.errors import InputError
from soleus.evaluation.dialogue import belief
from soleus.evaluation.vignettes import history_only, read_vignettes
from soleus.interview.value import mind_with
from soleus.knowledge.load import Knowledge, default_folder, load_knowledge
from soleus.knowledge.numbers import Placed, changes, numbers, resting_on
from soleus.knowledge.schema import Condition, Finding, Number
from soleus.model.compile import compile_network, network_for
from soleus.model.uncertainty import spread_of

MOST_COMPARED = 5
"""Conditions shown with the highest and the lowest share."""
folder_option = click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Another knowledge base.")

RESERVED = ("age", "sex", "cause", "condition", "present", "yes", "no", "null", "true", "false", "on", "off", "unknown")
"""Words that mean something else in case files, study files or YAML."""
SKELETON = """\
# A new condition. Fill in, then: soleus kb check; make test; make evaluate. docs/knowledge.md explains every part.
id: {id}
name: {{lay: {words}, clinical: {words}}}    # plain words; the field's term
group: other                     # arterial, venous, nerve, muscle, bone, infection, other ... (see 'soleus kb list conditions')
must_not_miss: false             # true: it is kept on the list to rule out; then give rule_out_above as well
urgency: routine                 # how soon a person with it should be seen
urgency_basis: {{text: To be written., basis: judgement}}
complete: false                  # true when every part below is filled in; 'soleus kb check' then holds you to it
review: {{checked: '{day}'}}
what: {{text: To be written., basis: judgement}}      # or: source: SOURCE_ID from kb/sources
prior:                           # share of people with a calf complaint for whom it is the cause, by setting
  by_setting: {{at_home: 0.0001, primary_care: 0.0001, emergency_department: 0.0001, sports_clinic: 0.0001, vascular_clinic: 0.0001}}
  age: {{0-29: 1, 30-49: 1, 50-64: 1, 65-74: 1, 75-120: 1}}      # relative to all who come
  sex: {{male: 1, female: 1}}
  basis: judgement
  weight: 5
# prevalence:                    # only where it is common or silent enough to be present besides another cause
# - {{age: [50, 120], value: 0.02, basis: judgement, weight: 20}}
# risk:                          # odds ratios of risk factors, against those without the factor
#   smoking_status.current: {{odds_ratio: 2.0, basis: judgement, weight: 10}}
# findings:                      # P(finding | it is the cause); what is left out is as in everybody who asks
#   affected_side: {{value: {{left: 0.4, right: 0.4, both: 0.15, alternating: 0.05}}, basis: judgement, weight: 8}}
#   one_leg_swollen: {{value: 0.2, source: SOURCE_ID, n: 120}}
# in_the_leg: {{text: What happens in the leg when walking., basis: judgement}}
# course: {{text: How it goes without and with treatment., basis: judgement, better_within_days: 28}}
# codes: {{icd10cm: [], snomed: []}}
# self_care: []                  # ids of care entries: 'soleus kb list care'
# treatments: []
# tests: []
# seek_care:
# - {{text: It gets worse., urgency: within_days, basis: judgement}}
"""


@click.command()
@click.argument("what", type=click.Choice(["condition"]))
@click.argument("entry_id", metavar="ID")
@click.option("--date", "day", required=True, help="Date of the review entry, YYYY-MM-DD.")
@folder_option
def new(what: str, entry_id: str, day: str, folder: Path | None) -> None:
    """Write a commented skeleton that passes the schema."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", entry_id) or entry_id in RESERVED:
        raise InputError(f"{what} {entry_id!r}: allowed: small letters, digits and single _, and none of {', '.join(RESERVED)}")
    text = SKELETON.format(id=entry_id, words=entry_id.replace("_", " ").capitalize(), day=checked_date(day, "--date"))
    Condition.model_validate(yaml.safe_load(text))
    path = (folder or default_folder()) / "conditions" / f"{entry_id}.yaml"
    knowledge = load_knowledge(folder)
    if path.exists() or entry_id in knowledge.condition_of:
        raise InputError(f"{entry_id}: there is such a condition already; 'soleus kb show {entry_id}' shows it")
    path.write_text(text, encoding="utf-8")
    click.echo(path)


# -- where a number comes from ---------------------------------------------------------------------


@click.command()
@click.argument("condition")
@click.argument("finding")
@folder_option
def explain(condition: str, finding: str, folder: Path | None) -> None:
    """Where the number of FINDING in CONDITION comes from, and what it does."""
    knowledge = load_knowledge(folder)
    known = knowledge.condition_of.get(condition)
    if known is None:
        raise InputError(f"no condition {condition!r}; 'soleus kb list conditions' shows what is allowed")
    if finding not in knowledge.findings:
        raise InputError(f"no finding {finding!r}{knowledge.suggest(finding)}")
    console = Console()
    for line in _origins(knowledge, known, finding):
        console.print(line, highlight=False)
    _print_effect(console, knowledge, known, knowledge.findings[finding])


def _origins(knowledge: Knowledge, condition: str, finding: str) -> list[str]:
    found = [p for p in numbers(knowledge) if p.condition == condition and p.key.split(".")[0] == finding and p.kind != "prevalence"]
    if not found:
        return [f"{condition} has no number for {finding}: it is taken to be as in everybody who asks."]
    return [line for placed in found for line in _origin(knowledge, placed)]


def _origin(knowledge: Knowledge, placed: Placed) -> list[str]:
    number = placed.number
    values = ", ".join(f"{key + ' ' if key else ''}{value:g}" for key, value in placed.values.items())
    lines = [f"{placed.kind} {placed.key}: {values}", f"  {_basis(number)}"]
    for source in (knowledge.sources[s] for s in number.sources):
        read = {"abstract": "abstract", "full_text": "full text", "secondary": "quoted in another work"}[source.seen]
        lines.append(f"  {source.authors or 'no author'}. {source.title}. {source.journal or ''} {source.year or ''} (read: {read})")
    return [*lines, f"  note: {number.note}"] if number.note else lines


def _basis(number: Number) -> str:
    size = f"n = {number.n}" if number.n else f"95% interval {number.ci95}" if number.ci95 else f"counts as {number.weight:g} people"
    return f"{'a study' if number.source else 'judgement'}, {size}"


def _print_effect(console: Console, knowledge: Knowledge, condition: str, finding: Finding) -> None:
    network = network_for(knowledge)
    table = Table(title=f"What an answer to {finding.id} does for {condition}", title_justify="left")
    for column in ("answer", "share here", "in everybody", "ratio", "highest in", "lowest in"):
        table.add_column(column, overflow="fold")
    row = network.causes.index(condition)
    for item in (i for i in network.values if i.split(".")[0] == finding.id):
        shares = network.shares(item)
        usual = network.prior(None, None, None) @ shares
        for value, state in enumerate(network.values[item]):
            if finding.type in ("boolean", "multi") and value == 0:
                continue
            order = np.argsort(-shares[:, value], kind="stable")
            high, low = (", ".join(network.causes[i] for i in part) for part in (order[:MOST_COMPARED], order[::-1][:MOST_COMPARED]))
            share = shares[row, value]
            label = item.split(".")[-1] if finding.type == "multi" else state
            table.add_row(label, f"{share:.3g}", f"{usual[value]:.3g}", f"{share / usual[value]:.3g}", high, low)
    console.print(table)
    patterns = [p.id for p in knowledge.patterns.values() if any(f.split(".")[0] == finding.id for f in p.findings)]
    console.print(f"latent pattern: {', '.join(patterns) or 'none'}", highlight=False)
    console.print(f"safety rules that read it: {', '.join(knowledge.rules_reading.get(finding.id, ())) or 'none'}", highlight=False)


# -- what changed ----------------------------------------------------------------------------------


@click.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new_folder", metavar="NEW", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--vignettes", "cases", type=click.Path(path_type=Path), help="Case files: say which change their answer.")
def diff(old: Path, new_folder: Path, cases: Path | None) -> None:
    """What is different between two knowledge bases, in clinical words, and which cases change their answer."""
    before, after = load_knowledge(old.resolve()), load_knowledge(new_folder.resolve())
    lines = list(changes(before, after))
    for line in lines:
        click.echo(line)
    click.echo(f"{len(lines)} changes.")
    if cases is not None:
        moved = list(_moved(before, after, cases))
        for line in moved:
            click.echo(line)
        click.echo(f"{len(moved)} cases change their answer (from the history alone).")


def _moved(before: Knowledge, after: Knowledge, folder: Path) -> list[str]:
    """One line for each case that both can read and that changes its answer."""
    minds = [mind_with(k, compile_network(k)) for k in (before, after)]
    read = [{v.file: v for v in read_vignettes(folder, k)[0]} for k in (before, after)]
    lines = []
    for name, vignette in read[1].items():
        if name not in read[0]:
            lines.append(f"{name}: only the new knowledge can read it")
            continue
        case = vignette.case
        concluded = [belief(m, history_only(r[name].case, m.knowledge)) for m, r in zip(minds, read, strict=True)]
        answers = [(m.engine.network.causes[b.causes[0]], b.urgency.name) for m, b in zip(minds, concluded, strict=True)]
        if answers[0] != answers[1]:
            right = after.condition_of[vignette.expected.condition]
            lines.append(
                f"{case.id}: {' / '.join(answers[0])} -> {' / '.join(answers[1])} (right: {right} / {vignette.expected.urgency.name})"
            )
    return lines


# -- what rests on what ----------------------------------------------------------------------------


@click.command()
@click.option("--by", type=click.Choice(["kind", "condition", "finding"]), default="kind", show_default=True)
@folder_option
def coverage(by: str, folder: Path | None) -> None:
    """How many numbers rest on studies and how many on judgement, and with what weight; and numbers that rest on stale or
    retracted sources."""
    knowledge = load_knowledge(folder)
    counts: dict[str, Counter[str]] = {}
    for placed in numbers(knowledge):
        key = {"kind": placed.kind, "condition": placed.condition or "everybody", "finding": placed.key.split(".")[0]}[by]
        basis = "studies" if placed.number.source else "judgement"
        count = counts.setdefault(key, Counter())
        count[basis] += 1
        count[f"{basis} weight"] += round(_weight(placed, knowledge))
    table = Table(title="Numbers and what they rest on (weight: people that they count as)", title_justify="left")
    for column in (by, "studies", "judgement", "weight of studies", "weight of judgement", "share on studies by weight"):
        table.add_column(column, overflow="fold")
    for key, count in sorted(counts.items()):
        weights = count["studies weight"], count["judgement weight"]
        share = f"{weights[0] / max(sum(weights), 1):.0%}"
        table.add_row(key, str(count["studies"]), str(count["judgement"]), f"{weights[0]:,}", f"{weights[1]:,}", share)
    console = Console()
    console.print(table)
    for standing in ("stale", "retracted"):
        for source, entries in resting_on(knowledge, standing).items():
            console.print(f"{standing}: {source}: {knowledge.sources[source].standing_note}", highlight=False)
            for entry in entries:
                console.print(f"  {entry}", highlight=False)


def _weight(placed: Placed, knowledge: Knowledge) -> float:
    """The sample size that a number counts as; an odds ratio's is what its spread means at even odds."""
    number = placed.number
    if number.n or number.weight:
        return float(number.n or number.weight or 0)
    value = next(iter(placed.values.values()))
    if placed.kind == "odds ratio":
        assert number.ci95 is not None, "a number has n, weight or an interval"
        return float(4 / (np.log(number.ci95[1] / number.ci95[0]) / (2 * 1.96)) ** 2)
    shares = np.array([1 - value, value])
    return float(1 / (spread_of(number, shares, knowledge.settings.judgement_spread)[1] ** 2 * value))


def checked_date(text: str, option: str) -> str:
    """`text` if it is a date as YYYY-MM-DD. Raises InputError."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise InputError(f"{option}: got {text!r}; allowed: a date as YYYY-MM-DD")


COMMANDS = (new, explain, diff, coverage)
