"""All metrics of a console: names, labels and meanings; served at ``/metrics`` of a port of its own."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from psycopg_pool import ConnectionPool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stream_attr.console.sessions import Way

__all__ = ["Came", "ConsoleMetrics", "Measured"]

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STATIC: Final = "/static"
_OTHER: Final = "other"


class Came(StrEnum):
    """What came of a log-in."""

    IN = "in"
    REFUSED = "refused"
    WAITS = "waits"
    """Too many have failed, or are under way."""


class ConsoleMetrics:
    """Counters since the console started, and gauges of now."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._requests = Counter(
            "stream_attr_console_requests",
            "Requests by page and status of the answer; `other` is no page of ours.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "stream_attr_console_request_seconds",
            "Time until a request was answered.",
            ["route"],
            registry=registry,
            buckets=_SECONDS,
        )
        self._log_ins = Counter(
            "stream_attr_console_log_ins",
            "Log-ins by `way` (`password`, `oidc`, `proxy`) and what came of them: `in`, `refused`, or "
            "`waits` where too many failed.",
            ["way", "result"],
            registry=registry,
        )
        self._sessions = Gauge(
            "stream_attr_console_sessions",
            "Sessions that have not ended, of all consoles of the ledger.",
            registry=registry,
        )
        self._as_of = Gauge(
            "stream_attr_console_as_of_seconds",
            "Until when the ledger knows the events of a topic, epoch seconds: pages are as of it.",
            ["topic"],
            registry=registry,
        )
        self._unpublished = Gauge(
            "stream_attr_console_unpublished_rulings",
            "Rulings of granted appeals that no broker has acknowledged yet.",
            registry=registry,
        )
        self._away = Gauge(
            "stream_attr_console_database_away",
            "1 while the ledger's database does not answer: every page is 503. Else 0.",
            registry=registry,
        )
        self._connections = Gauge(
            "stream_attr_console_pool_connections",
            "Connections to the database, by `state`: `busy` with a page, or `idle`.",
            ["state"],
            registry=registry,
        )
        self._waiting = Gauge(
            "stream_attr_console_pool_waiting",
            "Requests that wait for a connection to the database.",
            registry=registry,
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Record a request."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def log_in(self, way: Way, came: Came) -> None:
        """Record what came of a log-in."""
        self._log_ins.labels(way, came).inc()

    def away(self, is_away: bool) -> None:
        """Set whether the database answers."""
        self._away.set(is_away)

    def saw(self, sessions: int, unpublished: int, as_of: Mapping[str, int]) -> None:
        """Set what was read from the database. ``unpublished``: rulings; ``as_of``: by topic, epoch ms."""
        self._sessions.set(sessions)
        self._unpublished.set(unpublished)
        for topic, ts in as_of.items():
            self._as_of.labels(topic).set(ts / 1000)

    def watch(self, pool: ConnectionPool[Any]) -> None:
        """Tell from now on how the connections of a pool are used."""

        def number(name: str) -> int:
            return pool.get_stats().get(name, 0)

        self._connections.labels("idle").set_function(lambda: number("pool_available"))
        self._connections.labels("busy").set_function(
            lambda: max(number("pool_size") - number("pool_available"), 0)
        )
        self._waiting.set_function(lambda: number("requests_waiting"))


class Measured:
    """Counts and times what an application answers, by route: never by what else an address holds."""

    def __init__(self, app: ASGIApp, metrics: ConsoleMetrics, paths: Collection[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.answered(self._route(scope["path"]), status, time.perf_counter() - begun)

    def _route(self, path: str) -> str:
        if path in self._paths:
            return path
        return _STATIC if path.startswith(f"{_STATIC}/") else _OTHER
