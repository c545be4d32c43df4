"""Whole interviews in a browser, answered as recorded people would: what is shown is what follows from the answers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from soleus.interview.session import DANGER
from soleus.knowledge.schema import Urgency
from tests.browser.conftest import Server
from tests.browser.looking import JOURNEYS, VIGNETTES, Tour, urgency
from tests.browser.robot import GO_ON, KNOWLEDGE, Robot, press


@pytest.mark.parametrize("vignette", JOURNEYS)
def test_what_is_shown_follows_from_what_was_answered(tour: Tour, vignette: str) -> None:
    journey = tour.journey(vignette)
    assert journey.shown == journey.assessment.urgency
    assert Urgency[journey.shown] >= Urgency[journey.assessment.urgency]
    assert journey.headline == journey.assessment.headline


def test_an_emergency_is_said_on_the_page_after_the_danger_signs(page: Page) -> None:
    robot = Robot(page, VIGNETTES["v-ali-02"])
    robot.begin()
    robot.until(lambda step: step == DANGER)
    robot.answer()
    assert urlsplit(page.url).path == "/check"
    assert Urgency[urgency(page)] >= Urgency.emergency_now


def test_a_whole_interview_without_javascript(browser: Browser, server: Server) -> None:
    context = browser.new_context(base_url=server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    robot = Robot(page, VIGNETTES["v-dvt-09"])
    robot.begin()
    robot.run()
    assert urgency(page) == robot.assessment().urgency
    context.close()


def test_every_answer_can_be_looked_at_again_and_sent_as_it_stands(page: Page) -> None:
    """Who looks at an earlier answer and goes on must not change it by that."""
    robot = Robot(page, VIGNETTES["v-dvt-11"])
    robot.begin()
    robot.run()
    page.goto("/answers")
    before = page.inner_text("dl.answers")
    for step in robot.answers:
        page.goto(f"/interview?step={step}")
        press(page, GO_ON)
        assert not page.locator(".error-summary").count(), f"{step}: {page.inner_text('.error-summary')}"
    page.goto("/answers")
    assert page.inner_text("dl.answers") == before


def test_height_and_weight_stand_again_in_the_form(page: Page) -> None:
    """Typed once, also where there is a fault in it, they need not be typed again."""
    robot = Robot(page, VIGNETTES["v-pad-02"])
    robot.begin()
    robot.until(lambda step: step == "bmi")
    page.fill("#height", "5")
    page.fill("#inches", "7")
    page.check("#system-us")
    press(page, GO_ON)
    assert page.input_value("#height") == "5"
    assert page.input_value("#inches") == "7"
    assert page.is_checked("#system-us")
    page.fill("#weight", "165")
    press(page, GO_ON)
    page.goto("/interview?step=bmi")
    press(page, GO_ON)
    assert not page.locator(".error-summary").count()


@pytest.mark.parametrize(("age", "leg", "sign"), [("12", "yes", "no"), ("50", "no", "no"), ("12", "yes", "yes")])
def test_a_child_or_another_complaint_gets_no_causes_but_what_is_urgent(page: Page, age: str, leg: str, sign: str) -> None:
    press(page, "main button:has-text('Start')")
    page.fill("#value", age)
    press(page, GO_ON)
    page.check("#answer-female")
    press(page, GO_ON)
    page.check(f"#answer-{leg}")
    press(page, GO_ON)
    for name in KNOWLEDGE.danger_signs:
        page.check(f'input[name="{name}"][value="{sign}"]')
    press(page, GO_ON)
    page.goto("/result")
    assert not page.locator("#causes").count()
    assert bool(page.locator(".level-call_ambulance, .level-emergency_now").count()) == (sign == "yes")
