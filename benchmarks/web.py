"""The web app under load: many people interviewing at the same time, beside a bare page of the same framework in the same run.

python benchmarks/web.py [--people 200] [--seconds 20] [--think 0] [--workers 1] [--postgresql]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import jinja2
import numpy as np
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from soleus.delivery.web.store import Store  # noqa: E402
from soleus.delivery.web.visits import COOKIE  # noqa: E402
from tests.web.postgres import Cluster, programs  # noqa: E402
from tests.web.visiting import Page  # noqa: E402

BARE = jinja2.Environment(autoescape=True).from_string(
    "<!doctype html><title>{{ title }}</title><ul>{% for x in rows %}<li>{{ x }}</li>{% endfor %}</ul>"
)
PAGES = ("/", "/interview", "/answers", "/result", "/result/doctor", "/static/soleus.css", "/static/soleus.js")
WARM_UP = 3


def bare() -> Starlette:
    """A page of the same framework that does nothing but render a small template."""

    def show(_request: Request) -> Response:
        return HTMLResponse(BARE.render(title="Bare", rows=range(20)))

    return Starlette(routes=[Route("/", show)])


@dataclass
class Seen:
    """What one run gave: seconds of each request, faults by kind."""

    times: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def milliseconds(self, quantile: float) -> float:
        return float(np.quantile(self.times, quantile)) * 1000


@dataclass
class Person:
    """Someone who interviews; `sent`: steps whose answer was taken. `steps` are whole steps: answer, and the next question shown."""

    number: int
    address: str
    think: float
    requests: Seen
    steps: Seen
    visits: dict[str, dict[str, str]] = field(default_factory=dict)

    async def interview(self, until: float) -> None:
        rng = random.Random(self.number)
        while time.perf_counter() < until:
            async with httpx.AsyncClient(base_url=self.address, timeout=60) as client:
                await self._one(client, rng, until)

    async def _one(self, client: httpx.AsyncClient, rng: random.Random, until: float) -> None:
        begun = await self._ask(client, "POST", "/begin", {})
        if begun is None or COOKIE not in client.cookies:
            self.requests.faults["not begun"] += 1
            return
        sent = self.visits.setdefault(client.cookies[COOKIE], {})
        response = await self._show(client, begun)
        while response is not None and time.perf_counter() < until:
            page = Page(response.text)
            if not page.fields("form_token") or not page.action.startswith("/interview/"):
                return
            if self.think:
                await asyncio.sleep(rng.expovariate(1 / self.think))
            given = _some(page, rng)
            start = time.perf_counter()
            taken = await self._ask(client, "POST", page.action, {"form_token": page.value("form_token")} | given)
            if taken is None:
                return
            sent[page.action.rpartition("/")[2]] = given.get("value") or given.get("answer", "")
            response = await self._show(client, taken)
            self.steps.times.append(time.perf_counter() - start)

    async def _show(self, client: httpx.AsyncClient, taken: httpx.Response) -> httpx.Response | None:
        """Follow to the page, past the one that reads danger signs back."""
        response: httpx.Response | None = taken
        for _ in range(5):
            if response is None or response.status_code == 200:
                return response
            place = response.headers["location"]
            response = await self._ask(client, "GET", "/interview" if place == "/check" else place)
        return response

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response | None:
        start = time.perf_counter()
        try:
            response = await client.request(method, path, data=data)
        except httpx.HTTPError as error:
            self.requests.faults[type(error).__name__] += 1
            return None
        self.requests.times.append(time.perf_counter() - start)
        if response.status_code not in (200, 303):
            self.requests.faults[str(response.status_code)] += 1
            return None
        return response


def _some(page: Page, rng: random.Random) -> dict[str, str]:
    """Some answer, chosen by chance."""
    if page.action.endswith("/age"):
        return {"value": str(rng.randint(20, 90))}
    if page.fields("none_true"):
        return {"none_true": "yes"}
    if page.fields("value"):
        return {"unsure": "yes"}
    return {"answer": rng.choice([t.given["value"] for t in page.fields("answer")])}


async def load(address: str, people: int, seconds: float, think: float) -> tuple[list[Person], Seen, Seen]:
    requests, steps = Seen(), Seen()
    crowd = [Person(n, address, think, requests, steps) for n in range(people)]
    start = time.perf_counter()
    await asyncio.gather(*(p.interview(start + seconds) for p in crowd))
    requests.seconds = steps.seconds = time.perf_counter() - start
    return crowd, requests, steps


async def hammer(address: str, people: int, seconds: float) -> Seen:
    """So many people who ask for the bare page again and again."""
    seen, start = Seen(), time.perf_counter()

    async def one() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            while time.perf_counter() < start + seconds:
                begun = time.perf_counter()
                response = await client.get("/")
                seen.times.append(time.perf_counter() - begun)
                seen.faults.update([str(response.status_code)] if response.status_code != 200 else [])

    await asyncio.gather(*(one() for _ in range(people)))
    seen.seconds = time.perf_counter() - start
    return seen


@contextmanager
def serving(factory: str, workers: int, **env: str) -> Iterator[str]:
    """A real server; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--workers", str(workers), "--no-access-log", "--log-level", "warning", "--port", str(port)]
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, *options]
    running = subprocess.Popen(command, cwd=ROOT, env=os.environ | env)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(address)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        time.sleep(WARM_UP)
        yield address
    finally:
        running.terminate()
        running.wait()


