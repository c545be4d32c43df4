"""Coming back: check-ins against the expected course, the reminder, the diary, and taking everything along."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import update
from starlette.testclient import TestClient

from soleus.assessment.assess import assess
from soleus.delivery.web import tables
from soleus.delivery.web.calendar_file import MOST_OCTETS, reminder_file
from soleus.delivery.web.chart import chart, round_top
from soleus.delivery.web.diary import OLDEST_DAYS, UNITS
from soleus.delivery.web.export import _harmless
from soleus.delivery.web.follow_up import expected_days, feelings, texts
from soleus.delivery.web.store import form_token, new_token
from soleus.delivery.web.visits import COOKIE, Site
from soleus.interview.session import DANGER, Interview
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.reading import grade
from soleus.knowledge.schema import Urgency

KNOWLEDGE = load_knowledge()
NONE = dict.fromkeys(KNOWLEDGE.danger_signs, False)
SORE = {
    "pain_site": ["calf"],
    "pain_onset": "over_days",
    "pain_duration": "days_2_to_7",
    "unaccustomed_exercise": True,
    "affected_side": "both",
}
"""A person who can care for it at home."""
SIGN = "breathless_new"


def interview(**known: Any) -> Interview:
    """A finished interview of this person; what is not given is not known."""
    usual = {"age": 30, "sex": "male", "lower_leg": True, DANGER: NONE, "check_care": False}
    going = Interview(KNOWLEDGE)
    while (step := going.next()) is not None:
        going = going.answer(step.id, (usual | known).get(step.id, "unknown"))
    return going


FINISHED = interview(**SORE)
DAYS = expected_days(KNOWLEDGE, assess(FINISHED.case, KNOWLEDGE))


@dataclass
class Person:
    """Somebody who has a visit, and sends its forms."""

    client: TestClient
    token: str
    visit: int

    @property
    def site(self) -> Site:
        site: Site = self.client.app.state.site  # type: ignore[attr-defined]
        return site

    def get(self, path: str) -> Response:
        self._alone()
        page: Response = self.client.get(path)
        return page

    def post(self, path: str, **fields: Any) -> Response:
        self._alone()
        page: Response = self.client.post(path, data={"form_token": form_token(self.token)} | fields)
        return page

    def _alone(self) -> None:
        """Use the browser without what others left in it."""
        self.client.cookies.clear()
        self.client.cookies.set(COOKIE, self.token)

    def began(self, days: int) -> None:
        """Let the visit have begun so many days ago."""
        with self.site.store.engine.begin() as connection:
            when = datetime.now(UTC) - timedelta(days=days, minutes=1)
            connection.execute(update(tables.Visit).where(tables.Visit.id == self.visit).values(begun=when))

    def answers(self) -> Mapping[str, Any]:
        stored = self.site.store.visit(self.token)
        assert stored is not None
        return stored.answers


def somebody(client: TestClient, answers: Mapping[str, Any] = FINISHED.answers) -> Person:
    token = new_token()
    store = client.app.state.site.store  # type: ignore[attr-defined]
    store.begin(token, KNOWLEDGE.version)
    visit = store.visit(token).id
    for step, raw in answers.items():
        store.answer(visit, step, raw)
    return Person(client, token, visit)


@pytest.fixture
def person(client: TestClient) -> Person:
    return somebody(client)


def level(page: Response) -> str:
    """The urgency that a page shows."""
    shown = re.search(r'class="level level-(\w+)"', page.text)
    assert shown is not None, page.text
    return shown[1]


# -- check-ins -------------------------------------------------------------------------------------


def test_the_person_of_these_tests_can_care_for_it_at_home() -> None:
    assert assess(FINISHED.case, KNOWLEDGE).urgency == "self_care"
    assert DAYS is not None
    assert DAYS > 1


def test_result_leads_to_follow_up(person: Person) -> None:
    assert 'href="/follow-up"' in person.get("/result").text
    page = person.get("/follow-up")
    assert page.status_code == 200
    assert page.text.count('name="sign"') == len(KNOWLEDGE.danger_signs)
    assert 'href="/answers#delete"' in page.text
    assert 'id="delete"' in person.get("/answers").text


@pytest.mark.parametrize("feeling", list(feelings()))
@pytest.mark.parametrize("late", [False, True])
def test_feeling_against_the_expected_course(person: Person, feeling: str, late: bool) -> None:
    assert DAYS is not None
    person.began(DAYS if late else DAYS - 1)
    page = person.post("/follow-up", feeling=feeling)
    after, before = {"same": "routine", "worse": "within_days"}, {"worse": "routine"}
    wanted = (after if late else before).get(feeling, "self_care")
    assert level(page) == wanted
    assert (texts()["late"] in page.text) is (late and feeling != "better")
    assert ("Get help sooner" in page.text) is (feeling != "better")


@pytest.mark.parametrize("signs", [(), (SIGN,), ("one_leg_swollen",)])
def test_never_below_the_assessment(person: Person, signs: tuple[str, ...]) -> None:
    own = assess(FINISHED.answer(DANGER, NONE | dict.fromkeys(signs, True)).case, KNOWLEDGE).urgency
    for feeling in feelings():
        for days in (0, 400):
            person.began(days)
            page = person.post("/follow-up", feeling=feeling, sign=list(signs))
            assert Urgency[level(page)] >= Urgency[own]


def test_new_danger_sign_is_written_into_the_answers_and_assessed(person: Person) -> None:
    page = person.post("/follow-up", feeling="better", sign=SIGN)
    assert page.url.path == "/check-in"
    assert Urgency[level(page)] >= Urgency.emergency_now
    assert person.answers()[DANGER] == NONE | {SIGN: True}
    assert level(person.get("/result")) == level(page)
    assert KNOWLEDGE.findings[SIGN].name in page.text


def test_no_new_sign_takes_none_back(client: TestClient) -> None:
    person = somebody(client, dict(FINISHED.answers) | {DANGER: NONE | {"one_leg_swollen": True, SIGN: "unknown"}})
    person.post("/follow-up", feeling="better")
    person.post("/follow-up", feeling="better", sign="dark_urine")
    assert person.answers()[DANGER] == NONE | {"one_leg_swollen": True, SIGN: "unknown", "dark_urine": True}


def test_sign_that_is_not_known_any_more_does_not_hide_a_new_one(client: TestClient) -> None:
    person = somebody(client, dict(FINISHED.answers) | {DANGER: {"no_such_sign": True}})
    person.post("/follow-up", feeling="same", sign=SIGN)
    assert person.answers()[DANGER] == dict.fromkeys(NONE, "unknown") | {SIGN: True}
    assert Urgency[level(person.get("/check-in"))] >= Urgency.emergency_now


def test_sign_of_that_name_only_if_it_is_one(person: Person) -> None:
    person.post("/follow-up", feeling="same", sign=["no_such_sign", "smoking"])
    assert person.answers()[DANGER] == NONE
    assert person.site.store.check_ins(person.visit)[0].signs == ()


@pytest.mark.parametrize("feeling", ["", "splendid"])
def test_feeling_has_to_be_chosen_and_ticks_stay(person: Person, feeling: str) -> None:
    page = person.post("/follow-up", feeling=feeling, sign=SIGN)
    assert page.status_code == 422
    assert f'value="{SIGN}" checked' in page.text
    assert page.text.count(" checked") == 1
    assert 'href="#feeling-better"' in page.text
    assert 'id="error"' in page.text
    assert person.site.store.check_ins(person.visit) == ()
    assert person.answers()[DANGER] == NONE


def test_history_is_shown_latest_first(person: Person) -> None:
    person.post("/follow-up", feeling="worse")
    page = person.post("/follow-up", feeling="better", sign="dark_urine")
    table = page.text[page.text.index('id="history"') :]
    assert table.index("Better") < table.index("Worse")
    assert KNOWLEDGE.findings["dark_urine"].name in table
    assert 'id="history"' in person.get("/follow-up").text
    assert 'href="/check-in"' in person.get("/result").text


def test_nothing_to_follow_up_yet(client: TestClient) -> None:
    client.cookies.clear()
    for path in ("/follow-up", "/check-in", "/reminder", "/reminder.ics", "/diary", "/export.json", "/export.csv"):
        assert client.get(path, follow_redirects=False).headers["location"] == "/"
    early = somebody(client, {"age": 30})
    assert early.get("/follow-up").url.path == "/interview"
    assert somebody(client).get("/check-in").url.path == "/follow-up"


def test_child_is_not_told_a_course(client: TestClient) -> None:
    child = somebody(client, {"age": 9, "sex": "male", "lower_leg": True, DANGER: NONE})
    for path in ("/follow-up", "/check-in", "/reminder", "/reminder.ics"):
        assert child.get(path).url.path == "/result"
    assert level(child.post("/follow-up", feeling="same", sign=SIGN)) in ("emergency_now", "call_ambulance")


FORMS: dict[str, dict[str, str]] = {
    "/follow-up": {"feeling": "same"},
    "/diary": {"day": "2026-01-01", "pain": "3", "unit": "metres"},
    "/diary/remove": {"day": "2026-01-01"},
    "/reminder.ics": {"days": "3"},
}


@pytest.mark.parametrize("path", FORMS)
def test_form_of_another_visit_is_refused(client: TestClient, path: str) -> None:
    one, other = somebody(client), somebody(client)
    for token in ("", form_token(other.token)):
        assert one.post(path, form_token=token, **FORMS[path]).status_code == 403
    assert not one.site.store.check_ins(one.visit)
    assert not one.site.store.diary(one.visit)


def test_words_are_plain() -> None:
    for text in (texts()["late"], texts()["worse"]):
        assert grade(text) <= 8, text


# -- reminder --------------------------------------------------------------------------------------


def unfolded(page: Response) -> dict[str, str]:
    """Content lines of a calendar file, checked for its form; of two of one name the first."""
    text = page.content.decode()
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= MOST_OCTETS for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").split("\r\n")[:-1]
    return dict(line.split(":", 1) for line in reversed(lines))


def test_reminder_names_no_illness_and_no_person(person: Person) -> None:
    page = person.post("/reminder.ics", days="10")
    file = unfolded(page)
    assert page.headers["content-type"].startswith("text/calendar")
    assert file["SUMMARY"] == "Soleus: how is your leg?"
    assert file["DTSTART;VALUE=DATE"] == f"{datetime.now(UTC).date() + timedelta(days=10):%Y%m%d}"
    assert re.fullmatch(r"\d{8}T\d{6}Z", file["DTSTAMP"])
    assert re.fullmatch(r"[0-9a-f-]{36}", file["UID"])
    assert person.token not in page.text.replace("\r\n ", "")
    assert unfolded(person.post("/reminder.ics", days="10"))["UID"] != file["UID"]


def test_reminder_holds_the_link_only_if_ticked(person: Person) -> None:
    file = unfolded(person.post("/reminder.ics", days="10", link="yes"))
    assert file["DESCRIPTION"].endswith(f"/resume/{person.token}")
    link = file["DESCRIPTION"].removeprefix("Go on here: ")
    assert person.client.get(link.removeprefix("http://testserver")).url.path == "/result"


@pytest.mark.parametrize("days", ["", "0", "91", "-1", "1.5", "ten", "²", "٣", "9" * 40])
def test_reminder_in_days_that_cannot_be(person: Person, days: str) -> None:
    page = person.post("/reminder.ics", days=days, link="yes")
    assert page.status_code == 422
    assert f'value="{days}"' in page.text
    assert 'value="yes" aria-describedby="link-hint" checked' in page.text
    assert 'aria-invalid="true" aria-describedby="days-hint days-error"' in page.text


@pytest.mark.parametrize("days", ["1", "90", " 7 "])
def test_reminder_in_days_that_can_be(person: Person, days: str) -> None:
    assert person.post("/reminder.ics", days=days).status_code == 200


def test_reminder_is_for_the_day_by_which_it_should_be_better(person: Person) -> None:
    assert DAYS is not None
    assert f'name="days" value="{DAYS}"' in person.get("/reminder").text
    person.began(DAYS - 2)
    assert 'name="days" value="2"' in person.get("/reminder").text
    person.began(DAYS + 5)
    assert f'name="days" value="{texts()["reminder_days"]}"' in person.get("/reminder").text
    assert unfolded(person.get("/reminder.ics"))["SUMMARY"]


def test_reminder_escapes_what_the_format_would_take_for_its_own() -> None:
    text = reminder_file(datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 2), "http://x/a,b;c\\d\nEND:VEVENT" + "ü" * 90)
    assert "a\\,b\\;c\\\\d\\nEND" in text.replace("\r\n ", "")
    assert text.count("\r\nEND:VEVENT") == 1
    assert all(len(line.encode()) <= MOST_OCTETS for line in text.split("\r\n"))


# -- diary -----------------------------------------------------------------------------------------

TODAY = datetime.now(UTC).date()


def test_one_row_a_day_and_blank_keeps_what_was_there(person: Person) -> None:
    day = TODAY.isoformat()
    person.post("/diary", day=day, pain="4", distance="", unit="metres")
    person.post("/diary", day=day, pain="", distance="100", unit="yards")
    person.post("/diary", day=day, pain="0", distance="", unit="yards")
    (stored,) = person.site.store.diary(person.visit)
    assert (stored.pain, stored.metres) == (0, 91.44)


@pytest.mark.parametrize("unit", UNITS)
def test_distance_comes_back_as_typed(person: Person, unit: str) -> None:
    page = person.post("/diary", day=TODAY.isoformat(), pain="4", distance="123.5", unit=unit)
    assert page.url.path == "/diary"
    assert "<td>123.5</td>" in page.text
    assert f"Distance ({unit})" in page.text
    assert 'value="123.5"' in person.get(f"/diary?day={TODAY}&unit={unit}").text


WRONG = {
    "day": ["", "yesterday", "2026-02-30", str(TODAY + timedelta(days=2)), str(TODAY - timedelta(days=OLDEST_DAYS + 1)), "20260101x"],
    "pain": ["11", "-1", "1.5", "x", "²"],
    "distance": ["-1", "1,200", "far", "1e3", "999999", "٣"],
    "unit": ["", "leagues"],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_what_is_wrong_is_said_at_the_field_and_kept(person: Person, field: str, value: str) -> None:
    good = {"day": TODAY.isoformat(), "pain": "4", "distance": "77", "unit": "metres"}
    page = person.post("/diary", **good | {field: value})
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}-error"' in page.text
    assert page.text.count('aria-invalid="true"') == 1
    for name in ("day", "distance"):
        assert f'name="{name}" value="{(good | {field: value})[name]}"' in page.text
    assert person.site.store.diary(person.visit) == ()


def test_all_faults_are_named_together(person: Person) -> None:
    page = person.post("/diary", day="x", pain="12", distance="y", unit="z")
    assert page.text.count('aria-invalid="true"') >= 3
    page = person.post("/diary", day=TODAY.isoformat(), pain="", distance=" ", unit="feet")
    assert "the pain, the distance, or both" in page.text


@pytest.mark.parametrize("ago", [0, 1, OLDEST_DAYS])
def test_days_that_can_be(person: Person, ago: int) -> None:
    person.post("/diary", day=str(TODAY - timedelta(days=ago)), pain="4", unit="metres")
    assert len(person.site.store.diary(person.visit)) == 1


def test_day_is_removed_and_only_ones_own(client: TestClient) -> None:
    one, other, day = somebody(client), somebody(client), TODAY.isoformat()
    for each in (one, other):
        each.post("/diary", day=day, pain="4", unit="metres")
    assert f"Remove {day}" in one.get(f"/diary?day={day}").text
    one.post("/diary/remove", day=day)
    assert one.site.store.diary(one.visit) == ()
    assert len(other.site.store.diary(other.visit)) == 1


def test_what_is_in_the_address_is_never_taken_as_html(person: Person) -> None:
    page = person.get("/diary?day=%22%3E%3Cscript%3E&unit=%3Cb%3E")
    assert page.status_code == 200
    assert "<script>" not in page.text


def test_charts_and_the_table_show_the_same(person: Person) -> None:
    for ago, pain, distance in ((3, 8, 100), (1, 5, 250), (0, 2, 400)):
        person.post("/diary", day=str(TODAY - timedelta(days=ago)), pain=str(pain), distance=str(distance), unit="metres")
    page = person.get("/diary").text
    assert page.count("<svg") == 2
    assert page.count('<circle class="dot"') == 6
    assert "to 2 on" in page
    assert "lowest 100, highest 400" in page
    assert page.count('<th scope="row">') == 3
    assert "style=" not in page


def test_chart_stays_within_its_frame() -> None:
    values = {date(2026, 1, 1): 0.0, date(2026, 1, 2): 37.0, date(2026, 3, 1): 40.0}
    drawn = chart("x", "X", values)
    assert drawn is not None
    assert [mark.text for mark in drawn.scale] == ["0", "20", "40"]
    assert drawn.points[0] == (drawn.left, drawn.bottom)
    assert all(drawn.left <= x <= drawn.right and 0 <= y <= drawn.bottom for x, y in drawn.points)
    assert chart("x", "X", {}) is None


@pytest.mark.parametrize(("most", "top"), [(0, 10), (10, 10), (11, 20), (41, 50), (100, 100), (328084, 400000)])
def test_scale_ends_at_a_round_number(most: float, top: float) -> None:
    assert round_top(most) == top


# -- export ----------------------------------------------------------------------------------------


def test_everything_stored_is_exported(client: TestClient) -> None:
    other, person = somebody(client), somebody(client)
    other.post("/diary", day=TODAY.isoformat(), pain="9", unit="metres")
    person.post("/follow-up", feeling="worse", sign="dark_urine")
    person.post("/diary", day=TODAY.isoformat(), pain="3", distance="50", unit="metres")
    page = person.get("/export.json")
    told = json.loads(page.text)
    assert told["answers"] == dict(person.answers())
    assert [(c["feeling"], c["new_danger_signs"]) for c in told["check_ins"]] == [("worse", ["dark_urine"])]
    assert told["diary"] == [{"day": TODAY.isoformat(), "pain": 3, "metres": 50.0}]
    assert person.token not in page.text
    assert "attachment" in page.headers["content-disposition"]
    assert page.headers["cache-control"] == "no-store"


def test_table_holds_the_same(person: Person) -> None:
    person.post("/follow-up", feeling="worse", sign="dark_urine")
    person.post("/diary", day=TODAY.isoformat(), pain="3", distance="50", unit="metres")
    found = list(csv.DictReader(io.StringIO(person.get("/export.csv").text)))
    said = {row["item"]: row["value"] for row in found}
    assert said["age"] == "30"
    assert said[f"{DANGER}.dark_urine"] == said["dark_urine"] == said["pain_site.calf"] == "yes"
    assert said[f"{DANGER}.{SIGN}"] == "no"
    assert said["feeling"] == "worse"
    assert {row["when"] for row in found if row["part"] == "diary"} == {TODAY.isoformat()}
    assert next(row["name"] for row in found if row["item"] == "dark_urine") == KNOWLEDGE.findings["dark_urine"].name


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert _harmless(cell) == f"'{cell}"


def test_deleting_the_visit_deletes_all_of_it(person: Person) -> None:
    person.post("/follow-up", feeling="worse")
    person.post("/diary", day=TODAY.isoformat(), pain="3", unit="metres")
    person.post("/forget")
    assert not person.site.store.check_ins(person.visit)
    assert not person.site.store.diary(person.visit)
