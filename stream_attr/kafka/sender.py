"""The producer of ``publish`` and ``dead-letters replay``: it counts what the broker has acknowledged."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_attr.contract.topics import TICKS
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.connection import reason_of
from stream_attr.kafka.security import Security

__all__ = [
    "ANY_PARTITION",
    "DELIVERY_TIMEOUT_MS",
    "Kept",
    "Progress",
    "PublishError",
    "Published",
    "Sender",
    "TopicsMissingError",
]

DELIVERY_TIMEOUT_MS = 120_000
"""How long the broker may take to acknowledge a record; Kafka's own producer waits as long."""

ANY_PARTITION = -1
"""The partition that the record's key determines."""

_POLL_EVERY = 1000
"""Records between two looks at the acknowledgements."""
_LAST_FLUSH_S = 5.0
"""How long records in flight may take once no more are sent."""

Progress = Callable[[int, float], None]
"""Called with the number of acknowledged records, and the seconds since the last acknowledgement while
records wait for one."""
Kept = Callable[[str, int, int], None]
"""Called with where an acknowledged record stands: topic without prefix, partition, offset."""


class PublishError(StreamAttrError):
    """The broker does not accept the records; the message gives the reason."""


class TopicsMissingError(UnusableError, PublishError):
    """The broker lacks topics; nothing was sent. The message gives the command that creates them."""


@dataclass(slots=True)
class Published:
    """What was sent, and what could not be."""

    records: Counter[str] = field(default_factory=Counter)
    """Per topic, without prefix."""
    without_key: int = 0
    """Lines that yield no key: sent unchanged to partition 0, where they become dead letters."""
    of_future: int = 0
    """Events ahead of the wall clock: sent, but workers refuse them unless started with --accept-future."""
    present: int = 0
    """Settings and roster lines that are on their topics already, and were not sent again."""
    too_long: list[str] = field(default_factory=list)
    """Lines longer than the broker accepts, as ``file, line n: …``; not sent."""


class Sender:
    """A producer for the topics of the contract, and its account of what was acknowledged.

    Raises:
        BrokerUnreachable, TopicsMissingError: on construction.
        PublishError: from any method, once the broker has refused a record.
    """

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        prefix: str,
        topics: Iterable[str],
        account: Published,
        delivery_timeout_ms: int = DELIVERY_TIMEOUT_MS,
        progress: Progress = lambda _acknowledged, _silent_s: None,
        kept: Kept | None = None,
    ) -> None:
        self.published = account
        self._kept = kept
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._progress = progress
        self._sent = self._acknowledged = 0
        self._answered_s = time.monotonic()
        """When the broker last acknowledged something, or had nothing left to acknowledge."""
        self._delivery_timeout_s = delivery_timeout_ms / 1000
        self._failure: KafkaError | None = None
        names = {prefix + topic for topic in topics}
        self.partitions = partition_counts(bootstrap, names, security)
        """Number of partitions per topic, by its name with prefix."""
        if missing := names - self.partitions.keys():
            raise TopicsMissingError(
                f"no topic {', '.join(sorted(missing))} on {bootstrap}; "
                f"create them with: {topics_command(bootstrap, prefix)}"
            )
        self._producer = Producer(
            {
                **security.rdkafka(bootstrap),
                "enable.idempotence": True,  # a repeated send neither duplicates nor reorders records
                "partitioner": "murmur2",  # as Java clients: whoever sends, a buyer has one partition
                "linger.ms": 20,
                "delivery.report.only.error": kept is None,
                "delivery.timeout.ms": delivery_timeout_ms,
                "error_cb": self._on_error,
                "on_delivery": self._on_delivery,
                "log_level": 2,
            }
        )

    def send(self, topic: str, value: bytes, key: str | bytes | None, partition: int = ANY_PARTITION) -> bool:
        """Send a record; False: it is longer than the broker accepts. ``topic``: without prefix."""
        try:
            self._produce(topic, value=value, key=key, partition=partition)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise PublishError(
                    f"the broker {self._bootstrap} takes no records: {reason_of(error)}"
                ) from error
            return False
        self.published.records[topic] += 1
        if self._sent % _POLL_EVERY == 0:
            self.poll(0)
        return True

    def tick(self, ts: int) -> None:
        """Send a tick with time ``ts`` to every partition."""
        for partition in range(self.partitions[self._prefix + TICKS]):
            self._produce(TICKS, value=orjson.dumps({"ts": ts}), partition=partition)
            self.published.records[TICKS] += 1
        self.flush()

    def flush(self) -> None:
        """Return when everything is acknowledged."""
        while self._producer.flush(0.5):
            self.poll(0)
        self.poll(0)

    def abandon(self) -> None:
        """Send no more; afterwards the account holds exactly what the broker has acknowledged."""
        try:
            if self._failure is None:
                self._producer.flush(_LAST_FLUSH_S)
        finally:  # after a second Ctrl-C, too, nothing is counted that was not acknowledged
            self._producer.purge()
            self._producer.flush(_LAST_FLUSH_S)

    def poll(self, timeout_s: float) -> None:
        """Serve delivery reports, waiting at most ``timeout_s`` for one, and report progress."""
        self._producer.poll(timeout_s)
        if self._failure is not None:
            if self._failure.code() == KafkaError._MSG_TIMED_OUT:
                reason = f"no acknowledgement within {self._delivery_timeout_s:,.0f} s (--delivery-timeout)"
            else:
                reason = self._failure.str()
            raise PublishError(f"the broker {self._bootstrap} did not take all records: {reason}")
        waiting, now = len(self._producer), time.monotonic()
        if not waiting or self._sent - waiting > self._acknowledged:
            self._acknowledged, self._answered_s = self._sent - waiting, now
        self._progress(self._acknowledged, now - self._answered_s)

    def _produce(self, topic: str, **record: Any) -> None:
        if not len(self._producer):
            self._answered_s = time.monotonic()
        while True:
            try:
                self._producer.produce(self._prefix + topic, **record)
            except BufferError:  # the queue is full: the broker sets the pace
                self.poll(0.1)
            else:
                self._sent += 1
                return

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        """Tell where a record stands, or take it out of the account if it was not delivered."""
        if error is None:
            assert self._kept is not None
            topic = message.topic().removeprefix(self._prefix)
            self._kept(topic, int(message.partition() or 0), int(message.offset() or 0))
            return
        self._failure = self._failure or error
        self.published.records[message.topic().removeprefix(self._prefix)] -= 1

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():  # librdkafka recovers from the rest by itself, or reports a failed delivery
            self._failure = self._failure or error
