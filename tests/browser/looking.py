"""Looking at pages: what each of them is measured by, and what no page may do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from starlette.routing import Route

from soleus.assessment.result import Assessment
from soleus.delivery.web.app import create_app
from soleus.delivery.web.settings import Settings
from soleus.evaluation.vignettes import history_only, read_vignettes
from soleus.knowledge.case import Case
from tests.browser.robot import GO_ON, KNOWLEDGE, Robot, asked, kind, press

VIGNETTES = {
    vignette.case.id or vignette.file: history_only(vignette.case, KNOWLEDGE)
    for vignette in read_vignettes(Path(__file__).parents[1] / "vignettes", KNOWLEDGE)[0]
}
JOURNEYS = ("v-pad-02", "v-dvt-11", "v-pe-02", "v-ali-02", "m-strain-05", "m-cramp-04", "m-stenosis-05", "v-cel-03")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SHIFT = """
  window.shifted = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) window.shifted += entry.value; })
    .observe({type: 'layout-shift', buffered: true});
"""
WEIGHT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
"""Bytes of the page and all it loads, as sent, whether or not the browser had them already."""
SETTLED = """() => Promise.all([...document.images].map(picture => {
  picture.loading = 'eager';
  return picture.complete || new Promise(done => { picture.onload = picture.onerror = done; });
})).then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60)))))"""
"""All pictures are there, drawn, and the browser has told of what moved."""
WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 && !e.closest('.skip, .hidden'))
  .map(e => e.outerHTML.slice(0, 90))"""
AXE = """tags => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then(found =>
  found.violations.map(v => `${v.id}: ` + v.nodes.slice(0, 3).map(n => n.html.slice(0, 120) + ' | ' + n.failureSummary).join(' || ')))"""
OWN_FAULT = re.compile(r"Failed to load resource: the server responded with a status of (403|404|413|422|429|503)")
"""What Chromium writes when a page itself, not a part of it, has this status."""


@dataclass
class Seen:
    """What a visitor's browser asked for and complained of."""

    faults: list[str] = field(default_factory=list)


def watch(context: BrowserContext, origin: str) -> Seen:
    """Note every request to others and every error that is shown in the console."""
    seen = Seen()

    def requested(request: Request) -> None:
        if not request.url.startswith(f"{origin}/"):
            seen.faults.append(f"asks another: {request.url}")

    def said(message: ConsoleMessage) -> None:
        page = message.page
        own = OWN_FAULT.match(message.text) and page is not None and message.location["url"] == page.url
        if message.type in ("error", "warning") and not own:
            seen.faults.append(f"console: {message.text} ({message.location['url']})")

    context.on("request", requested)
    context.on("console", said)
    context.on("weberror", lambda error: seen.faults.append(f"script: {error.error}"))
    return seen


@dataclass
class Measured:
    """One page: what axe finds (in light and dark), widths where it is narrow, how far its parts moved, its bytes."""

    violations: dict[str, list[str]]
    wide: dict[str, list[str]]
    shifted: float
    size: int


@dataclass
class Journey:
    """A recorded case's way through the app: what was answered, what is shown, and what follows from the answers."""

    answers: dict[str, Any]
    shown: str
    headline: str
    assessment: Assessment


