"""Without a mouse: everything can be reached and answered, where one is can be seen, and Enter never says what was not meant."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from soleus.assessment.assess import assess
from soleus.interview.session import DANGER
from tests.browser.looking import VIGNETTES, urgency
from tests.browser.robot import GO_ON, KNOWLEDGE, Robot, asked, interview, kind, press

WHERE = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const seen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
  const over = box.width && document.elementFromPoint(box.x + box.width / 2, Math.min(box.y + box.height / 2, innerHeight - 1));
  return {id: at.id, name: at.name || '', tag: at.tagName, text: (at.innerText || '').trim(), body: at === document.body,
    seen: seen && box.width > 1 && box.bottom > 0 && box.top < innerHeight && (at.contains(over) || over?.contains(at))};
}"""


class Keys:
    """Hands that only have a keyboard."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tab_to(self, wanted: str) -> None:
        """Press Tab until an element that this selector fits has the focus; it must be visible at every stop."""
        for _ in range(200):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(WHERE)
            assert here["body"] or here["seen"], f"where the focus is cannot be seen: {here}"
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"Tab never comes to {wanted}")

    def choose(self, name: str, value: str) -> None:
        """Go to a group of radio buttons, and by the arrows to the one meant."""
        self.tab_to(f'input[name="{name}"]')
        for _ in range(60):
            self.page.keyboard.press("Space")
            if self.page.evaluate("() => document.activeElement.value") == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows never come to {value}")

    def use(self, wanted: str, key: str = "Enter") -> None:
        """Go to a button or link and use it."""
        self.tab_to(wanted)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)


def _answer(keys: Keys, step: str) -> Any:
    """Answer the question that is shown with "I don't know", by keys; what was answered."""
    page, finding = keys.page, KNOWLEDGE.findings.get(step)
    if step == "age":
        keys.tab_to("#value")
        page.keyboard.type("57")
        return 57
    if step == "lower_leg":
        keys.choose("answer", "yes")
        return True
    if finding and finding.type in ("multi", "number"):
        keys.tab_to("#unsure-yes")
        page.keyboard.press("Space")
    else:
        keys.choose("answer", "unknown")
    return "unknown"


def test_from_start_to_result_by_keyboard_alone(page: Page) -> None:
    keys, answers = Keys(page), dict[str, Any]()
    keys.use("form[action='/begin'] button")
    for _ in range(10):
        step = asked(page)
        if step == DANGER:
            answers[step] = dict.fromkeys(KNOWLEDGE.danger_signs, False)
            keys.use("button[name=none_true]", "Space")
        else:
            answers[step] = _answer(keys, step)
            keys.use(".button")
    keys.use("a[href='/result']")
    assert urgency(page) == assess(interview(answers).case, KNOWLEDGE).urgency


def test_skip_link_leads_to_the_page(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate(WHERE)["text"] == "Skip to the page"
    page.keyboard.press("Enter")
    Keys(page).tab_to("main *")
    assert page.evaluate(WHERE)["text"] == "Start"


@pytest.mark.parametrize("wanted", ["age", "sex", "danger signs", "question: multi"])
def test_a_fault_takes_the_focus_and_leads_to_its_field(page: Page, wanted: str) -> None:
    robot = Robot(page, VIGNETTES["v-dvt-11"])
    robot.begin()
    robot.until(lambda step: kind(step).startswith(wanted))
    page.locator(GO_ON).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".error-summary")
    assert page.title().startswith("Error: ")
    at = page.evaluate(WHERE)
    assert at["text"].startswith("There is a problem")
    assert at["seen"]
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(WHERE)["tag"] == "INPUT"
    robot.answer()
    assert not page.locator(".error-summary").count()


def test_enter_in_the_danger_signs_never_denies_them(page: Page) -> None:
    """In a list with a sign that was said yes to, Enter sends the list: it does not press the button that all of it is untrue."""
    sign = KNOWLEDGE.danger_signs[0]
    robot = Robot(page, VIGNETTES["v-pe-02"])
    robot.begin()
    robot.until(lambda step: step == DANGER)
    Keys(page).choose(sign, "yes")
    page.keyboard.press("Enter")
    page.wait_for_url("**/check")
    assert KNOWLEDGE.findings[sign].name in page.inner_text("main")


def test_none_of_these_is_asked_back_where_a_sign_was_said_yes_to(page: Page) -> None:
    sign = KNOWLEDGE.danger_signs[0]
    robot = Robot(page, VIGNETTES["v-pe-02"])
    robot.begin()
    robot.until(lambda step: step == DANGER)
    page.check(f'input[name="{sign}"][value="yes"]')
    press(page, "button[name=none_true]")
    assert page.locator(".error-summary").count()
    assert page.is_checked(f'input[name="{sign}"][value="yes"]')
