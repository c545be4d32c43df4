"""The knowledge base as a library to read: what belongs together, what rests on what, and what an answer tells. Made once, from
the knowledge alone; nothing of it is asked of a visitor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel

from soleus.assessment.assess import cited
from soleus.assessment.ratios import likelihood_ratios
from soleus.assessment.result import SourceNote
from soleus.delivery.rule_words import in_words
from soleus.knowledge.expression import Expression, findings_in
from soleus.knowledge.load import Knowledge
from soleus.knowledge.numbers import numbers
from soleus.knowledge.schema import Basis, Care, Condition, Finding, Number, Prior, Source
from soleus.model.compile import network_for
from soleus.model.network import Array
from soleus.model.shares import items_of

ROOMS = {"conditions": "Causes", "care": "Care and tests", "findings": "Questions", "rules": "Safety rules", "sources": "Sources"}
MOST_TOLD = 4
"""Conditions named for and against an answer."""
TELLS_FROM = 1.5
"""Ratio from which an answer is said to speak for a condition (its inverse: against)."""


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Names of groups and kinds, and what grades mean."""
    found: Mapping[str, Mapping[str, str]] = yaml.safe_load((resources.files("soleus.delivery.web") / "library.yaml").read_text("utf-8"))
    return found


def word(what: str, name: str) -> str:
    """The reader's word for a group, kind or grade; its id in words where it has none yet."""
    return words()[what].get(name) or name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Link:
    """An entry of the library: where it is, its name, and one line about it."""

    href: str
    name: str
    line: str = ""


def times_said(ratio: float) -> str:
    """A ratio in words: '5.0 times more often'."""
    times = ratio if ratio > 1 else 1 / ratio
    amount = "more than 100" if times > 100 else f"{times:.0f}" if times >= 9.5 else f"{times:.1f}"
    return f"{amount} times {'more' if ratio > 1 else 'less'} often"


@dataclass(frozen=True)
class Ratio:
    """How many times as often people with a condition give an answer as people with another cause."""

    condition: Link
    times: float

    @property
    def said(self) -> str:
        return times_said(self.times)


@dataclass(frozen=True)
class Tells:
    """What one answer speaks for and against, strongest first."""

    answer: str
    supports: tuple[Ratio, ...]
    opposes: tuple[Ratio, ...]


@dataclass(frozen=True)
class Signal:
    """An answer that speaks for or against one condition."""

    finding: Link
    answer: str
    times: float

    @property
    def said(self) -> str:
        return times_said(self.times)


@dataclass(frozen=True)
class Uses:
    """What rests on a source within one entry."""

    entry: Link
    numbers: int
    statements: int


@dataclass(frozen=True)
class Node:
    """A line of an expression in words, with what is indented under it."""

    text: str
    parts: tuple[Node, ...] = ()


