"""What the broker says of the sink's topics: ids, where partitions begin and end, what cannot be read."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_attr.kafka.client_errors import is_transient
from stream_attr.kafka.clients import LOGGED, Reader
from stream_attr.kafka.security import Security
from stream_attr.kafka.topic_ids import topic_ids
from stream_attr.ledger.sink.batch import Source
from stream_attr.ledger.sink.metrics import SinkMetrics

__all__ = ["Partitions", "passes"]

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 2.0
_SILENT_S: Final = 15.0
"""Silence after which the broker counts as unreachable."""
_PASSING: Final = (
    KafkaError._MAX_POLL_EXCEEDED,  # the process was suspended: it joins the group again
    KafkaError._UNKNOWN_PARTITION,  # the client has no connection to ask
    KafkaError._UNKNOWN_TOPIC,
    KafkaError.UNKNOWN_TOPIC_OR_PART,  # deleted, or not known yet to a broker that starts
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.INCONSISTENT_TOPIC_ID,
)
"""Errors after which a topic can be read again, or is found to be another one."""


def passes(error: KafkaError) -> bool:
    """Whether what has failed can be tried again."""
    return is_transient(error) or error.code() in _PASSING


class Partitions:
    """The partitions of an installation's topics."""

    def __init__(
        self, bootstrap: str, security: Security, prefix: str, topics: Iterable[str], metrics: SinkMetrics
    ) -> None:
        """``topics``: without prefix."""
        self._admin = AdminClient({**security.rdkafka(bootstrap), **LOGGED})
        self._prefix = prefix
        self._topics = list(topics)
        self._metrics = metrics
        self._ids: dict[str, str] = {}
        self._gone: list[str] = []
        """Topics that the broker does not have any more."""
        self._unreadable: dict[Source, str] = {}
        self._left_out: set[Source] = set()
        self._answered = time.monotonic()

    def answered(self) -> None:
        """Say that the broker has just answered."""
        self._answered = time.monotonic()

    def read(self, source: Source) -> None:
        """Say that a partition was read."""
        self._unreadable.pop(source, None)

    def why_not(self) -> str | None:
        """Return why topics cannot be read, or not all of them; None: they can."""
        silent_s = time.monotonic() - self._answered
        if silent_s >= _SILENT_S:
            return f"the broker has not answered for {silent_s:.0f} s"
        if self._gone:
            return f"topics that the broker does not have: {', '.join(self._gone)}"
        return next(iter(self._unreadable.values()), None)

    def ids(self, sources: Iterable[Source]) -> dict[Source, str | None]:
        """Return the topic id of each; None: the broker has no topic ids.

        Raises:
            KafkaException: the broker does not answer, or cannot describe a topic.
        """
        if not self._ids:
            self._ids = topic_ids(self._admin, self._names(), _TIMEOUT_S, missing=False)
        return {source: self._ids.get(self._prefix + source[0]) for source in sources}

    def are_recreated(self) -> bool:
        """Request the ids again; returns whether some topic has another one than before.

        Raises:
            KafkaException: the broker refuses it.
        """
        try:
            now = topic_ids(self._admin, self._names(), _TIMEOUT_S, missing=True)
        except KafkaException as error:
            if not passes(error.args[0]):
                raise
            return False
        before, self._ids = self._ids, {**self._ids, **now}
        if now or not before:  # a broker that does not answer has none of them
            self.answered()
            self._gone = sorted(before.keys() - now.keys())
        return any(self._ids[name] != known for name, known in before.items())

    def is_the_same(self, source: Source) -> bool:
        """Request the id of a topic: whether it certainly is the one that it was, as far as there are ids."""
        name = self._prefix + source[0]
        known = self._ids.get(name)
        if known is None:
            return True
        try:
            return topic_ids(self._admin, [name], _TIMEOUT_S, missing=True).get(name) == known
        except KafkaException as error:
            if not passes(error.args[0]):
                raise
            return False

    def bounds(self, reader: Reader, source: Source) -> tuple[int, int] | None:
        """Return the first offset of a partition and its end; None: the broker does not answer now."""
        try:
            return reader.bounds(self._prefix + source[0], source[1], _TIMEOUT_S)
        except KafkaException as error:
            if not passes(error.args[0]):
                raise
            return None

    def positions(self, reader: Reader, begins: Mapping[Source, int]) -> list[TopicPartition] | None:
        """Return where to read on, without what cannot be read; None: the broker does not answer now."""
        found = []
        for source, begin in begins.items():
            if source in self._left_out:
                continue
            bounds = self.bounds(reader, source)
            if bounds is None:
                return None
            topic, partition, first = self._prefix + source[0], source[1], bounds[0]
            if 0 < begin < first:
                logger.warning(
                    "partition %d of %s begins at offset %d, and the ledger has it up to %d: retention has "
                    "deleted the records between before they were read",
                    partition,
                    topic,
                    first,
                    begin,
                )
                self._metrics.lost(source, first - begin)
            found.append(TopicPartition(topic, partition, max(first, begin)))
        return found

    def is_left_out(self, source: Source) -> bool:
        """Whether a partition is not read, because it cannot be."""
        return source in self._left_out

    def leave_out(self, source: Source, why: str) -> None:
        """Read a partition no more, of which a batch cannot be read at all, until it is tried again."""
        reason = f"partition {source[1]} of {self._prefix + source[0]} cannot be read: {why}"
        if source not in self._unreadable:
            logger.error("%s; it is tried again, and the others go on", reason)
        self._unreadable[source] = reason
        self._left_out.add(source)

    def try_again(self) -> bool:
        """Return whether partitions were left out; they are not any more."""
        were, self._left_out = bool(self._left_out), set()
        return were

    def forget(self) -> None:
        """Leave out none: they are others' now."""
        self._unreadable, self._left_out = {}, set()

    def _names(self) -> list[str]:
        return [self._prefix + topic for topic in self._topics]
