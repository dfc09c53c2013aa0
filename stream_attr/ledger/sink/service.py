"""A sink as a service: its database, its web port, and how it comes to an end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from psycopg import Connection

from stream_attr.contract.topics import DECISIONS
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Security
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.database.migrate import migrate
from stream_attr.ledger.sink.inputs import InputWatch
from stream_attr.ledger.sink.metrics import SinkMetrics
from stream_attr.ledger.sink.offsets import emptied, empty
from stream_attr.ledger.sink.status import Status
from stream_attr.ledger.sink.topics import TopicSink
from stream_attr.ledger.sink.web import serving

__all__ = ["Topics", "Web", "follow"]

logger = logging.getLogger(__name__)


class Topics(NamedTuple):
    """The topics of an installation."""

    bootstrap: str
    security: Security
    prefix: str
    group: str
    """The consumer group, without the prefix."""


class Web(NamedTuple):
    """The web port."""

    host: str
    port: int
    token: Secret | None


def follow(database: Database, topics: Topics, web: Web, stop: threading.Event, *, rebuild: bool) -> None:
    """Fill the ledger from topics until stopped. ``rebuild``: empty it before.

    Raises:
        BrokerUnreachable, TopicsMissingError, PortUnusableError: on beginning.
        StreamAttrError: see `TopicSink.run`.
    """
    metrics, status = SinkMetrics(), Status()
    metrics.watch(status)
    with serving(web.host, web.port, web.token, metrics, status):
        opened = _Opened(database, rebuild=rebuild)
        with database.explaining():
            sink = TopicSink(*topics, opened, metrics, status)
            with _watching_inputs(database, topics, status):
                sink.run(stop)


@contextmanager
def _watching_inputs(database: Database, topics: Topics, status: Status) -> Iterator[None]:
    """Keep up to date how far the workers have read the inputs, if this sink has the first decisions."""

    def connect() -> Connection[Any]:
        return database.connect(autocommit=True, application="stream-attr ledger inputs")

    stop = threading.Event()
    watch = InputWatch(*topics, connect, lambda: (DECISIONS, 0) in status.sources)
    thread = threading.Thread(target=watch.run, args=(stop,), name="inputs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class _Opened:
    """Opens connections to a ledger that has the schema, and that is emptied once if that is asked for."""

    def __init__(self, database: Database, *, rebuild: bool) -> None:
        self._database = database
        self._migrated = False
        self._rebuild = rebuild

    def __call__(self) -> Connection[Any]:
        """Raise DatabaseAway while the database cannot be reached."""
        self._database.revive()
        if not self._migrated:
            left_to_do = migrate(self._database)
            self._migrated = True
            if left_to_do is not None:
                logger.warning("%s", left_to_do)
        connection = self._database.connect(autocommit=True, application="stream-attr ledger")
        if self._rebuild:
            logger.info("%s", emptied(empty(connection)))
            self._rebuild = False
        return connection
