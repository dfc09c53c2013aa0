"""Whose a request is, and how a session begins and ends, whatever the way in."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stream_attr.console.doors import check_form
from stream_attr.console.metrics import Came, ConsoleMetrics
from stream_attr.console.proxy import address_of, vouched_for
from stream_attr.console.sessions import LONGEST_MS, Session, Sessions, Way
from stream_attr.ledger import audit

__all__ = ["Entrance"]

_COOKIE: Final = "session"


class Entrance:
    """The cookie of sessions, and what it is worth."""

    def __init__(self, metrics: ConsoleMetrics, *, secure: bool) -> None:
        """``secure``: browsers come by HTTPS, and the cookie is for that alone."""
        self._metrics = metrics
        self._secure = secure
        self._cookie = self.cookie_name(_COOKIE)

    def cookie_name(self, name: str) -> str:
        """Return a name under which no other host of the domain can set a cookie, where that can be had."""
        return f"__Host-{name}" if self._secure else name

    def set_cookie(self, answer: Response, name: str, value: str, age_ms: int) -> None:
        """Have a browser keep a secret, for this site and for no script."""
        answer.set_cookie(
            name,
            value,
            max_age=age_ms // 1000,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def delete_cookie(self, answer: Response, name: str) -> None:
        """Have a browser forget it."""
        answer.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")

    def session(
        self, request: Request, connection: Connection[Any], *, is_used: bool = True
    ) -> Session | None:
        """Return the session that a request is of; None: nobody is logged in.

        Where a trusted proxy says who asks, it is of that login, and one that began so needs it each time.
        ``is_used``: as `Sessions.find`.
        """
        secret = request.cookies.get(self._cookie, "")
        found = Sessions(connection).find(secret, is_used=is_used) if secret else None
        login = vouched_for(request)
        if found is None or (found.login != login and (login is not None or found.way is Way.PROXY)):
            return None
        return found

    def begin(
        self, request: Request, connection: Connection[Any], login: str, way: Way, following: str
    ) -> Response:
        """Begin a session, in place of the one that this browser had, and go on to a page."""
        with connection.transaction():
            sessions = Sessions(connection)
            sessions.end(request.cookies.get(self._cookie, ""))
            secret = sessions.start(login, way)
            audit.note(connection, login, "log in", None, way)
        self._metrics.log_in(way, Came.IN)
        answer = RedirectResponse(following, 303)
        self.set_cookie(answer, self._cookie, secret, LONGEST_MS)
        return answer

    def refused(
        self, request: Request, connection: Connection[Any], login: str, way: Way, why: str = ""
    ) -> None:
        """Note that somebody was not let in. ``login``: as whom; empty: that is not known."""
        about = ": ".join(one for one in (way, address_of(request), why) if one)
        audit.note(connection, login, "log-in refused", None, about)
        self._metrics.log_in(way, Came.REFUSED)

    def put_off(self, way: Way) -> None:
        """Note that somebody has to wait."""
        self._metrics.log_in(way, Came.WAITS)

    def end(
        self, request: Request, connection: Connection[Any], csrf_token: object, following: str
    ) -> Response:
        """End the session of a request, by a form of it, and go on to a page.

        Raises HTTPException, 403, for a form of another one.
        """
        secret = request.cookies.get(self._cookie, "")
        with connection.transaction():
            sessions = Sessions(connection)
            session = sessions.find(secret)
            if session is not None:
                check_form(csrf_token, session.csrf_token)
                sessions.end(secret)
                audit.note(connection, session.login, "log out", None, "")
        answer = RedirectResponse(following, 303)
        self.delete_cookie(answer, self._cookie)
        return answer