@dataclass
class Tour:
    """All kinds of pages, each measured the first time it is seen. Journeys are made once."""

    browser: Browser
    origin: str
    folder: Path
    pages: dict[str, Measured] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    journeys: dict[str, Journey] = field(default_factory=dict)
    prints: dict[str, int] = field(default_factory=dict)
    patterns: set[str] = field(default_factory=set)
    visited: set[str] = field(default_factory=set)

    def journey(self, vignette: str) -> Journey:
        """Answer as this case until the result is shown."""
        if vignette not in self.journeys:
            self.journeys[vignette] = self._travel(VIGNETTES[vignette])
        return self.journeys[vignette]

    def open(self) -> BrowserContext:
        """A new visitor whose pages can be measured."""
        context = self.browser.new_context(base_url=self.origin, reduced_motion="reduce")
        context.add_init_script(SHIFT)
        seen = watch(context, self.origin)
        context.on("close", lambda _: self.faults.extend(seen.faults))
        return context

    def look(self, page: Page, name: str) -> None:
        """Measure the page that is shown, unless one of this name was."""
        if name not in self.pages:
            self.pages[name] = measure(page, self.folder / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}")

    def _print(self, page: Page, shown: str) -> None:
        """The result on paper: how many bytes of PDF, and that what is for the screen only is not on it."""
        page.emulate_media(media="print")
        assert page.is_visible(".level h1")
        assert not page.is_visible("footer nav")
        self.prints[shown] = len(page.pdf(path=self.folder / f"print-{shown}.pdf"))
        page.emulate_media(media="screen")

    def everywhere(self) -> None:
        """All journeys, then every other page: those of routes without a parameter, and one of each with, found by following links."""
        if self.patterns:
            return
        for vignette in JOURNEYS:
            self.journey(vignette)
        context = self.open()
        page = context.new_page()
        self._faults(page)
        robot = Robot(page, VIGNETTES["v-dvt-09"])
        page.goto("/")
        robot.begin()
        robot.run(6)
        self._follow(page)
        page.goto("/answers")
        press(page, "text=Delete my answers now")
        self.look(page, "forgotten")
        context.close()

    def _faults(self, page: Page) -> None:
        """Pages with a fault in what was sent, pages that say so, and the page for who is not to use this."""
        page.goto("/nowhere")
        self.look(page, "no such page")
        page.goto("/")
        robot = Robot(page, Case(age=12))
        robot.begin()
        while urlsplit(page.url).path == "/interview":
            step = asked(page)
            press(page, GO_ON)
            self.look(page, f"error: {kind(step)}")
            robot.answer()
        self.look(page, "not made for this")
        page.goto("/interview?step=age")
        page.evaluate("() => { document.querySelector('[name=form_token]').value = 'old' }")
        press(page, GO_ON)
        self.look(page, "form too old")

    def _follow(self, page: Page) -> None:
        """One page of each route, found by following links."""
        with TemporaryDirectory() as folder:
            routes = routes_of_the_app(Path(folder))
        self.patterns = {r.path for r in routes}
        queue = ["/", "/result", *(r.path for r in routes if "{" not in r.path)]
        linked = dict[str, None]()
        for path in queue:
            route = next((r for r in routes if r.path_regex.match(urlsplit(path).path)), None)
            if route is None or route.path in self.visited:
                continue
            self.visited.add(route.path)
            reply = page.request.get(path)
            if path in linked and not reply.ok:
                self.faults.append(f"a page links to {path}: {reply.status}")
            if not reply.headers["content-type"].startswith("text/html"):
                continue
            page.goto(path)
            linked |= (found := dict.fromkeys(page.eval_on_selector_all("a[href^='/']", "links => links.map(a => a.getAttribute('href'))")))
            queue += found
            self.look(page, f"page {route.path}")

    def not_seen(self) -> set[str]:
        """Routes that no page was seen of; going on by a link shows none of its own."""
        return self.patterns - self.visited - {"/resume/{token}"}

    def _travel(self, case: Case) -> Journey:
        context = self.open()
        page = context.new_page()
        page.goto("/")
        self.look(page, "start")
        robot = Robot(page, case, self.look)
        robot.begin()
        robot.run()
        shown, headline = urgency(page), page.inner_text("h1")
        self.look(page, f"result: {shown}")
        self._print(page, shown)
        page.goto("/result/doctor")
        self.look(page, f"doctor: {shown}")
        page.goto("/answers")
        self.look(page, "answers")
        context.close()
        return Journey(robot.answers, shown, headline, robot.assessment())


def routes_of_the_app(folder: Path) -> list[Route]:
    """What the app answers a GET at, static files aside; its database is made in this folder."""
    app = create_app(Settings(database_url=f"sqlite:///{folder / 'routes.db'}"))
    return [r for r in app.routes if isinstance(r, Route) and "GET" in (r.methods or ())]


def urgency(page: Page) -> str:
    """The level that the result page shows."""
    classes = str(page.locator(".level").get_attribute("class")).split()
    return next(c for c in classes if c.startswith("level-")).removeprefix("level-")


def measure(page: Page, picture: Path) -> Measured:
    """Measure the page that is shown, and take its picture in light, dark and narrow."""
    page.evaluate(SETTLED)
    shifted, size = page.evaluate("() => window.shifted"), page.evaluate(WEIGHT)
    violations = dict[str, list[str]]()
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations[scheme] = page.evaluate(AXE, STANDARDS)
        page.screenshot(path=f"{picture}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    before, wide = page.viewport_size, dict[str, list[str]]()
    for name, height in (("320 wide", 640), ("zoomed to 400%", 256)):
        page.set_viewport_size({"width": 320, "height": height})
        if page.evaluate("() => document.documentElement.scrollWidth") > 320:
            wide[name] = page.evaluate(WIDE)
    page.screenshot(path=f"{picture}-narrow.png", full_page=True)
    if before:
        page.set_viewport_size(before)
    return Measured(violations, wide, shifted, size)
