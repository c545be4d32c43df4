"""The hazard log's controls are kept true: in a run of the whole suite, every test that a control names must have run and passed.
In CI generated examples are the same each time; elsewhere they are new ones."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from soleus.knowledge.load import load_knowledge

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

PASSED = pytest.StashKey[set[str]]()


def named_tests() -> set[str]:
    """Tests that controls of the hazard log name, as 'tests/file.py::test_name'."""
    return {c.id for h in load_knowledge().hazards.values() for c in h.controls if c.kind == "test"}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[PASSED] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.passed:
        item.config.stash[PASSED].add(item.nodeid.split("[")[0])
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    passed: set[str] = session.config.stash[PASSED]
    whole = session.config.args == [str(p) for p in session.config.getini("testpaths")] and not session.config.option.keyword
    missing = sorted(named_tests().difference(passed)) if whole else []
    if missing and session.exitstatus == pytest.ExitCode.OK:
        print("\nControls of the hazard log that did not run:", *missing, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
