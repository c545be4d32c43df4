"""Search in the library: every word has to be in an entry; names count more than texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from soleus.delivery.web.catalogue import ROOMS, Library, Link
from soleus.knowledge.schema import Care, Condition, Finding, Name

MOST_WORDS = 8
MOST_CHARACTERS = 100
MOST_HITS = 40
AROUND = 70
_READ = frozenset(
    {"name", "text", "what", "in_the_leg", "course", "avoid", "seek_care", "urgency_basis", "reason", "action", "symptom"}
    | {"steps", "dose", "maximum", "duration", "effect", "not_if", "because", "cautions", "title", "authors", "journal"}
)
"""Fields that are for reading."""


@dataclass(frozen=True)
class Hit:
    """An entry that was found: `before`, `found` and `after` are the text around the first word found."""

    link: Link
    room: str
    before: str
    found: str
    after: str


@dataclass(frozen=True)
class Page:
    """An entry as it is searched: plain small letters, of the same length as what is shown."""

    link: Link
    room: str
    text: str
    plain_name: str
    plain: str


def query_words(query: str) -> list[str]:
    """The words to look for, without the s of a plural."""
    found = re.findall(r"[\w-]+", plain(query[:MOST_CHARACTERS]))[:MOST_WORDS]
    return [w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in found]


def plain(text: str) -> str:
    """Small letters without accents, one for each character."""
    return "".join(_letter(c) for c in text)


def _letter(character: str) -> str:
    return unicodedata.normalize("NFD", character)[0].lower()[:1]


def pages(library: Library) -> tuple[Page, ...]:
    """Every entry of the library, ready to be searched."""
    found = []
    for room in ROOMS:
        for entry in getattr(library.knowledge, room).values():
            link = library.link(room, entry.id)
            text = " ".join(dict.fromkeys(texts(entry)))
            found.append(Page(link, room, text, plain(_names(entry, link)), plain(text)))
    return tuple(found)


def _names(entry: Any, link: Link) -> str:
    """All names of an entry."""
    others = entry.aliases if isinstance(entry, Condition) else ()
    clinical = entry.name.clinical if isinstance(entry, Condition | Care) else ""
    return " ".join((link.name, clinical, *(o.replace("_", " ") for o in others)))


def texts(entry: Any) -> Iterator[str]:
    """What a reader reads of an entry."""
    match entry:
        case str():
            yield entry
        case Name():
            yield from (entry.lay, entry.clinical)
        case Finding():
            yield from (t for t in (entry.name, entry.question, entry.help, entry.why, *entry.values.values()) if t)
        case BaseModel():
            for name in (n for n in type(entry).model_fields if n in _READ):
                yield from texts(getattr(entry, name))
        case tuple():
            for part in entry:
                yield from texts(part)


def search(index: Sequence[Page], query: str) -> list[Hit]:
    """Entries that hold every word of the query (from the beginning of a word), names first."""
    wanted = [re.compile(rf"(?<!\w){re.escape(w)}") for w in query_words(query)]
    if not wanted:
        return []
    found = []
    for page in index:
        named = [bool(w.search(page.plain_name)) for w in wanted]
        if all(so or w.search(page.plain) for so, w in zip(named, wanted, strict=True)):
            found.append((sum(named), page))
    order = list(ROOMS)
    found.sort(key=lambda hit: (-hit[0], order.index(hit[1].room), hit[1].link.name.lower()))
    return [_hit(p, wanted) for _, p in found[:MOST_HITS]]


def _hit(page: Page, wanted: Sequence[re.Pattern[str]]) -> Hit:
    """The text around the first word that is found in it; its beginning where only the name has it."""
    place = next((m for w in wanted if (m := w.search(page.plain))), None)
    if place is None:
        return Hit(page.link, page.room, page.text[: 2 * AROUND], "", "")
    before = page.text[max(place.start() - AROUND, 0) : place.start()]
    after = page.text[place.end() : place.end() + AROUND]
    if place.start() > AROUND:
        before = f"… {before.partition(' ')[2]}"
    if place.end() + AROUND < len(page.text):
        after = f"{after.rpartition(' ')[0]} …"
    return Hit(page.link, page.room, before, page.text[place.start() : place.end()], after)
