"""A real server and a real browser. Without Chromium these tests are skipped; where CI is set they fail."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.looking import Tour, watch

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Server:
    """The web app as its own process, on a database of its own."""

    database: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        env = os.environ | {"SOLEUS_DATABASE_URL": f"sqlite:///{self.database}", "SOLEUS_STEPS_PER_MINUTE": "100000"}
        program = str(Path(sys.executable).parent / "soleus")
        self.process = subprocess.Popen([program, "web", "--port", str(self.port)], env=env, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None, "the server did not start"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it by its own id."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5) as reply:
                return bool(reply.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests; each visit has its own cookie."""
    running = Server(tmp_path_factory.mktemp("server") / "visits.db", _free_port())
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    running = Server(tmp_path / "visits.db", _free_port())
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = f"no Chromium here ({', '.join(PROGRAMS)}); on Debian: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A visitor of their own, who may not ask anybody else for anything or see an error."""
    opened = browser.new_context(base_url=server.url, reduced_motion="reduce")
    seen = watch(opened, server.url)
    yield opened
    opened.close()
    assert seen.faults == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab at the start page."""
    tab = context.new_page()
    tab.goto("/")
    return tab


@pytest.fixture(scope="session")
def tour(browser: Browser, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """Every page seen once, and what was measured there."""
    folder = Path(os.environ.get("SOLEUS_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return Tour(browser, server.url, folder)
