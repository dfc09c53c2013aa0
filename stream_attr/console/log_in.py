"""The ways in and out: log-in, the one-time link with which a password is set, log-out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from psycopg import Connection
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from stream_attr.console.accounts import Accounts, Busy, hashed, matches
from stream_attr.console.doors import Attempts, form_of
from stream_attr.console.entrance import Entrance
from stream_attr.console.proxy import address_of, vouched_for
from stream_attr.console.rendering import Page, render
from stream_attr.console.sessions import Way
from stream_attr.console.visit import language_of
from stream_attr.errors import UnusableError
from stream_attr.ledger import audit

if TYPE_CHECKING:  # an extra
    from stream_attr.console.oidc import Provider

__all__ = ["LogIn", "local_path"]


def local_path(text: str | None) -> str:
    """Return a path of this site to go on to; ``/`` for what leads elsewhere."""
    if text is None or not text.startswith("/") or text[1:2] in ("/", "\\"):
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc or any(ord(one) < 32 for one in text) else text


class LogIn:
    """The endpoints before there is a session."""

    def __init__(
        self,
        pool: ConnectionPool[Connection[Any]],
        entrance: Entrance,
        attempts: Attempts,
        provider: Provider | None,
        back: str,
    ) -> None:
        """``provider``: where people can log in besides. ``back``: our own address for its log-out."""
        self._pool = pool
        self._entrance = entrance
        self._attempts = attempts
        self._provider = provider
        self._back = back

    async def log_in(self, request: Request) -> Response:
        """Show the form, or begin a session."""
        if request.method == "POST":
            form = await form_of(request)
            return await run_in_threadpool(self._logged_in, request, form)
        following = local_path(request.query_params.get("next"))
        login = vouched_for(request)
        if login is None or "out" in request.query_params:
            return self.form(request, following)
        return await run_in_threadpool(self._let_in, request, login, following)

    def form(
        self, request: Request, following: str, wrong: str = "", status: int = 200, **values: Any
    ) -> Response:
        """Show the form, with a text of what was wrong."""
        page = Page(language_of(request), "/login", request.query_params.multi_items())
        is_out = "out" in request.query_params
        return render(
            "login.html",
            page,
            status,
            message=page.t(wrong, **values) if wrong else "",
            following=following,
            oidc=self._provider is not None,
            is_out=is_out,
            out_of_provider=self._provider.log_out_address(self._back) if self._provider and is_out else None,
            vouched_for=vouched_for(request) if is_out else None,
        )

    def _let_in(self, request: Request, login: str, following: str) -> Response:
        """Begin a session of whom a trusted proxy names."""
        with self._pool.connection() as connection:
            if Accounts(connection).may_log_in(login):
                return self._entrance.begin(request, connection, login, Way.PROXY, following)
            wait = self._attempts.begin(login, address_of(request))
            if wait:
                return self.too_many(request, following, wait, Way.PROXY)
            self._entrance.refused(request, connection, login, Way.PROXY)
            return self.form(request, following, "proxy_no_account", 403, login=login)

    def _logged_in(self, request: Request, form: FormData) -> Response:
        login, password = _text(form, "login").strip(), _text(form, "password")
        following = local_path(_text(form, "next"))
        wait = self._attempts.begin(login, address_of(request))
        if wait:
            return self.too_many(request, following, wait, Way.PASSWORD)
        with self._pool.connection() as connection:
            known = Accounts(connection).password_hash(login)
        try:
            is_right = matches(known, password)  # without a connection, which others need meanwhile
        except Busy:
            self._attempts.not_tried(login, address_of(request))
            return self.too_many(request, following, 1, Way.PASSWORD)
        with self._pool.connection() as connection:
            if not is_right:
                self._entrance.refused(request, connection, login, Way.PASSWORD)
                return self.form(request, following, "no_account", 403)
            self._attempts.succeeded(login, address_of(request))
            return self._entrance.begin(request, connection, login, Way.PASSWORD, following)

    def too_many(self, request: Request, following: str, wait_s: int, way: Way) -> Response:
        """Have somebody wait."""
        self._entrance.put_off(way)
        answer = self.form(request, following, "too_many", 429, seconds=wait_s)
        answer.headers["Retry-After"] = str(wait_s)
        return answer

    async def link(self, request: Request) -> Response:
        """Show the form of a one-time link, or set the password and begin a session."""
        form = await form_of(request) if request.method == "POST" else None
        return await run_in_threadpool(self._linked, request, form)

    def _linked(self, request: Request, form: FormData | None) -> Response:
        page = Page(language_of(request), "/link", ())
        secret = _text(form, "token") if form is not None else request.query_params.get("token", "")
        with self._pool.connection() as connection:
            login = Accounts(connection).of_link(secret)
        if login is None:
            return _used(page)
        message = ""
        if form is not None:
            done = self._set(request, form, secret)
            if not isinstance(done, str):
                return _used(page) if done is None else done
            message = page.t(done)
        status = 400 if message else 200
        return render("link.html", page, status, login=login, token=secret, message=message)

    def _set(self, request: Request, form: FormData, secret: str) -> Response | str | None:
        """Set the password and begin a session; a text's key: it cannot be; None: the link is used."""
        password = _text(form, "password")
        if password != _text(form, "again"):
            return "passwords_differ"
        try:
            kept = hashed(password)
        except UnusableError:
            return "password_rules"
        except Busy:
            return "busy"
        with self._pool.connection() as connection, connection.transaction():
            login = Accounts(connection).set_password(secret, kept)
            if login is None:
                return None
            audit.note(connection, login, "set password", None, "")
            return self._entrance.begin(request, connection, login, Way.PASSWORD, "/")

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        form = await form_of(request)
        return await run_in_threadpool(self._logged_out, request, form)

    def _logged_out(self, request: Request, form: FormData) -> Response:
        with self._pool.connection() as connection:
            return self._entrance.end(request, connection, form.get("csrf_token"), "/login?out=1")


def _used(page: Page) -> Response:
    return render("error.html", page, 410, status=410, detail=page.t("link_used"))


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""