class References:
    """Sources of one page, numbered in the order in which the page names them."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._ids: dict[str, int] = {}

    def cite(self, sources: Iterable[str]) -> list[int]:
        """Their numbers; one that was not named yet gets the next."""
        return [self._ids.setdefault(s, len(self._ids) + 1) for s in sources]

    def listed(self) -> list[tuple[int, SourceNote, str]]:
        """Number, citation and link of each."""
        return [(number, cited(self._knowledge.sources[s]), link_of(self._knowledge.sources[s])) for s, number in self._ids.items()]


def link_of(source: Source) -> str:
    """Where a reader finds it."""
    if source.doi:
        return f"https://doi.org/{source.doi}"
    return f"https://pubmed.ncbi.nlm.nih.gov/{source.pmid}/" if source.pmid else source.url or ""


class Library:
    """Everything the library's pages need of one knowledge base."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge

    # -- names and lists -----------------------------------------------------------------------------

    def link(self, room: str, entry_id: str) -> Link:
        """The link to an entry."""
        entry = getattr(self.knowledge, room)[entry_id]
        return Link(f"/library/{room}/{entry_id}", self.name(entry), _line(entry))

    def links(self, room: str, ids: Iterable[str]) -> list[Link]:
        return [self.link(room, i) for i in ids]

    def name(self, entry: Any) -> str:
        """What an entry is called."""
        match entry:
            case Condition() | Care():
                return entry.name.lay
            case Finding():
                return f"{entry.name[0].upper()}{entry.name[1:]}"
            case Source():
                return entry.title
        return str(entry.reason)

    @cached_property
    def shelves(self) -> Mapping[str, Mapping[str, Sequence[Link]]]:
        """Room to its groups, each with its entries by name."""
        k = self.knowledge
        levels = {level.name: k.levels[level].name for level in sorted(k.levels, reverse=True)}
        return {
            "conditions": self._grouped("conditions", words()["groups"], lambda c: c.group),
            "care": self._grouped("care", words()["care"], lambda c: c.kind),
            "findings": self._grouped("findings", words()["findings"], lambda f: "danger" if f.danger_sign else f.kind),
            "rules": self._grouped("rules", levels, lambda r: r.urgency.name),
            "sources": self._grouped("sources", words()["kinds"], lambda s: s.kind),
        }

    def _grouped(self, room: str, names: Mapping[str, str], group_of: Any) -> Mapping[str, Sequence[Link]]:
        entries = getattr(self.knowledge, room)
        found: dict[str, list[Link]] = {names[g]: [] for g in names}
        for entry in entries.values():
            group = group_of(entry)
            found.setdefault(names.get(group) or group.replace("_", " ").capitalize(), []).append(self.link(room, entry.id))
        return {name: sorted(links, key=lambda link: link.name.lower()) for name, links in found.items() if links}

    @cached_property
    def addresses(self) -> frozenset[str]:
        """Every address in the library."""
        entries = (f"/library/{room}/{i}" for room in ROOMS for i in getattr(self.knowledge, room))
        return frozenset({"/library", *(f"/library/{room}" for room in ROOMS), *entries})

    # -- how sure ------------------------------------------------------------------------------------

    def studied(self, condition: str) -> tuple[int, int]:
        """How many of a condition's numbers rest on studies, and how many there are."""
        return self._counted.get(condition, (0, 0))

    @cached_property
    def _counted(self) -> Mapping[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for placed in numbers(self.knowledge):
            sourced, total = found.get(placed.condition or "", (0, 0))
            found[placed.condition or ""] = (sourced + bool(placed.number.sources), total + 1)
        return found

    def checked(self, conditions: Iterable[str] = ()) -> str:
        """The day of the oldest check among these conditions (of all where none is given)."""
        chosen = [self.knowledge.conditions[c] for c in conditions] or list(self.knowledge.conditions.values())
        return min(c.review.checked for c in chosen)

    def names_sources(self, entry: Any) -> bool:
        """Whether a statement of an entry names a source; numbers aside."""
        return any(not number for _, number in _based(entry))

    # -- what hangs together -------------------------------------------------------------------------

    def conditions_with(self, care: str) -> list[str]:
        """Conditions for which a care entry is named."""
        return [c.id for c in self.knowledge.conditions.values() if care in (*c.self_care, *c.treatments, *c.tests)]

    def rules_about(self, condition: str) -> list[str]:
        return [r.id for r in self.knowledge.rules.values() if condition in r.guards]

    @cached_property
    def care_reading(self) -> Mapping[str, Sequence[str]]:
        """Finding to the care whose limits read it."""
        found: dict[str, dict[str, None]] = {}
        for care, whens in self.knowledge.not_if.items():
            for finding in (f for when in whens for f in findings_in(when)):
                found.setdefault(finding, {})[care] = None
        return {finding: tuple(care) for finding, care in found.items()}

    def numbers_of(self, finding: str) -> list[tuple[str | None, Number]]:
        """Numbers about a finding, each with its condition (None: everybody who asks)."""
        return [(p.condition, p.number) for p in self._by_finding.get(finding, ())]

    @cached_property
    def _by_finding(self) -> Mapping[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for placed in numbers(self.knowledge):
            if placed.kind != "prevalence":
                found.setdefault(placed.key.split(".")[0], []).append(placed)
        return found

    def words_of(self, expression: Expression) -> tuple[Node, ...]:
        """An expression in words, as nested lists."""
        lines = in_words(expression, self.knowledge).splitlines()
        return _nested([((len(line) - len(line.lstrip())) // 2 + line.lstrip().startswith("- "), line.lstrip(" -")) for line in lines])

    @cached_property
    def resting(self) -> Mapping[str, Sequence[Uses]]:
        """Source to the entries that rest on it."""
        found: dict[str, dict[tuple[str, str], list[int]]] = {}
        for room in ("conditions", "care", "findings", "rules"):
            for entry in getattr(self.knowledge, room).values():
                for source, number in _based(entry):
                    found.setdefault(source, {}).setdefault((room, entry.id), [0, 0])[not number] += 1
        return {s: [Uses(self.link(*key), *counts) for key, counts in uses.items()] for s, uses in found.items()}

    # -- what an answer tells ------------------------------------------------------------------------

    def tells(self, finding: Finding) -> list[Tells]:
        """For each answer, the conditions that it speaks most for and against; none for what the model does not use."""
        return [self._told(answer, ratios) for answer, ratios in self._ratios.get(finding.id, ())]

    def _told(self, answer: str, ratios: Array) -> Tells:
        order = np.argsort(-ratios)
        causes = list(self.knowledge.conditions)
        named = [Ratio(self.link("conditions", causes[i]), float(ratios[i])) for i in order]
        supports = tuple(r for r in named if r.times >= TELLS_FROM)[:MOST_TOLD]
        opposes = tuple(r for r in reversed(named) if r.times <= 1 / TELLS_FROM)[:MOST_TOLD]
        return Tells(answer, supports, opposes)

    def signals(self, condition: str) -> tuple[list[Signal], list[Signal]]:
        """The answers of a person that speak most for a condition, and most against it."""
        row = list(self.knowledge.conditions).index(condition)
        found = [
            Signal(self.link("findings", f), answer, float(ratios[row]))
            for f, answers in self._ratios.items()
            if self.knowledge.findings[f].by == "person"
            for answer, ratios in answers
        ]
        found.sort(key=lambda s: -s.times)
        return [s for s in found if s.times >= TELLS_FROM][:8], [s for s in reversed(found) if s.times <= 1 / TELLS_FROM][:5]

    @cached_property
    def _ratios(self) -> Mapping[str, list[tuple[str, Array]]]:
        """Finding to its answers in words, each with P(answer | condition) / P(answer | any other cause), shape (conditions,)."""
        network = network_for(self.knowledge)
        found: dict[str, list[tuple[str, Array]]] = {}
        for finding in (f for f in self.knowledge.findings.values() if f.depends_on != "nothing"):
            for item in (i for i in items_of(finding) if i in network.values):
                ratios, answers = likelihood_ratios(network, item), _answers(finding, item, network.values[item])
                found.setdefault(finding.id, []).extend((said, ratios[:, value]) for value, said in answers)
        return found


def _line(entry: Any) -> str:
    match entry:
        case Condition():
            return entry.name.clinical
        case Care():
            return entry.what
        case Finding():
            return entry.question
    return ""


def _answers(finding: Finding, item: str, states: Sequence[str]) -> list[tuple[int, str]]:
    """The answers of an item that are worth telling, in words: of a several-choices option only its yes."""
    match finding.type:
        case "multi":
            return [(1, finding.values[item.partition(".")[2]])]
        case "boolean":
            return [(1, "Yes"), (0, "No")]
        case "number":
            return [(i, _range(state, finding.unit or "")) for i, state in enumerate(states)]
    return [(i, finding.values[state]) for i, state in enumerate(states)]


def _range(state: str, unit: str) -> str:
    """'25-30' with its unit in words."""
    unit = "" if unit in ("0-10", "ratio") else f" {unit}"
    if state.startswith("<"):
        return f"below {state[1:]}{unit}"
    if state.startswith(">="):
        return f"{state[2:]}{unit} or more"
    return f"{state.replace('-', ' to ')}{unit}"


def _nested(lines: Sequence[tuple[int, str]]) -> tuple[Node, ...]:
    """Lines with their depth as a tree."""
    found: list[Node] = []
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or lines[end][0] <= lines[start][0]:
            found.append(Node(lines[start][1], _nested(lines[start + 1 : end])))
            start = end
    return tuple(found) if lines else ()


def _based(entry: Any) -> Iterator[tuple[str, bool]]:
    """Sources named anywhere in an entry, and whether each is of a number."""
    if isinstance(entry, Prior):
        yield from ((s, True) for s in (entry.source,) if s)
    elif isinstance(entry, BaseModel):
        if isinstance(entry, Basis):
            yield from ((s, isinstance(entry, Number)) for s in entry.sources)
        for name in type(entry).model_fields:
            yield from _based(getattr(entry, name))
    elif isinstance(entry, tuple | list):
        for part in entry:
            yield from _based(part)
    elif isinstance(entry, dict):
        for part in entry.values():
            yield from _based(part)
