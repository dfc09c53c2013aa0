"""Sessions: in the database, of which a browser has the secret and we its hash."""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.console.accounts import hash_of
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["IDLE_MS", "LONGEST_MS", "Began", "Session", "Sessions", "Way"]

IDLE_MS: Final = 8 * 60 * 60 * 1000
LONGEST_MS: Final = 7 * 24 * 60 * 60 * 1000
_NOTED_EVERY_MS: Final = 60_000
"""Using one is written no more often."""


class Way(StrEnum):
    """How somebody has come in."""

    PASSWORD = "password"
    """Or the link with which it is set."""
    OIDC = "oidc"
    """The log-in of an OpenID Connect provider."""
    PROXY = "proxy"
    """A header of a trusted proxy; it is needed with every request."""


class Session(NamedTuple):
    """Somebody who is logged in."""

    login: str
    csrf_token: str
    """What every form carries."""
    way: Way


class Began(NamedTuple):
    """A session as others see it."""

    login: str
    way: Way
    started_ts: int
    used_ts: int
    """To the minute."""
    number: int


class Sessions:
    """Those of a ledger. The connection commits by itself."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    def start(self, login: str, way: Way = Way.PASSWORD) -> str:
        """Begin a session, and return its secret; sessions that have ended are deleted."""
        secret, now = secrets.token_urlsafe(32), wall_clock_ms()
        with self._connection.transaction():
            self._connection.execute(
                "DELETE FROM session WHERE used_ts <= %s OR started_ts <= %s",
                (now - IDLE_MS, now - LONGEST_MS),
            )
            self._connection.execute(
                "INSERT INTO session (token_hash, login, csrf_token, started_ts, used_ts, way)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (hash_of(secret), login, secrets.token_urlsafe(32), now, now, way),
            )
        return secret

    def find(self, secret: str, *, is_used: bool = True) -> Session | None:
        """Return a session that has neither ended nor been unused for too long.

        ``is_used``: note it; not where a page asks by itself, as a screen that was left open does.
        """
        now = wall_clock_ms()
        with self._connection.transaction():
            row = self._connection.execute(
                "SELECT login, csrf_token, way, used_ts FROM session JOIN account USING (login)"
                " WHERE token_hash = %s AND used_ts > %s AND started_ts > %s AND active",
                (hash_of(secret), now - IDLE_MS, now - LONGEST_MS),
            ).fetchone()
            if row is None:
                return None
            if is_used and row[3] <= now - _NOTED_EVERY_MS:
                self._connection.execute(
                    "UPDATE session SET used_ts = %s WHERE token_hash = %s", (now, hash_of(secret))
                )
        return Session(row[0], row[1], Way(row[2]))

    def all(self, login: str | None = None) -> list[Began]:
        """Return those that have not ended, of an account or (None) of all, the last used first."""
        now = wall_clock_ms()
        rows = self._connection.execute(
            "SELECT login, way, started_ts, used_ts, number FROM session JOIN account USING (login)"
            " WHERE used_ts > %s AND started_ts > %s AND active AND (%s::text IS NULL OR login = %s)"
            " ORDER BY used_ts DESC, login, started_ts",
            (now - IDLE_MS, now - LONGEST_MS, login, login),
        )
        return [Began(of, Way(way), *others) for of, way, *others in rows]

    def end(self, secret: str) -> None:
        """End one; it may have ended already."""
        with self._connection.transaction():
            self._connection.execute("DELETE FROM session WHERE token_hash = %s", (hash_of(secret),))

    def end_of(self, login: str, number: int | None = None) -> int:
        """End all sessions of an account, or one of them; return how many there were."""
        with self._connection.transaction():
            return self._connection.execute(
                "DELETE FROM session WHERE login = %s AND (%s::bigint IS NULL OR number = %s)",
                (login, number, number),
            ).rowcount
