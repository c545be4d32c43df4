"""Loading the knowledge base: files to a frozen `Knowledge`, every fault with file, line and field."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from soleus.errors import InputError, KnowledgeError
from soleus.knowledge import schema
from soleus.knowledge.cache import cached
from soleus.knowledge.expression import Expression, findings_in, parse
from soleus.knowledge.read import Document, read_yaml

M = TypeVar("M", bound=BaseModel)
Where = tuple[str, int]


@dataclass(frozen=True)
class Knowledge:
    """The whole knowledge base. Mappings keep the order of the files; ids are the keys."""

    version: str
    settings: schema.Settings
    levels: Mapping[schema.Urgency, schema.Level]
    sources: Mapping[str, schema.Source]
    findings: Mapping[str, schema.Finding]
    conditions: Mapping[str, schema.Condition]
    patterns: Mapping[str, schema.Pattern]
    definitions: Mapping[str, schema.Definition]
    rules: Mapping[str, schema.Rule]
    care: Mapping[str, schema.Care]
    hazards: Mapping[str, schema.Hazard]
    rule_when: Mapping[str, Expression]
    ask_if: Mapping[str, Expression]
    not_if: Mapping[str, tuple[Expression, ...]]
    situation_when: Mapping[str, Expression]
    never_when: Mapping[str, tuple[Expression, ...]]
    where: Mapping[str, Where] = field(repr=False)

    @cached_property
    def condition_of(self) -> Mapping[str, str]:
        """Every id and alias of a condition to its id."""
        ids = {c: c for c in self.conditions}
        return ids | {alias: c.id for c in self.conditions.values() for alias in c.aliases}

    @cached_property
    def danger_signs(self) -> tuple[str, ...]:
        return tuple(f.id for f in self.findings.values() if f.danger_sign)

    @cached_property
    def rules_reading(self) -> Mapping[str, tuple[str, ...]]:
        """Finding to the rules whose expression reads it."""
        reading: dict[str, list[str]] = {}
        for rule, when in self.rule_when.items():
            for finding in findings_in(when):
                reading.setdefault(finding, []).append(rule)
        return {finding: tuple(rules) for finding, rules in reading.items()}

    def suggest(self, finding: str) -> str:
        """'; did you mean ...?' for a misspelt finding id, or how to list what is allowed."""
        near = difflib.get_close_matches(str(finding), self.findings, n=3, cutoff=0.6)
        return f"; did you mean {' or '.join(near)}?" if near else "; 'soleus kb list findings' shows what is allowed"

    def labels(self, finding: str, values: Any) -> str:
        """Lay labels of some values of a finding, joined for a sentence."""
        known = self.findings[finding].values
        return " or ".join(label for value, label in known.items() if value in values)


_ROOMS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("sources", schema.Source),
    ("findings", schema.Finding),
    ("conditions", schema.Condition),
    ("patterns", schema.Pattern),
    ("rules", schema.Rule),
    ("care", schema.Care),
    ("hazards", schema.Hazard),
)
_SINGLES: Mapping[str, type[BaseModel]] = {"rules/definitions.yaml": schema.Definition, "levels.yaml": schema.Level}


def default_folder() -> Path:
    """The knowledge base that is bundled with the package."""
    return Path(str(resources.files("soleus"))) / "kb"


@lru_cache(maxsize=4)
def load_knowledge(folder: Path | None = None) -> Knowledge:
    """The knowledge base in `folder` (default: the bundled one). Raises KnowledgeError with every fault."""
    folder = folder or default_folder()
    files = _read_files(folder)
    version = _version(files)
    return cached("knowledge", f"{version[:16]}-{_code_version()}", Knowledge, lambda: _build(files, version))


def _read_files(folder: Path) -> dict[str, bytes]:
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}
    if not files:
        raise KnowledgeError(f"{folder}: no knowledge files (*.yaml) here")
    return files


def _version(files: Mapping[str, bytes]) -> str:
    """Content hash of all files, names included."""
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _code_version() -> str:
    """Hash of the code that shapes what is cached, so that a changed schema or compiler is never read from an old entry."""
    digest = hashlib.sha256()
    package = Path(str(resources.files("soleus")))
    for room in ("knowledge", "model"):
        for path in sorted((package / room).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def code_key(knowledge: Knowledge) -> str:
    """Cache key of what is compiled from `knowledge` by this code."""
    return f"{knowledge.version[:16]}-{_code_version()}"


# -- building --------------------------------------------------------------------------------------


class _Builder:
    def __init__(self) -> None:
        self.faults: list[str] = []
        self.where: dict[str, Where] = {}

    def validate(self, model: type[M], raw: Any, name: str, document: Document, path: tuple[str | int, ...]) -> M | None:
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for fault in error.errors():
                self.faults.append(_fault(fault, name, document, path))
            return None

    def expression(self, raw: Any, definitions: Mapping[str, Any], key: str, part: str) -> Expression | None:
        try:
            return parse(raw, definitions)
        except ValueError as error:
            name, line = self.where[key]
            self.faults.append(f"{name}, line {line}: {key.split('/')[1]}.{part}: {error}")
            return None


def _fault(fault: Any, name: str, document: Document, path: tuple[str | int, ...]) -> str:
    keys = tuple(k for k in fault["loc"] if isinstance(k, int) or not k.startswith(("function-", "literal[")))
    line = document.line((*path, *keys))
    given = "" if fault["type"] == "missing" or isinstance(fault["input"], dict) else f"; got {str(fault['input'])[:60]!r}"
    where = ".".join(map(str, keys)) or "entry"
    return f"{name}, line {line}: {where}: {fault['msg'].removeprefix('Value error, ')}{given}"


def _build(files: Mapping[str, bytes], version: str) -> Knowledge:
    builder = _Builder()
    documents = dict(_documents(files, builder))
    entries: dict[str, dict[Any, Any]] = {room: {} for room in (*(r for r, _ in _ROOMS), "definitions", "levels")}
    for name, document in documents.items():
        _take(name, document, entries, builder)
    settings = _settings(documents, builder)
    definitions = {d.id: d.when for d in entries["definitions"].values()}
    rule_when = {r.id: builder.expression(r.when, definitions, f"rules/{r.id}", "when") for r in entries["rules"].values()}
    ask_if = {
        f.id: builder.expression(f.ask_if, definitions, f"findings/{f.id}", "ask_if")
        for f in entries["findings"].values()
        if f.ask_if is not None
    }
    not_if = {
        c.id: tuple(builder.expression(n.when, definitions, f"care/{c.id}", f"not_if.{i}.when") for i, n in enumerate(c.not_if))
        for c in entries["care"].values()
    }
    situation_when = {
        s.id: builder.expression(s.when, definitions, f"hazards/{h.id}", f"situations.{s.id}.when")
        for h in entries["hazards"].values()
        for s in h.situations
    }
    never_when = {
        h.id: tuple(builder.expression(n.when, definitions, f"hazards/{h.id}", f"never.{i}.when") for i, n in enumerate(h.never))
        for h in entries["hazards"].values()
    }
    if builder.faults or settings is None:
        raise KnowledgeError(builder.faults)
    return Knowledge(
        version=version,
        settings=settings,
        rule_when=rule_when,  # type: ignore[arg-type]  # a fault was raised above for each that is None
        ask_if=ask_if,  # type: ignore[arg-type]
        not_if=not_if,  # type: ignore[arg-type]
        situation_when=situation_when,  # type: ignore[arg-type]
        never_when=never_when,  # type: ignore[arg-type]
        where=builder.where,
        **entries,
    )


def _documents(files: Mapping[str, bytes], builder: _Builder) -> Iterator[tuple[str, Document]]:
    for name, content in files.items():
        try:
            yield name, read_yaml(content.decode("utf-8"), name)
        except UnicodeDecodeError as error:
            builder.faults.append(f"{name}: not UTF-8 (byte {error.start})")
        except InputError as error:
            builder.faults.extend(error.faults)


def _take(name: str, document: Document, entries: dict[str, dict[Any, Any]], builder: _Builder) -> None:
    room = name.split("/")[0].removesuffix(".yaml")
    if room == "settings":
        return
    model = _SINGLES.get(name) or dict(_ROOMS).get(room)
    if model is None:
        builder.faults.append(f"{name}: no such room; allowed: {', '.join(r for r, _ in _ROOMS)}, levels.yaml, settings.yaml")
        return
    room = "definitions" if name == "rules/definitions.yaml" else room
    items = [((), document.data)] if room in ("conditions", "patterns") else [((i,), d) for i, d in enumerate(document.data or [])]
    for path, raw in items:
        entry: Any = builder.validate(model, raw, name, document, path)
        if entry is None:
            continue
        key, line = f"{room}/{entry.id.name if room == 'levels' else entry.id}", document.line(path)
        if key in builder.where:
            first = builder.where[key]
            builder.faults.append(f"{name}, line {line}: id {entry.id!r} was already given in {first[0]}, line {first[1]}")
        elif room == "conditions" and name != f"conditions/{entry.id}.yaml":
            builder.faults.append(f"{name}, line {line}: id {entry.id!r} must equal the file name")
        else:
            builder.where[key] = (name, line)
            entries[room][entry.id] = entry


def _settings(documents: Mapping[str, Document], builder: _Builder) -> schema.Settings | None:
    document = documents.get("settings.yaml")
    if document is None:
        builder.faults.append("settings.yaml: missing")
        return None
    return builder.validate(schema.Settings, document.data, "settings.yaml", document, ())