def lost(store: Store, crowd: list[Person]) -> tuple[int, int]:
    """Answers that were taken and are not stored; answers taken."""
    missing = taken = 0
    for sent in (visit for person in crowd for visit in person.visits.items()):
        visit = store.visit(sent[0])
        kept = dict(visit.answers) if visit else {}
        for step, value in sent[1].items():
            taken += 1
            missing += step not in kept or not same(kept[step], value)
    return missing, taken


def same(kept: object, sent: str) -> bool:
    """Whether this stored answer is what was sent; an empty one was a button or a box for all that is not known."""
    if isinstance(kept, bool):
        return kept is (sent == "yes")
    if isinstance(kept, int | float):
        return kept == float(sent)
    if isinstance(kept, dict):
        return kept[sent] is True if sent else not any(said is True for said in kept.values())
    return kept == [sent] if isinstance(kept, list) else kept == (sent or "unknown")


def sizes(address: str) -> list[tuple[str, int]]:
    """Bytes of some pages, for a person who has answered everything."""
    with httpx.Client(base_url=address, timeout=60, follow_redirects=True) as client:
        page, found, rng = Page(client.post("/begin").text), list[tuple[str, int]](), random.Random(0)
        while page.fields("form_token") and page.action.startswith("/interview/"):
            if page.action.endswith("/danger_signs"):
                found.append(("the danger signs", len(page.html.encode())))
            data = {"form_token": page.value("form_token")} | _some(page, rng)
            page = Page(client.post(page.action, data=data).text)
        return found + [(name, len(client.get(name).content)) for name in PAGES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--think", type=float, default=0, help="mean seconds that a person reads a question")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    chosen = parser.parse_args()
    cluster = Cluster(found) if chosen.postgresql and (found := programs()) else None
    with tempfile.TemporaryDirectory() as folder:
        url = cluster.new_database() if cluster else f"sqlite:///{folder}/load.db"
        try:
            run(chosen, url)
        finally:
            if cluster:
                cluster.close()


def run(chosen: argparse.Namespace, url: str) -> None:
    console = Console()
    with serving("benchmarks.web:bare", chosen.workers) as address:
        alone = asyncio.run(hammer(address, 1, 3))
        page = asyncio.run(hammer(address, chosen.people, min(chosen.seconds, 10)))
    with serving(
        "soleus.delivery.web.app:create_app", chosen.workers, SOLEUS_DATABASE_URL=url, SOLEUS_STEPS_PER_MINUTE="100000"
    ) as address:
        one, _, one_step = asyncio.run(load(address, 1, 10, 0))
        crowd, requests, steps = asyncio.run(load(address, chosen.people, chosen.seconds, chosen.think))
        weights = sizes(address)
    store = Store(url)
    missing, taken = lost(store, [*one, *crowd])
    store.engine.dispose()
    table = Table(title=f"{url.split(':')[0]}, {chosen.workers} worker(s), think time {chosen.think:g} s", title_justify="left")
    for column in ("what", "people", "a second", "median ms", "p99 ms"):
        table.add_column(column)
    rows = [
        ("bare page", 1, alone),
        ("interview step (answer, and the next question)", 1, one_step),
        ("bare page", chosen.people, page),
        ("any request of the app", chosen.people, requests),
        ("interview step (answer, and the next question)", chosen.people, steps),
    ]
    for what, people, seen in rows:
        table.add_row(what, str(people), f"{seen.rate:.1f}", f"{seen.milliseconds(0.5):.1f}", f"{seen.milliseconds(0.99):.1f}")
    console.print(table)
    console.print(f"answers taken: {taken}; lost: {missing}; faults: {dict(requests.faults) or 'none'}")
    if chosen.workers == 1:  # with more, a lone client of the bare page waits for the system to acknowledge, not for the app
        console.print(f"interview step / bare page, one person: median {one_step.milliseconds(0.5) / alone.milliseconds(0.5):.1f}")
    if not chosen.think:  # else it is the people who set the pace
        console.print(
            f"interview step / bare page, {chosen.people} people: rate 1/{page.rate / steps.rate:.1f}, "
            f"p99 {steps.milliseconds(0.99) / page.milliseconds(0.99):.1f}"
        )
    console.print("page sizes in bytes: " + ", ".join(f"{name} {size:,}" for name, size in weights))


if __name__ == "__main__":
    main()
