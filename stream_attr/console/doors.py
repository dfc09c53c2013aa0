"""What every answer carries, and which requests are let in at all."""

from __future__ import annotations

import hmac
import math
import threading
import time
from collections import OrderedDict
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_attr.worker.startup.host_check import is_this_machine

__all__ = ["CONTENT_POLICY", "Attempts", "Headers", "OwnName", "check_form", "check_origin", "form_of"]

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_OURS: Final = ("same-origin", "none")
_SAFE: Final = ("GET", "HEAD")
_MOST_FIELDS: Final = 5_000
"""A record of settings with some profiles has hundreds."""
_LARGEST_FORM: Final = 256 * 1024
_LARGEST_BODY: Final = 1024 * 1024


class Headers:
    """Adds to every answer what a browser is to hold to; pages are kept by nobody, static files are."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
                if self._secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class OwnName:
    """Refuses requests to another host's name, where the console is reached without a certificate.

    So a page of another site cannot have its own name lead here (DNS rebinding), and a port that others reach
    is of no use to a browser there.
    """

    def __init__(self, app: ASGIApp, address: str) -> None:
        self._app = app
        self._own = urlsplit(address).hostname

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and not self._is_own(Request(scope).headers.get("host", "")):
            app = PlainTextResponse("this is not the address of the console: see --public-url\n", 421)
        await app(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name == self._own or is_this_machine(name)


def check_origin(request: Request) -> None:
    """Refuse a request that changes something and comes from another site's page.

    Raises HTTPException, 403. By ``Sec-Fetch-Site``, which every browser of today sends, else by ``Origin``.
    """
    if request.method in _SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in _OURS
    else:
        origin = request.headers.get("origin")
        allowed = origin is not None and origin.partition("://")[2] == request.headers.get("host")
    if not allowed:
        raise HTTPException(403, "this form was sent from another site's page")


async def form_of(request: Request, largest_file: int = 0) -> FormData:
    """Return a form, of our own page and no larger than it can be; who has it closes it.

    Nobody has to be logged in to send one, so it says first how large it is, as every browser's does.
    ``largest_file``: bytes that its file may have; 0: it has none. Raises HTTPException: 400, 403, 411, 413.
    """
    check_origin(request)
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "this form does not say how large it is")
    largest = _LARGEST_BODY + largest_file
    if int(length) > largest:
        raise HTTPException(413, f"this form is larger than {largest:,} bytes: send less at once")
    return await request.form(
        max_files=1 if largest_file else 0, max_fields=_MOST_FIELDS, max_part_size=_LARGEST_FORM
    )


def check_form(given: object, token: str) -> None:
    """Refuse a form that is not of this session. Raises HTTPException, 403."""
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
        raise HTTPException(403, "this form is of another session: load the page again")


class Attempts:
    """Failed log-ins of late: after five of one login, or fifty of one address, it is to wait."""

    PERIOD_S: Final = 300.0
    OF_LOGIN: Final = 5
    OF_ADDRESS: Final = 50
    _MOST: Final = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried: OrderedDict[tuple[str, str], list[float]] = OrderedDict()

    def begin(self, login: str | None, address: str) -> int:
        """Note an attempt, and return how many seconds it has to wait; 0: it is let through.

        ``login``: None: not known yet. It counts as failed until it has `succeeded`, so that many at once
        are not let through either.
        """
        now = time.monotonic()
        limits = {("address", address): self.OF_ADDRESS}
        if login is not None:
            limits["login", login] = self.OF_LOGIN
        with self._lock:
            recent = {
                key: [ts for ts in self._tried.pop(key, ()) if ts > now - self.PERIOD_S] for key in limits
            }
            waits = [
                recent[key][-most] + self.PERIOD_S - now
                for key, most in limits.items()
                if len(recent[key]) >= most
            ]
            for key, times in recent.items():
                self._tried[key] = times if waits else [*times, now]
            while len(self._tried) > self._MOST:
                self._tried.popitem(last=False)
        return math.ceil(max(waits, default=0))

    def not_tried(self, login: str, address: str) -> None:
        """Take back an attempt whose password nobody had the time to look at."""
        with self._lock:
            for key in (("login", login), ("address", address)):
                if times := self._tried.get(key):
                    times.pop()

    def succeeded(self, login: str | None, address: str) -> None:
        """Forget the attempts of a login, and this one of its address."""
        with self._lock:
            if login is not None:
                self._tried.pop(("login", login), None)
            if times := self._tried.get(("address", address)):
                times.pop()
