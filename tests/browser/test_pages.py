"""Every page, in light and dark, wide and narrow: WCAG 2.2 AA as far as a program can tell, no sideways scrolling, nothing that jumps,
little to load, nothing asked of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.looking import SETTLED, Tour, measure

MOST_BYTES = 60_000
MOST_SHIFT = 0.01


@pytest.fixture(scope="module")
def whole(tour: Tour) -> Tour:
    """The tour after all journeys and all other pages."""
    tour.everywhere()
    return tour


def test_all_kinds_of_pages_were_seen(whole: Tour) -> None:
    assert not whole.not_seen()


def test_no_page_breaks_the_accessibility_rules(whole: Tour) -> None:
    assert not {(name, scheme): found for name, m in whole.pages.items() for scheme, found in m.violations.items() if found}


def test_no_page_scrolls_sideways_where_it_is_narrow(whole: Tour) -> None:
    assert not {name: m.wide for name, m in whole.pages.items() if m.wide}


def test_nothing_jumps_while_a_page_loads(whole: Tour) -> None:
    assert not {name: m.shifted for name, m in whole.pages.items() if m.shifted >= MOST_SHIFT}


def test_no_page_is_heavy(whole: Tour) -> None:
    assert not {name: m.size for name, m in whole.pages.items() if m.size > MOST_BYTES}


def test_no_page_asks_others_or_complains(whole: Tour) -> None:
    assert whole.faults == []


def test_the_result_can_be_printed(whole: Tour) -> None:
    assert {"routine", "call_ambulance"} <= {shown for shown, size in whole.prints.items() if size > 10_000}


def test_a_bad_page_is_noticed(whole: Tour, tmp_path: Path) -> None:
    """Otherwise what is said above would mean nothing."""
    context = whole.open()
    page = context.new_page()
    page.goto("/")
    page.evaluate(SETTLED)
    page.evaluate("""() => {
        document.body.insertAdjacentHTML('afterbegin', '<p id=low>pale</p><input><div id=wide>x</div>');
        document.getElementById('low').style.cssText = 'color: #bbb; background: #ccc; height: 300px';
        document.getElementById('wide').style.width = '500px';
    }""")
    found = measure(page, tmp_path / "bad")
    context.close()
    assert any(v.startswith("color-contrast") for v in found.violations["light"])
    assert any(v.startswith("label") for v in found.violations["dark"])
    assert set(found.wide) == {"320 wide", "zoomed to 400%"}
    assert found.shifted > MOST_SHIFT
