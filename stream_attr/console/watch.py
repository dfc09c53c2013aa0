"""Looks after the console's database while the console runs, and tells the metrics what it finds."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Any, Final, Self

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from stream_attr.console.metrics import ConsoleMetrics
from stream_attr.console.sessions import IDLE_MS, LONGEST_MS
from stream_attr.contract.topics import AGENT_DAILY, DECISIONS
from stream_attr.ledger.database.connect import Database, DatabaseAway
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["Watch"]

logger = logging.getLogger(__name__)

_EVERY_S: Final = 5.0
_WAIT_S: Final = 2.0
_QUERY_MS: Final = 2_000


class Watch:
    """Asks the database every few seconds, for as long as the context lasts.

    An embedded one that has ended, with the program that ran it, is started again: by this thread, with which
    it then ends.
    """

    def __init__(
        self, database: Database, pool: ConnectionPool[Connection[Any]], metrics: ConsoleMetrics
    ) -> None:
        self._database = database
        self._pool = pool
        self._metrics = metrics
        self._is_away = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def why_not(self) -> str | None:
        """Return why no page can be shown; None: pages can be."""
        return "the database does not answer" if self._is_away else None

    def _run(self) -> None:
        while True:
            self._look()
            if self._stop.wait(_EVERY_S):
                return

    def _look(self) -> None:
        try:
            with self._pool.connection(timeout=_WAIT_S) as connection, connection.transaction():
                connection.execute(f"SET LOCAL statement_timeout = {_QUERY_MS}")
                self._metrics.saw(*_found(connection))
        except (psycopg.Error, PoolTimeout) as error:
            self._revive(type(error).__name__)
        else:
            if self._is_away:
                logger.warning("%s answers again", self._database.name)
            self._set_away(False)

    def _revive(self, kind: str) -> None:
        if not self._is_away:
            logger.warning("%s does not answer (%s): every page is 503 meanwhile", self._database.name, kind)
        self._set_away(True)
        try:
            self._database.revive()
        except DatabaseAway as error:
            logger.warning("%s", error)

    def _set_away(self, is_away: bool) -> None:
        self._is_away = is_away
        self._metrics.away(is_away)


def _found(connection: Connection[Any]) -> tuple[int, int, dict[str, int]]:
    """Return how many sessions and unpublished rulings there are; by topic until when events are known."""
    now = wall_clock_ms()
    query = "SELECT count(*) FROM session WHERE used_ts > %s AND started_ts > %s"
    [sessions] = connection.execute(query, (now - IDLE_MS, now - LONGEST_MS)).fetchone() or (0,)
    query = "SELECT count(*) FROM appeal WHERE state = 'open' AND ruling IS NOT NULL"
    [unpublished] = connection.execute(query).fetchone() or (0,)
    rows = connection.execute(
        "SELECT topic, min(watermark) FROM sink_offset WHERE topic = ANY(%s) AND watermark IS NOT NULL"
        " GROUP BY topic",
        ([DECISIONS, AGENT_DAILY],),
    )
    return sessions, unpublished, dict(rows.fetchall())
