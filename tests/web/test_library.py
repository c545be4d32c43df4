"""The library: every entry has a page that can be read, search finds by word, remarks are kept, shown and answered."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from soleus.cli.feedback import feedback
from soleus.delivery.web import search
from soleus.delivery.web.app import create_app
from soleus.delivery.web.catalogue import ROOMS, Library, link_of, times_said, word, words
from soleus.delivery.web.settings import Settings
from soleus.knowledge.load import load_knowledge

MOST_BYTES = 60_000
VOID = {"meta", "link", "input", "img", "br", "hr", "path", "rect"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('library') / 'soleus.db'}"


@pytest.fixture(scope="module")
def reader(database: str) -> TestClient:
    """A browser without a visit, on an app of its own."""
    return TestClient(create_app(Settings(database_url=database, steps_per_minute=1000)))


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(load_knowledge())


class Page(HTMLParser):
    """What a page holds: ids, links, headings; and that every tag that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.images: list[dict[str, str | None]] = []
        self.scripts = 0
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(given)
        self.scripts += tag == "script"

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-1:]}"
            self.open.pop()


def checked(text: str) -> Page:
    """The page, after looking at what holds for every page."""
    page = Page(text)
    assert text.startswith("<!doctype html>")
    assert len(page.ids) == len(set(page.ids))
    assert page.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    assert all(image.get("alt") for image in page.images)
    assert page.scripts == 0
    assert "Not reviewed by a clinician" in text
    return page


@pytest.mark.parametrize("room", ROOMS)
def test_every_entry_has_a_page(reader: TestClient, library: Library, room: str) -> None:
    followed = set[str]()
    for entry_id in getattr(library.knowledge, room):
        response = reader.get(f"/library/{room}/{entry_id}")
        assert response.status_code == 200, entry_id
        assert len(response.content) < MOST_BYTES, entry_id
        page = checked(response.text)
        assert "Last checked on" in response.text
        assert f"/library/{room}" in page.links
        followed |= {link.partition("#")[0] for link in page.links if link.startswith("/library")}
    assert followed <= library.addresses


@pytest.mark.parametrize("address", ["/library", *(f"/library/{room}" for room in ROOMS)])
def test_contents_lead_everywhere(reader: TestClient, library: Library, address: str) -> None:
    response = reader.get(address)
    assert len(response.content) < MOST_BYTES
    page = checked(response.text)
    room = address.removeprefix("/library").strip("/")
    wanted = (
        {a for a in library.addresses if a.startswith(f"{address}/")}
        if room
        else {f"/library/{r}" for r in ("findings", "rules", "sources")}
    )
    assert wanted <= set(page.links)


@pytest.mark.parametrize("address", ["/library/nothing", "/library/conditions/nothing", "/library/care/..%2f..", "/library/__class__/x"])
def test_unknown_is_not_found(reader: TestClient, address: str) -> None:
    assert reader.get(address).status_code == 404


def test_alias_leads_to_its_condition(reader: TestClient, library: Library) -> None:
    alias, condition = next((a, c) for a, c in library.knowledge.condition_of.items() if a != c)
    response = reader.get(f"/library/conditions/{alias}", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (301, f"/library/conditions/{condition}")


def test_every_group_kind_and_grade_has_a_word(library: Library) -> None:
    k = library.knowledge
    assert {c.group for c in k.conditions.values()} <= set(words()["groups"])
    assert {c.kind for c in k.care.values()} <= set(words()["care"])
    assert {c.step for c in k.care.values()} <= set(words()["steps"])
    assert {c.effect.strength for c in k.care.values()} <= set(words()["grades"])
    assert {s.kind for s in k.sources.values()} <= set(words()["kinds"])
    assert {f.kind for f in k.findings.values()} <= set(words()["findings"])
    assert word("groups", "not_there_yet") == "Not there yet"


def test_condition_page_says_it_all(reader: TestClient, library: Library) -> None:
    for condition in library.knowledge.conditions.values():
        text = reader.get(f"/library/conditions/{condition.id}").text
        sourced, total = library.studied(condition.id)
        assert f"{sourced} of its {total} numbers rest on studies" in text
        for care in (*condition.self_care, *condition.treatments, *condition.tests):
            assert f'href="/library/care/{care}"' in text
        for source in condition.what.sources:
            assert link_of(library.knowledge.sources[source]).replace("&", "&amp;") in text


def test_what_an_answer_tells_is_the_ratio_of_the_shares(library: Library) -> None:
    """A ratio above one for some condition means one below one for another; and the strongest come first."""
    for finding in library.knowledge.findings.values():
        tells = library.tells(finding)
        assert bool(tells) == (finding.depends_on != "nothing")
        for t in tells:
            assert [r.times for r in t.supports] == sorted((r.times for r in t.supports), reverse=True)
            assert all(r.times > 1 for r in t.supports)
            assert all(r.times < 1 for r in t.opposes)
    assert [times_said(x) for x in (250, 12.4, 2.0, 0.5)] == [
        "more than 100 times more often", "12 times more often", "2.0 times more often", "2.0 times less often"
    ]  # fmt: skip


def test_every_source_in_use_says_what_rests_on_it(library: Library) -> None:
    assert set(library.resting) == set(library.knowledge.sources)


# -- search ------------------------------------------------------------------------------------------


def hrefs(text: str) -> list[str]:
    found = re.search(r'<ol class="hits">(.*?)</ol>', text, re.DOTALL)
    return re.findall(r'<a href="([^"]+)">', found[1]) if found else []


def test_search_finds_each_condition_by_its_names(reader: TestClient, library: Library) -> None:
    for condition in library.knowledge.conditions.values():
        for name in (condition.name.lay, condition.name.clinical):
            assert f"/library/conditions/{condition.id}" in hrefs(reader.get("/library", params={"q": name}).text), name


def test_search_is_by_word_without_regard_to_case_and_plural(reader: TestClient) -> None:
    one, many, large = (hrefs(reader.get("/library", params={"q": q}).text) for q in ("cramp", "cramps", "CRAMPS"))
    assert one
    assert one == many == large
    assert "with “cramp”" in checked_text(reader, "cramp")


def checked_text(reader: TestClient, query: str) -> str:
    text = str(reader.get("/library", params={"q": query}).text)
    checked(text)
    return text


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}",
    "' OR 1=1 --",
    "(" * 50,
    "\x00\u202e",
    "a" * 5000,
    "\\",
    "İß ﬁ",
    "%",
)


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_query_is_only_text(reader: TestClient, query: str) -> None:
    text = checked_text(reader, query)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert ">49<" not in text


