"""Headers that every page carries, and limits on what may be sent: size and pace."""

from __future__ import annotations

import logging
import time
import traceback
from collections import OrderedDict

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soleus.delivery.web.pages import problem

LOG = logging.getLogger(__name__)
MOST_BYTES = 64 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=(), interest-cohort=()",
}


class SafeHeaders:
    """Adds the security headers; pages are not kept by caches unless they say so themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class NoSurprise:
    """A fault of ours is a page that says so. The log tells where it was and of which kind, never what was sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noticed)
        except ClientDisconnect:
            return
        except Exception as error:
            LOG.error("%s in a request\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            if not begun and scope["type"] == "http":
                await problem(Request(scope), 500)(scope, receive, send)


class BodyLimit:
    """Refuses a request whose body is larger than any of our forms, said or not."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if not (said.isascii() and said.isdigit() and len(said) < 10) or int(said) > MOST_BYTES:
            await problem(Request(scope), 413)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)


class Pace:
    """At most so many posts a minute for each visitor, counted in memory by a key that is forgotten after a minute."""

    MOST_KEYS = 50_000

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Whether one more may come from this visitor now."""
        now = time.monotonic()
        start, count = self._counts.pop(key, (now, 0))
        if now - start >= 60:
            start, count = now, 0
        self._counts[key] = (start, count + 1)
        while len(self._counts) > self.MOST_KEYS:
            self._counts.popitem(last=False)
        return count < self.per_minute
