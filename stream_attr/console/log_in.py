"""The ways in and out: log-in, the one-time link with which a password is set, log-out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from psycopg import Connection
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stream_attr.console.accounts import Accounts, Busy, hashed, matches
from stream_attr.console.doors import Attempts, check_form, form_of
from stream_attr.console.rendering import Page, render
from stream_attr.console.sessions import LONGEST_MS, Sessions
from stream_attr.console.visit import language_of
from stream_attr.errors import UnusableError
from stream_attr.ledger import audit

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
        self, pool: ConnectionPool[Connection[Any]], cookie: str, attempts: Attempts, *, secure: bool
    ) -> None:
        self._pool = pool
        self._cookie = cookie
        self._attempts = attempts
        self._secure = secure

    async def log_in(self, request: Request) -> Response:
        """Show the form, or begin a session."""
        if request.method != "POST":
            following = local_path(request.query_params.get("next"))
            return self._form(request, following)
        form = await form_of(request)
        return await run_in_threadpool(self._logged_in, request, form)

    def _form(
        self, request: Request, following: str, wrong: str = "", status: int = 200, **values: Any
    ) -> Response:
        page = Page(language_of(request), "/login", request.query_params.multi_items())
        message = page.t(wrong, **values) if wrong else ""
        return render("login.html", page, status, message=message, following=following)

    def _logged_in(self, request: Request, form: FormData) -> Response:
        login, password = _text(form, "login").strip(), _text(form, "password")
        following = local_path(_text(form, "next"))
        address = request.client.host if request.client else ""
        wait = self._attempts.begin(login, address)
        if wait:
            return self._too_many(request, following, wait)
        with self._pool.connection() as connection:
            known = Accounts(connection).password_hash(login)
        try:
            is_right = matches(known, password)  # without a connection, which others need meanwhile
        except Busy:
            return self._too_many(request, following, 1)
        with self._pool.connection() as connection:
            if not is_right:
                audit.note(connection, login, "log-in refused", None, address)
                return self._form(request, following, "no_account", 403)
            self._attempts.succeeded(login, address)
            return self._begun(request, connection, login, following)

    def _too_many(self, request: Request, following: str, wait_s: int) -> Response:
        answer = self._form(request, following, "too_many", 429, seconds=wait_s)
        answer.headers["Retry-After"] = str(wait_s)
        return answer

    def _begun(self, request: Request, connection: Connection[Any], login: str, following: str) -> Response:
        sessions = Sessions(connection)
        sessions.end(request.cookies.get(self._cookie, ""))  # the one that this browser had
        secret = sessions.start(login)
        audit.note(connection, login, "log in", None, "")
        answer = RedirectResponse(following, 303)
        answer.set_cookie(
            self._cookie,
            secret,
            max_age=LONGEST_MS // 1000,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
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
        with self._pool.connection() as connection:
            login = Accounts(connection).set_password(secret, kept)
            if login is None:
                return None
            audit.note(connection, login, "set password", None, "")
            return self._begun(request, connection, login, "/")

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        form = await form_of(request)
        return await run_in_threadpool(self._logged_out, request, form)

    def _logged_out(self, request: Request, form: FormData) -> Response:
        secret = request.cookies.get(self._cookie, "")
        with self._pool.connection() as connection:
            sessions = Sessions(connection)
            session = sessions.find(secret)
            if session is not None:
                check_form(form.get("csrf_token"), session.csrf_token)
                sessions.end(secret)
                audit.note(connection, session.login, "log out", None, "")
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="lax")
        return answer


def _used(page: Page) -> Response:
    return render("error.html", page, 410, status=410, detail=page.t("link_used"))


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""
