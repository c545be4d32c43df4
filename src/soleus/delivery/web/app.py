"""The web app: which address leads to which page. Everything a page shows comes from the core; nothing is worked out here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import resources

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from soleus.delivery.web import about, diary, export, follow_up, interview, library, remarks, result
from soleus.delivery.web.catalogue import Library
from soleus.delivery.web.limits import BodyLimit, NoSurprise, Pace, SafeHeaders
from soleus.delivery.web.pages import problem
from soleus.delivery.web.settings import Settings
from soleus.delivery.web.store import BusyError, GoneError, Store
from soleus.delivery.web.visits import Remembered, Site
from soleus.interview.value import mind
from soleus.knowledge.load import load_knowledge

STATIC = str(resources.files("soleus.delivery.web") / "static")


class Kept(StaticFiles):
    """Static files, which browsers may keep for a day."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


def create_app(settings: Settings | None = None) -> Starlette:
    """The app with these settings (default: from the environment). Raises InputError for a setting that cannot be used."""
    settings = settings or Settings.from_environment()
    knowledge = load_knowledge()
    mind(knowledge)
    site = Site(knowledge, settings, Store(settings.database_url), Remembered())

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        purging = asyncio.create_task(_purge_daily(site))
        yield
        purging.cancel()
        site.store.engine.dispose()

    app = Starlette(
        routes=[
            *interview.ROUTES,
            *result.ROUTES,
            *library.ROUTES,
            *remarks.ROUTES,
            *about.ROUTES,
            *follow_up.ROUTES,
            *diary.ROUTES,
            *export.ROUTES,
            Mount("/static", Kept(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(NoSurprise), Middleware(BodyLimit)],
        exception_handlers={HTTPException: _problem, BusyError: _busy, GoneError: _gone},
        lifespan=lifespan,
    )
    app.state.site = site
    app.state.desk = library.Desk(Library(knowledge))
    app.state.pace = Pace(settings.steps_per_minute)
    return app


async def _purge_daily(site: Site) -> None:
    """Delete what nobody came back to, now and every day."""
    while True:
        with contextlib.suppress(BusyError):
            await run_in_threadpool(site.store.purge, site.settings.retention_days)
        await asyncio.sleep(86_400)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(request, error.status_code, dict(error.headers or {}))


def _gone(request: Request, _error: Exception) -> Response:
    return problem(request, 403)


def _busy(request: Request, _error: Exception) -> Response:
    return problem(request, 503, {"Retry-After": "5"})
