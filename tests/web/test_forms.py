"""Forms: whatever is sent, the answer is a page; and what can be filled in comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData
from starlette.testclient import TestClient

from soleus.delivery.web.app import create_app
from soleus.delivery.web.forms import Filled, FormError, first_field, from_answer, raw_answer
from soleus.delivery.web.settings import Settings
from soleus.interview.session import ABOUT, CARE, DANGER, Interview, Step
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Finding
from tests.web.visiting import Page, begin_at, read, site

KNOWLEDGE = load_knowledge()
ASKED = {f.id: f for f in KNOWLEDGE.findings.values() if f.by == "person" and f.depends_on != "nothing" and not f.danger_sign}


def _first(kind: str, unit: str | None = None, *, coarse: bool = False) -> str:
    return next(f.id for f in ASKED.values() if f.type == kind and (not unit or f.unit == unit) and (not coarse or f.coarse))


BMI = next(f.id for f in KNOWLEDGE.findings.values() if f.unit == "kg/m2")
KINDS = {
    "age": "age",
    "sex": "sex",
    "lower_leg": "lower_leg",
    "danger signs": DANGER,
    "boolean": _first("boolean"),
    "choice": _first("choice", coarse=True),
    "multi": _first("multi", coarse=True),
    "number": _first("number", "0-10"),
    "bmi": BMI,
    "offer": CARE,
}
NAMES = ["answer", "value", "unit", "unsure", "system", "height", "inches", "weight", "none_true", "form_token", *KNOWLEDGE.danger_signs]
SAID = [
    "yes",
    "no",
    "unknown",
    "us",
    "metric",
    "none",
    "",
    " ",
    "0",
    "7",
    "54",
    "-1",
    "1e400",
    "nan",
    "²",
    "٥",
    "7 kg",
    "5,5",
    "9" * 5000,
    "None",
]
HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "{% raw %}",
    "\0",
    "\u202e\u2066x",
    "😀" * 50,
    "%00",
    "\r\n",
]


def _words(step: str) -> list[str]:
    finding = KNOWLEDGE.findings.get(step)
    return [*finding.values, *finding.coarse] if finding else []


def _step(name: str) -> Step:
    kind = "about" if name in ABOUT else "danger_signs" if name == DANGER else "offer" if name == CARE else "finding"
    return Step(name, kind, KNOWLEDGE.danger_signs if name == DANGER else (name,))  # type: ignore[arg-type]  # one of the kinds


@contextmanager
def _asking(name: str, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A visit that is asked this step; its form token."""
    decide = Interview._decide
    if name not in (*ABOUT, DANGER):

        def at_once(interview: Interview, path: tuple[Step, ...]) -> Step | None:
            usual = decide(interview, path) if len(path) <= len(ABOUT) else None
            return usual if len(path) <= len(ABOUT) else None if any(s.id == name for s in path) else _step(name)

        monkeypatch.setattr(Interview, "_decide", at_once)
    site(client).remembered.clear()
    begin_at(client, name)
    yield read(client.get("/interview")).value("form_token")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    url = f"sqlite:///{tmp_path_factory.mktemp('forms')}/t.db"
    with TestClient(create_app(Settings(database_url=url, steps_per_minute=100_000))) as client:
        yield client


