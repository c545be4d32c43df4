"""A robot that answers the pages as the person of a recorded case would; what that person does not say is answered with "I don't know"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from soleus.assessment.assess import assess
from soleus.assessment.result import Assessment
from soleus.interview.session import CARE, DANGER, Interview
from soleus.interview.value import mind
from soleus.knowledge.case import Between, Case, OneOf, Options, YesNo
from soleus.knowledge.load import load_knowledge
from soleus.knowledge.schema import Finding

KNOWLEDGE = load_knowledge()
UNKNOWN = "unknown"
FORM = 'form[action^="/interview/"]'
GO_ON = f"{FORM} button.button:has-text('Go on')"
MOST_PAGES = 80

Look = Callable[[Page, str], None]


@dataclass
class Robot:
    """`case`: what the person can tell. `answers`: what was answered, by step, as the interview takes it.

    `look` is called on each question page before it is answered, with the kind of page."""

    page: Page
    case: Case
    look: Look = lambda _page, _kind: None
    answers: dict[str, Any] = field(default_factory=dict)

    def begin(self) -> None:
        """From the start page to the first question."""
        press(self.page, "main button:has-text('Start')")

    def run(self, most: int = MOST_PAGES) -> None:
        """Answer until the result is shown, or `most` pages were answered."""
        for _ in range(most):
            match urlsplit(self.page.url).path:
                case "/result":
                    return
                case "/check":
                    self.look(self.page, "check: " + ("emergency" if self.page.locator(".level").count() else "read back"))
                    press(self.page, "main .button")
                case _:
                    self.answer()
        assert most < MOST_PAGES, "the interview does not end"

    def until(self, wanted: Callable[[str], bool]) -> None:
        """Answer until a step is asked that is wanted."""
        while urlsplit(self.page.url).path == "/check" or not wanted(asked(self.page)):
            self.run(1)

    def answer(self) -> str:
        """Answer the question that is shown; its step."""
        step = self.fill()
        press(self.page, GO_ON)
        return step

    def fill(self) -> str:
        """Fill in the question that is shown; its step."""
        step = asked(self.page)
        self.look(self.page, kind(step))
        assert step not in self.answers, f"{step} is asked a second time"
        self.answers[step] = self._fill(step)
        return step

    def assessment(self) -> Assessment:
        """What Soleus says of the answers that were given."""
        return assess(interview(self.answers).case, KNOWLEDGE)

    # -- each kind of question ---------------------------------------------------------------------

    def _fill(self, step: str) -> Any:
        if step == "age":
            return self._number(None if self.case.age is None else f"{self.case.age:g}", int)
        if step == "sex":
            return self._pick(self.case.sex or UNKNOWN)
        if step in ("lower_leg", CARE):
            return self._pick("yes") == "yes"
        if step == DANGER:
            return {sign: self._sign(sign) for sign in KNOWLEDGE.danger_signs}
        finding, known = KNOWLEDGE.findings[step], self.case.answers.get(step)
        match known:
            case None:
                return self._not_known(finding)
            case YesNo(value):
                return self._pick("yes" if value else "no") == "yes"
            case OneOf(values):
                return self._pick(word_for(finding, values))
            case Options():
                return self._several(finding, known)
            case Between(low, high):
                return self._range(finding, low, high)

    def _sign(self, sign: str) -> bool | str:
        said = self.case.yes(sign)
        word = UNKNOWN if said is None else "yes" if said else "no"
        self.page.check(f'input[name="{sign}"][value="{word}"]')
        return UNKNOWN if said is None else said

    def _pick(self, value: str) -> str:
        self.page.check(f'input[name="answer"][value="{value}"]')
        return value

    def _unsure(self) -> str:
        self.page.check('input[name="unsure"]')
        return UNKNOWN

    def _not_known(self, finding: Finding) -> str:
        return self._unsure() if finding.type in ("multi", "number") else self._pick(UNKNOWN)

    def _number(self, text: str | None, read: Callable[[str], Any] = str) -> Any:
        if text is None:
            return self._unsure()
        self.page.fill("#value", text)
        return read(text)

    def _range(self, finding: Finding, low: float, high: float) -> str:
        if low == high:
            return str(self._number(f"{low:g}")) + f" {finding.unit}" * bool(finding.units)
        word = next((name for name, members in finding.coarse.items() if tuple(members) == (low, high)), None)
        return self._pick(word) if word else self._unsure()

    def _several(self, finding: Finding, known: Options) -> Any:
        groups = [word_for(finding, group) for group in known.some]
        ticked = [*sorted(known.yes), *(name for name in groups if name != UNKNOWN)]
        for name in ticked:
            self._pick(name)
        covered = known.yes.union(*(finding.coarse[g] for g in ticked if g in finding.coarse))
        rest = set(finding.options) - known.no - {str(c) for c in covered}
        if not ticked and not rest and finding.none_value:
            return [self._pick(finding.none_value)]
        if not ticked:
            return self._unsure()
        if rest:
            self._unsure()
            return dict.fromkeys(ticked, True)
        return dict.fromkeys(ticked, True) | {o: False for o in finding.options if o not in covered}


def press(page: Page, what: str) -> None:
    """Click on what leads to another page, and wait for that page."""
    with page.expect_navigation():
        page.click(what)


def word_for(finding: Finding, values: frozenset[str]) -> str:
    """The one answer that says: one of these values."""
    if len(values) == 1:
        return next(iter(values))
    return next((name for name, members in finding.coarse.items() if set(members) == values), UNKNOWN)


def asked(page: Page) -> str:
    """The step that the page asks."""
    return str(page.locator(FORM).first.get_attribute("action")).rsplit("/", 1)[1]


def kind(step: str) -> str:
    """What kind of question page a step has; pages of one kind are built alike."""
    finding = KNOWLEDGE.findings.get(step)
    if finding is None:
        return step.replace("_", " ")
    if step == "pain_site":
        return "question: with the picture of a leg"
    if finding.type == "number":
        return f"question: number in {(finding.unit or '').replace('/', ' per ')}"
    vague = " with part-answers" if set(finding.coarse) - set(finding.values) else ""
    return f"question: {finding.type}{vague}"


def interview(answers: dict[str, Any]) -> Interview:
    """The interview with these answers, rebuilt without the web app."""
    mind(KNOWLEDGE)
    rebuilt = Interview(KNOWLEDGE)
    for step, raw in answers.items():
        rebuilt = rebuilt.answer(step, raw)
    return rebuilt
