"""The interview in a real terminal."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from soleus.delivery.casefile import read_cases
from soleus.knowledge.load import load_knowledge

PROMPT = "\r\n> "


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[object]:
    started: list[pexpect.spawn[str]] = []

    def start(*arguments: str) -> pexpect.spawn[str]:
        environment = {**os.environ, "SOLEUS_STATE_DIR": str(tmp_path), "TERM": "dumb", "COLUMNS": "100", "NO_COLOR": "1"}
        child = pexpect.spawn(
            sys.executable,
            ["-m", "soleus.cli.main", "interview", *arguments],
            env=environment,
            encoding="utf-8",
            timeout=120,
            dimensions=(60, 100),
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def say(child: pexpect.spawn[str], text: str) -> str:
    """Wait for the prompt, type, and give back what was shown before it."""
    child.expect_exact(PROMPT)
    shown = str(child.before)
    child.sendline(text)
    return shown


def begin(child: pexpect.spawn[str], age: str = "67") -> None:
    assert "call an ambulance now" in say(child, age)
    say(child, "2")
    say(child, "y")


def test_danger_screen_comes_first_and_an_emergency_is_said_at_once(terminal: object) -> None:
    child = terminal()  # type: ignore[operator]
    begin(child)
    child.expect_exact(PROMPT)
    screen = str(child.before)
    number = re.search(r"(\d+)\s+Are you more short of breath", " ".join(screen.split()))
    assert number is not None
    child.sendline(number[1])
    child.expect("You said yes to: new shortness of breath")
    child.sendline("n")
    say(child, f"{number[1]}, 99")
    child.expect("allowed: numbers from 1 to 21")
    say(child, number[1])
    child.expect("Is that right")
    child.sendline("y")
    child.expect("Call an ambulance now")


def test_ctrl_c_and_a_killed_terminal_lose_nothing(terminal: object) -> None:
    child = terminal()  # type: ignore[operator]
    begin(child)
    say(child, "none")
    say(child, "d")
    child.expect_exact(PROMPT)
    child.sendintr()
    if child.expect(["Your answers are saved", pexpect.TIMEOUT], timeout=20):
        child.sendintr()  # on a busy machine the first may come before the prompt reads; a person presses again
        child.expect("Your answers are saved")
    again = terminal("--resume")  # type: ignore[operator]
    again.expect("5 answers so far")
    say(again, "d")
    again.expect_exact(PROMPT)
    again.kill(signal.SIGKILL)
    third = terminal("--resume")  # type: ignore[operator]
    third.expect("6 answers so far")


def test_why_back_list_and_bad_input(terminal: object) -> None:
    child = terminal()  # type: ignore[operator]
    child.expect_exact(PROMPT)
    child.sendline("?")
    child.expect("changes a lot with age")
    say(child, "abc")
    child.expect("allowed: your age in whole years")
    say(child, "500")
    child.expect("allowed: 0 to 120")
    say(child, "44")
    assert "What sex" in say(child, "b")
    assert "How old" in say(child, "45")
    say(child, "1")
    assert "calf or lower leg" in say(child, "l")
    child.expect("How old are you.*45")
    child.sendline("1")
    assert "How old" in say(child, "46")
    say(child, "s")
    child.expect("Your answers are saved")


def test_a_child_and_another_complaint_are_told_kindly_after_the_danger_signs(terminal: object) -> None:
    child = terminal()  # type: ignore[operator]
    begin(child, age="15")
    say(child, "none")
    child.expect("made for people of 18 and over")
    other = terminal()  # type: ignore[operator]
    say(other, "50")
    say(other, "1")
    say(other, "n")
    say(other, "d")
    other.expect("calf and lower leg only")
    other.expect("21 danger signs were not answered")


def test_a_whole_interview_ends_in_a_report_and_a_case_file(terminal: object, tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    child = terminal("--save-case", str(file))  # type: ignore[operator]
    begin(child)
    say(child, "none")
    for _ in range(60):
        index = child.expect_exact([PROMPT, "What may be causing it"])
        if index == 1:
            break
        child.sendline("n" if "Type y (yes) or n (no)." in str(child.before).split("Question")[-1] else "d")
    else:
        pytest.fail("the interview did not end")
    child.expect("kept on this computer only")
    child.expect(pexpect.EOF)
    knowledge = load_knowledge()
    (case,) = read_cases(str(file), knowledge)
    assert case.age == 67
    assert all(case.yes(sign) is False for sign in knowledge.danger_signs)
