"""Going back, sending twice, two tabs, and a server that is killed: no answer is lost, and none counts twice."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server
from tests.browser.looking import VIGNETTES
from tests.browser.robot import FORM, GO_ON, Robot, asked, press

CASE = VIGNETTES["v-dvt-09"]


def stored(server: Server) -> dict[str, Any]:
    """The answers of the newest visit, as they lie in the database. Fails where a step lies there twice."""
    with closing(sqlite3.connect(server.database)) as database:
        newest = "SELECT step, CAST(raw AS TEXT) FROM answers WHERE visit_id = (SELECT max(id) FROM visits)"
        rows = database.execute(newest).fetchall()
    assert len({step for step, _ in rows}) == len(rows)
    return {step: json.loads(raw) for step, raw in rows}


def visits(server: Server) -> set[int]:
    """The visits that anything is stored of."""
    with closing(sqlite3.connect(server.database)) as database:
        return {n for table in ("SELECT id FROM visits", "SELECT visit_id FROM answers") for (n,) in database.execute(table)}


def begun(page: Page, most: int) -> Robot:
    """A robot that has answered so many pages."""
    page.goto("/")
    robot = Robot(page, CASE)
    robot.begin()
    robot.run(most)
    return robot


def test_back_shows_the_question_before_and_keeps_its_answer(page: Page, server: Server) -> None:
    robot = begun(page, 6)
    *_, before = robot.answers
    page.go_back()
    assert asked(page) == before
    assert page.locator("input:checked").count()
    page.go_forward()
    assert asked(page) not in robot.answers
    page.go_back()
    press(page, GO_ON)
    assert asked(page) not in robot.answers
    assert stored(server) == robot.answers


def test_a_button_that_is_pressed_twice_counts_once(page: Page, server: Server) -> None:
    robot = begun(page, 5)
    step = robot.fill()
    page.dblclick(GO_ON)
    expect(page.locator(FORM).first).not_to_have_attribute("action", f"/interview/{step}", timeout=15_000)
    page.wait_for_timeout(500)
    assert stored(server) == robot.answers
    robot.run(2)
    assert stored(server) == robot.answers


def test_a_form_that_is_sent_again_later_counts_once(page: Page, server: Server) -> None:
    """As a browser does when a page that came by a post is loaded again."""
    robot = begun(page, 4)
    step = robot.fill()
    form = page.locator("form[action^='/interview/']").first
    fields = form.evaluate("form => Object.fromEntries(new FormData(form))")
    for _ in range(3):
        reply = page.request.post(f"/interview/{step}", form=fields)
        assert reply.ok
    page.goto("/interview")
    robot.run(2)
    assert stored(server) == robot.answers


def test_two_tabs_of_one_visit(context: BrowserContext, page: Page, server: Server) -> None:
    robot = begun(page, 5)
    other = context.new_page()
    other.goto("/interview")
    step = asked(other)
    assert asked(page) == step
    robot.run(2)
    second = Robot(other, CASE)
    second.answer()
    assert stored(server) == robot.answers | second.answers
    assert asked(other) not in robot.answers
    page.reload()
    assert asked(page) == asked(other)


def test_a_killed_server_loses_no_answer(browser: Browser, own_server: Server) -> None:
    context = browser.new_context(base_url=own_server.url)
    page = context.new_page()
    robot = begun(page, 5)
    for _ in range(2):
        robot.answer()
        own_server.stop(signal.SIGKILL)
        own_server.start()
        assert stored(own_server) == robot.answers
        page.goto("/interview")
    step = robot.fill()
    own_server.stop(signal.SIGKILL)
    page.click(GO_ON, no_wait_after=True)
    page.wait_for_timeout(500)
    own_server.start()
    page.goto("/interview")
    assert asked(page) == step
    del robot.answers[step]
    robot.run(2)
    assert stored(own_server) == robot.answers
    context.close()


def test_another_browser_goes_on_by_the_link_alone(browser: Browser, page: Page, server: Server) -> None:
    robot = begun(page, 6)
    page.goto("/answers")
    link = str(page.locator(".address").text_content())
    there = browser.new_context(base_url=server.url)
    second = there.new_page()
    second.goto(link)
    assert asked(second) not in robot.answers
    assert link not in second.url
    there.close()


def test_deleting_leaves_nothing(page: Page, server: Server) -> None:
    before = visits(server)
    begun(page, 5)
    assert visits(server) > before
    page.goto("/answers")
    press(page, "text=Delete my answers now")
    assert visits(server) == before
    page.goto("/interview")
    assert page.url == f"{server.url}/"