def test_nothing_found_says_so(reader: TestClient) -> None:
    assert "Nothing was found" in checked_text(reader, "xyzzy")
    assert search.search((), "") == []


def test_plain_text_keeps_its_length() -> None:
    text = "Ödem İstanbul ﬁne ß Å"
    assert len(search.plain(text)) == len(text)


# -- remarks -----------------------------------------------------------------------------------------

PLACE = "/library/conditions"


def send(reader: TestClient, **form: str) -> int:
    return int(reader.post("/remark", data={"page": PLACE, **form}, follow_redirects=False).status_code)


def test_remark_is_kept_listed_answered_and_shown(reader: TestClient, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLEUS_DATABASE_URL", database)
    response = reader.post("/remark", data={"page": PLACE, "text": "A <b>word</b> is\r\nwrong\x00."})
    assert response.status_code == 200
    assert "Thank you" in response.text
    assert "set-cookie" not in response.headers
    assert send(reader, helpful="no") == 303
    runner = CliRunner()
    listed = runner.invoke(feedback, ["list"]).output
    assert f"\t{PLACE}\tnot helpful" in listed
    assert "    A <b>word</b> is\n    wrong." in listed
    number = next(line.split("\t")[0] for line in listed.splitlines() if line.endswith(f"{PLACE}\t-"))
    assert "Answered remarks" not in reader.get(PLACE).text
    assert "is answered" in runner.invoke(feedback, ["answer", number, "It is mended & fine."]).output
    text = reader.get(PLACE).text
    checked(text)
    assert "Answered remarks" in text
    assert "A &lt;b&gt;word&lt;/b&gt; is" in text
    assert "It is mended &amp; fine." in text
    assert "wrong" not in runner.invoke(feedback, ["list", "--open"]).output
    assert "is deleted" in runner.invoke(feedback, ["delete", number]).output
    assert "Answered remarks" not in reader.get(PLACE).text


@pytest.mark.parametrize("arguments", [["answer", "99999", "text"], ["answer", "1", "  "], ["delete", "99999"]])
def test_wrong_use_of_feedback_is_said(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLEUS_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    result = CliRunner().invoke(feedback, arguments)
    assert result.exit_code == 1
    assert re.search("no remark 99999|answer is empty", str(result.exception))


def test_remark_that_cannot_be_kept_comes_back(reader: TestClient) -> None:
    long = reader.post("/remark", data={"page": PLACE, "text": "x" * 2001})
    assert long.status_code == 422
    assert "x" * 2001 in long.text
    assert "at most 2,000" in long.text
    assert send(reader, text="x" * 1999 + "\r\n\r\n") == 303
    assert send(reader, text="   ") == 422
    assert send(reader, helpful="maybe") == 422


@pytest.mark.parametrize("place", ["", "/nothing", "//evil.example", "/library/conditions/nothing", "https://evil.example/"])
def test_remark_on_a_page_that_is_not_ours(reader: TestClient, place: str) -> None:
    assert reader.post("/remark", data={"page": place, "helpful": "yes"}).status_code == 404
    assert f'href="{place}"' not in reader.get("/remark", params={"page": place}).text


def test_remark_from_another_site_is_refused(reader: TestClient) -> None:
    response = reader.post("/remark", data={"page": PLACE, "helpful": "yes"}, headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403


def test_remarks_have_a_pace(tmp_path: Path) -> None:
    hurried = TestClient(create_app(Settings(database_url=f"sqlite:///{tmp_path / 'pace.db'}", steps_per_minute=2)))
    assert [send(hurried, helpful="yes") for _ in range(3)] == [303, 303, 429]