def _fields(step: str) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    names = st.sampled_from(NAMES).map(str.encode) | st.binary(max_size=8)
    values = (
        st.sampled_from([*SAID, *HOSTILE, *_words(step)]).map(str.encode) | st.binary(max_size=30) | st.text(max_size=30).map(str.encode)
    )
    return st.lists(st.tuples(names, values), max_size=8)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_sent_gives_a_page(kind: str, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    name = KINDS[kind]
    with _asking(name, client, monkeypatch) as token:

        @given(fields=_fields(name), own=st.sampled_from([True, True, True, False]))
        @settings(max_examples=60, deadline=None)
        def sent(fields: list[tuple[bytes, bytes]], own: bool) -> None:
            body = urlencode([*fields, *([(b"form_token", token.encode())] if own else [])])
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response = client.post(f"/interview/{name}", content=body, headers=headers, follow_redirects=False)
            assert response.status_code in ((303, 422) if own else (303, 403, 422)), response.text
            if response.status_code == 422:
                _is_explained(read(response), dict(fields))

        sent()


def _is_explained(page: Page, fields: dict[bytes, bytes]) -> None:
    """There is an error summary that leads to a field of the page, and what was typed is kept."""
    summary = page.tags.index(next(t for t in page.tags if t.given.get("class") == "error-summary"))
    link = next(t for t in page.tags[summary:] if t.name == "a").given["href"]
    assert link.startswith("#")
    assert link[1:] in page.ids
    assert len(page.ids) == len(set(page.ids))
    assert page.text.count("Error: ") >= 1
    for name in ("value", "height", "inches", "weight"):
        if page.fields(name):
            assert page.value(name) == fields.get(name.encode(), b"").decode("utf-8", "replace").strip()
    chosen = {t.given["value"] for t in page.fields("answer")} & {fields.get(b"answer", b"").decode("utf-8", "replace").strip()}
    assert chosen <= page.ticked("answer")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=x"])
def test_bodies_that_are_no_form(content_type: str, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with _asking("age", client, monkeypatch):

        @given(
            body=st.binary(max_size=200)
            | st.sampled_from([b"--x\r\n", b"--x--", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'])
        )
        @settings(max_examples=30, deadline=None)
        def sent(body: bytes) -> None:
            response = client.post("/interview/age", content=body, headers={"Content-Type": content_type}, follow_redirects=False)
            assert response.status_code in (400, 403)
            assert read(response).fields("form_token") == []

        sent()


def test_a_file_in_place_of_a_field_is_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with _asking("age", client, monkeypatch) as token:
        files = {"value": ("<b>.txt", b"54")}
        response = client.post("/interview/age", data={"form_token": token}, files=files, follow_redirects=False)
        assert response.status_code == 422
        assert read(response).value("value") == ""


def test_too_many_fields_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with _asking("age", client, monkeypatch) as token:
        body = urlencode([("form_token", token), *(("x", "") for _ in range(1000))])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/interview/age", content=body, headers=headers, follow_redirects=False).status_code == 400


# -- what is filled in comes back ------------------------------------------------------------------


def _filled(finding: Finding) -> st.SearchStrategy[dict[str, list[str]]]:
    """Every valid way to fill in the form of a finding."""
    unsure = st.just({"unsure": ["yes"]})
    match finding.type:
        case "boolean":
            return st.sampled_from(["yes", "no", "unknown"]).map(lambda v: {"answer": [v]})
        case "choice":
            return st.sampled_from([*finding.values, *finding.coarse, "unknown"]).map(lambda v: {"answer": [v]})
        case "multi":
            options = [v for v in (*finding.values, *finding.coarse) if v != finding.none_value]
            some = st.tuples(st.lists(st.sampled_from(options), min_size=1, unique=True), st.booleans())
            return unsure | some.map(lambda t: {"answer": t[0]} | ({"unsure": ["yes"]} if t[1] else {}))
        case "number":
            assert finding.range is not None
            low, high = finding.range
            number = st.floats(low, high).map(lambda x: {"value": [f"{min(max(round(x, 1), low), high):g}"], "unit": [finding.unit or ""]})
            words = st.sampled_from([*finding.coarse]).map(lambda v: {"answer": [v]}) if finding.coarse else st.nothing()
            return unsure | (number if finding.units else number.map(lambda f: {"value": f["value"]})) | words


def _form(fields: Mapping[str, str | list[str]]) -> Any:
    return FormData([(name, value) for name, said in fields.items() for value in ([said] if isinstance(said, str) else said)])


def _as_form(filled: Filled, finding: Finding) -> Any:
    """The form that a page filled in like this would send; only some forms have a box for what is not known."""
    unsure = filled.unsure and finding.type in ("multi", "number")
    rest = [("answer", v) for v in sorted(filled.ticked) if v != "unknown" or not unsure]
    return FormData([*rest, *filled.body.items(), ("value", filled.value), ("unit", filled.unit), *([("unsure", "yes")] if unsure else [])])


@pytest.mark.parametrize("finding", [pytest.param(f, id=f.id) for f in ASKED.values()])
def test_a_valid_form_comes_back_as_it_was(finding: Finding) -> None:
    step = _step(finding.id)

    @given(fields=_filled(finding))
    @settings(max_examples=25, deadline=None)
    def comes_back(fields: dict[str, list[str]]) -> None:
        raw = raw_answer(step, _form(fields), KNOWLEDGE)
        kept = Interview(KNOWLEDGE).answer(step.id, raw).answers[step.id]
        filled = from_answer(step, kept)
        if "unsure" in fields and "answer" not in fields:
            assert filled.unsure
            return
        assert filled.ticked == set(fields.get("answer", []))
        assert filled.value == fields.get("value", [""])[0]
        assert raw_answer(step, _as_form(filled, finding), KNOWLEDGE) == raw

    comes_back()


@pytest.mark.parametrize(
    "fields", [{"system": "metric", "height": "170", "weight": "75"}, {"system": "us", "height": "5", "inches": "7", "weight": "165"}]
)
def test_height_and_weight_come_back(fields: dict[str, str]) -> None:
    raw = raw_answer(_step(BMI), _form(fields), KNOWLEDGE)
    kept = Interview(KNOWLEDGE).answer(BMI, raw).answers[BMI]
    assert from_answer(_step(BMI), kept).body == fields


@pytest.mark.parametrize(("step", "fields", "raw"), [
    ("age", {"value": "60"}, 60), ("age", {"unsure": "yes"}, "unknown"), ("age", {"value": "٦٠"}, 60),
    ("sex", {"answer": "female"}, "female"), ("lower_leg", {"answer": "no"}, False), (CARE, {"answer": "yes"}, True),
])  # fmt: skip
def test_the_first_steps(step: str, fields: dict[str, str], raw: object) -> None:
    taken = raw_answer(_step(step), _form(fields), KNOWLEDGE)
    assert taken == raw
    filled = from_answer(_step(step), Interview(KNOWLEDGE).answer(step, taken).answers[step])
    assert (filled.value == "60") if raw == 60 else filled.ticked == {str(fields.get("answer", "unknown"))}


@given(said=st.dictionaries(st.sampled_from(KNOWLEDGE.danger_signs), st.sampled_from(["yes", "no", "unknown"]), min_size=1))
@settings(deadline=None)
def test_danger_signs_come_back(said: dict[str, str]) -> None:
    raw = raw_answer(_step(DANGER), _form(said), KNOWLEDGE)
    kept = Interview(KNOWLEDGE).answer(DANGER, raw).answers[DANGER]
    assert from_answer(_step(DANGER), kept).signs == dict.fromkeys(KNOWLEDGE.danger_signs, "unknown") | said


@pytest.mark.parametrize("said", ["yes", "unknown"])
def test_none_of_these_never_overrules_a_sign(said: str) -> None:
    sign = KNOWLEDGE.danger_signs[3]
    with pytest.raises(FormError) as error:
        raw_answer(_step(DANGER), _form({sign: said, "none_true": "yes"}), KNOWLEDGE)
    assert error.value.fault.field == sign


def test_the_first_button_of_the_danger_signs_does_not_say_none(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The return key presses the first button of a form."""
    with _asking(DANGER, client, monkeypatch):
        buttons = [t for t in read(client.get("/interview")).tags if t.name == "button"]
        assert "name" not in buttons[0].given
        assert buttons[1].given["name"] == "none_true"


@pytest.mark.parametrize(("kind", "fields", "field"), [
    ("number", {"value": "8", "answer": "mild"}, "value"), ("number", {"value": "8", "unsure": "yes"}, "unsure-yes"),
    ("age", {"value": "60", "unsure": "yes"}, "unsure-yes"), ("bmi", {"height": "170", "unsure": "yes"}, "unsure-yes"),
    ("bmi", {"height": "170"}, "height"), ("number", {}, "value"), ("age", {}, "value"),
])  # fmt: skip
def test_what_does_not_go_together_is_asked_again(kind: str, fields: dict[str, str], field: str) -> None:
    with pytest.raises(FormError) as error:
        raw_answer(_step(KINDS[kind]), _form(fields), KNOWLEDGE)
    assert error.value.fault.field == field


def test_a_number_is_taken_with_the_word_that_fits() -> None:
    assert raw_answer(_step(KINDS["number"]), _form({"value": "8", "answer": "severe"}), KNOWLEDGE) == "8"


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_field_is_in_the_page(kind: str, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with _asking(KINDS[kind], client, monkeypatch):
        page = read(client.get("/interview"))
        assert page.action == f"/interview/{KINDS[kind]}"
        assert first_field(_step(KINDS[kind]), KNOWLEDGE) in page.ids
