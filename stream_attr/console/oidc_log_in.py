"""The way in by an OpenID Connect provider: out to it, and back with a code."""

from __future__ import annotations

import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import Connection
from psycopg_pool import ConnectionPool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stream_attr.console.accounts import Accounts, Busy, hash_of
from stream_attr.console.doors import Attempts
from stream_attr.console.entrance import Entrance
from stream_attr.console.log_in import LogIn, local_path
from stream_attr.console.oidc_answers import Begun, NotProven, ProviderAway
from stream_attr.console.proxy import address_of
from stream_attr.console.sessions import Way
from stream_attr.wall_clock import wall_clock_ms

if TYPE_CHECKING:  # an extra
    from stream_attr.console.oidc import Provider

__all__ = ["OidcLogIn"]

_UNDER_WAY_MS: Final = 10 * 60 * 1000
"""How long somebody may take at the provider."""
_COOKIE: Final = "oidc"
_CODE: Final = re.compile(r"[a-z_]{1,40}")
"""An error of a provider, as RFC 6749 and OpenID Connect name them."""


class _UnderWay(NamedTuple):
    """A log-in that has come back."""

    nonce: str
    code_verifier: str
    following: str


class OidcLogIn:
    """Its two addresses."""

    def __init__(
        self,
        pool: ConnectionPool[Connection[Any]],
        provider: Provider,
        entrance: Entrance,
        log_in: LogIn,
        attempts: Attempts,
    ) -> None:
        self._pool = pool
        self._provider = provider
        self._entrance = entrance
        self._log_in = log_in
        self._attempts = attempts
        self._cookie = entrance.cookie_name(_COOKIE)
        self._turns = threading.BoundedSemaphore(8)

    def begin(self, request: Request) -> Response:
        """Send a browser to the provider."""
        following = local_path(request.query_params.get("next"))
        wait = self._attempts.begin(None, address_of(request))
        if wait:
            return self._log_in.too_many(request, following, wait, Way.OIDC)
        try:
            with self._turn():
                begun = self._provider.begin()
        except Busy:
            return self._log_in.too_many(request, following, 1, Way.OIDC)
        except ProviderAway:
            return self._log_in.form(request, following, "oidc_away", 503)
        self._keep(begun, following)
        answer = RedirectResponse(begun.address, 303)
        self._entrance.set_cookie(answer, self._cookie, begun.state, _UNDER_WAY_MS)
        return answer

    def come_back(self, request: Request) -> Response:
        """Begin the session of whom the provider names."""
        answer = self._came_back(request)
        self._entrance.delete_cookie(answer, self._cookie)
        return answer

    def _came_back(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        own = request.cookies.get(self._cookie, "")
        if not state or not hmac.compare_digest(state.encode(), own.encode()):
            return self._log_in.form(request, "/", "oidc_not_ours", 403)
        under_way = self._taken(state)
        if under_way is None:
            return self._log_in.form(request, "/", "oidc_not_ours", 403)
        following = under_way.following
        if (refused := request.query_params.get("error")) is not None:
            kind = refused if _CODE.fullmatch(refused) else "?"
            return self._log_in.form(request, following, "oidc_refused", 403, kind=kind)
        try:
            with self._turn():
                self._provider.check_answer(request.query_params.get("iss"))
                login = self._provider.login_of(
                    request.query_params.get("code", ""), under_way.nonce, under_way.code_verifier
                )
        except Busy:
            return self._log_in.too_many(request, following, 1, Way.OIDC)
        except ProviderAway:
            return self._log_in.form(request, following, "oidc_away", 503)
        except NotProven as error:
            with self._pool.connection() as connection:
                self._entrance.refused(request, connection, "", Way.OIDC, str(error))
            return self._log_in.form(request, following, "oidc_not_proven", 403)
        with self._pool.connection() as connection:
            if not Accounts(connection).may_log_in(login):
                self._entrance.refused(request, connection, login, Way.OIDC)
                return self._log_in.form(request, following, "oidc_no_account", 403, login=login)
            self._attempts.succeeded(None, address_of(request))
            return self._entrance.begin(request, connection, login, Way.OIDC, following)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let few ask at once: a provider that does not answer must not take all threads. Raises Busy."""
        if not self._turns.acquire(timeout=2):
            raise Busy
        try:
            yield
        finally:
            self._turns.release()

    def _keep(self, begun: Begun, following: str) -> None:
        with self._pool.connection() as connection, connection.transaction():
            now = wall_clock_ms()
            connection.execute("DELETE FROM oidc_request WHERE expires_ts <= %s", (now,))
            connection.execute(
                "INSERT INTO oidc_request (state_hash, nonce, code_verifier, following, expires_ts)"
                " VALUES (%s, %s, %s, %s, %s)",
                (hash_of(begun.state), begun.nonce, begun.code_verifier, following, now + _UNDER_WAY_MS),
            )

    def _taken(self, state: str) -> _UnderWay | None:
        """Return what was begun with a state, which can be used once; None: nothing, or long ago."""
        with self._pool.connection() as connection:
            row = connection.execute(
                "DELETE FROM oidc_request WHERE state_hash = %s AND expires_ts > %s"
                " RETURNING nonce, code_verifier, following",
                (hash_of(state), wall_clock_ms()),
            ).fetchone()
        return None if row is None else _UnderWay(*row)
