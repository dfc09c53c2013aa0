"""Makes events of ``raw.<platform>`` as it grows, as one of several that share its partitions.

Where it goes on is committed to the group once Kafka has acknowledged the events up to there: after a stop or
a crash some are sent again, with the same ids, and change nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from stream_attr.adapters.adapter import Adapter
from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS, raw_topic
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.errors import StreamAttrError
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.adapt_shares import REQUEST_S, Shares
from stream_attr.gateway.adaptation import Accounts, Adaptation, Made, RawRecord
from stream_attr.gateway.lookups import LookupAwayError
from stream_attr.gateway.raw_record import BY, BY_SIGNATURE
from stream_attr.gateway.waiting import Backoff
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import LOGGED, Reader
from stream_attr.kafka.connection import reason_of
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import Published, Sender, TopicsMissingError
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["AdaptStream", "send"]

logger = logging.getLogger(__name__)

_READ: Final = 200
_PAUSE_S: Final = 0.1
_RETRY_S: Final = 1.0
_CHECK_EVERY_S: Final = 5.0
_SILENT_S: Final = 10.0
_FOR_EVER_MS: Final = 2_147_483_647
"""The longest delivery timeout that the client takes: a broker that is away is waited for."""
_CLIENT: Final = {
    **LOGGED,
    "auto.offset.reset": "earliest",
    "session.timeout.ms": 10_000,
    "max.poll.interval.ms": 900_000,
    "queued.max.messages.kbytes": 32 << 10,
}


class _StoppedError(Exception):
    """It is to stop, or the partition is somebody else's, before a record was adapted."""


def send(sender: Sender, records: Iterable[Made]) -> None:
    """Send events and dead letters.

    Raises:
        PublishError: the broker refuses one.
    """
    for topic, key, value in records:
        if not sender.send(topic, value, key):
            raise StreamAttrError(
                f"a record of {len(value):,} bytes is longer than {topic} takes: raise its max.message.bytes"
            )


class AdaptStream:
    """Reads the raw topic of a platform, and sends events and dead letters."""

    def __init__(
        self,
        adapter: Adapter,
        accounts: Accounts,
        topics: tuple[str, Security, str],
        metrics: AdaptMetrics,
        *,
        since_ms: int | None,
        stop: threading.Event,
    ) -> None:
        """``since_ms``: begin with what came then, instead of where the group has come to.

        Raises:
            BrokerUnreachable, TopicsMissingError: on construction.
        """
        self._adapter, self._accounts, self._metrics, self._stop = adapter, accounts, metrics, stop
        self._bootstrap, self._security, prefix = topics
        self._group = f"{prefix}stream-attr-adapt-{adapter.platform}"
        self._topic = prefix + raw_topic(adapter.platform)
        if not partition_counts(self._bootstrap, [self._topic], self._security):
            raise TopicsMissingError(
                f"no topic {self._topic} on {self._bootstrap}; create it with: "
                f"{topics_command(self._bootstrap, prefix, [adapter.platform])}"
            )
        self._sender = Sender(
            self._bootstrap,
            self._security,
            prefix,
            (CHAT, ORDERS, RAW_DEAD_LETTERS),
            Published(),
            _FOR_EVER_MS,
            self._progress,
        )
        self._shares = Shares(
            self._topic,
            lambda: Adaptation(adapter, accounts, metrics),
            rereads=adapter.shared_inbox,
            since_ms=since_ms,
        )
        self._pending: deque[Message] = deque()
        self._next_check = self._next_try = 0.0
        self.reason: str | None = "it is starting"
        """Why it does not get on, for ``/ready``; None: it does."""

    def run(self) -> None:
        """Adapt what comes until it is stopped; what has been read by then is sent and committed.

        Raises:
            StreamAttrError: the broker refuses a topic, the group or a record.
        """
        try:
            with Reader(self._bootstrap, self._security, self._group, _CLIENT) as reader:
                reader.join([self._topic], self._on_assigned, self._on_revoked)
                while not self._stop.is_set():
                    self._step(reader)
        except _StoppedError:
            pass  # what is not acknowledged is not committed
        except KafkaException as error:
            raise StreamAttrError(f"{self._topic} cannot be read: {reason_of(error)}") from error
        finally:
            self.reason = "it has ended"

    def _step(self, reader: Reader) -> None:
        now = time.monotonic()
        if self._shares.waiting is not None and now >= self._next_try:
            self._next_try = now + _RETRY_S
            self._begin(reader)
        try:
            self._pending.extend(reader.read(_READ, _PAUSE_S))
            while self._pending:
                self._take(reader, self._pending.popleft())
        except _StoppedError:
            if not self._stop.is_set():
                return  # the partitions were assigned again: what is not committed is read again
        self._finish(reader)
        if now >= self._next_check:
            self._next_check = now + _CHECK_EVERY_S
            self._check(reader)

    def _on_assigned(self, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)
        self._next_try = 0.0

    def _on_revoked(self, _partitions: list[TopicPartition]) -> None:
        self._forget(None)
        self.reason = "it has no partition"

    def _forget(self, given: list[TopicPartition] | None) -> None:
        self._shares.forget(given)
        self._pending.clear()
        self._metrics.forget()

    def _begin(self, reader: Reader) -> None:
        """Read the partitions that the group gave."""
        try:
            self._shares.begin(reader)
        except KafkaException as error:
            if kind_of(error.args[0]) is not ErrorKind.TRANSIENT:
                raise
            self.reason = f"the broker does not say where to go on: {reason_of(error)}"
            return
        numbers = ", ".join(map(str, sorted(self._shares.read))) or "none yet"
        logger.info("makes events of %s, partitions %s", self._topic, numbers)
        self.reason = None

    def _take(self, reader: Reader, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF and kind_of(error) is not ErrorKind.TRANSIENT:
                raise KafkaException(error)
            return
        partition = self._shares.read.get(message.partition())
        if partition is None:
            return
        offset = message.offset()
        if 0 <= partition.next < offset:
            self._metrics.lost(message.partition(), offset - partition.next)
        record = self._record(message)
        made = self._made(reader, message.partition(), record, again=offset < partition.committed)
        send(self._sender, made)
        partition.next, partition.received_ms = offset + 1, int(message.timestamp()[1])

    def _record(self, message: Message) -> RawRecord:
        headers = dict(message.headers() or ())
        return RawRecord(
            (message.key() or b"").decode(errors="replace"),
            message.value() or b"",
            int(message.timestamp()[1]),
            headers.get(BY) == BY_SIGNATURE.encode(),
            {
                "topic": raw_topic(self._adapter.platform),
                "partition": message.partition(),
                "offset": message.offset(),
            },
        )

    def _made(self, reader: Reader, number: int, record: RawRecord, *, again: bool) -> list[Made]:
        """Return what a record gives, as soon as the documents can be had that it needs."""
        partition = self._shares.read[number]
        waits, backoff = False, Backoff()
        try:
            while True:
                try:
                    return list(partition.adaptation.take(record, again=again))
                except LookupAwayError as error:
                    if not waits:
                        logger.warning("%s; what needs it waits", str(error))  # it quotes nothing but an id
                        waits = True
                        self._metrics.waits(True)
                        reader.pause(paused=True)
                    self.reason = str(error)
                until = time.monotonic() + backoff.wait_s()
                while time.monotonic() < until:
                    self._pending.extend(reader.read(1, _PAUSE_S))  # the group hears of us
                    if self._stop.is_set() or self._shares.read.get(number) is not partition:
                        raise _StoppedError
        finally:
            if waits:
                self._metrics.waits(False)
                if self._shares.read.get(number) is partition:
                    reader.pause(paused=False)
                    self.reason = None

    def _finish(self, reader: Reader) -> None:
        """Have Kafka acknowledge what was sent, then commit how far that is."""
        self._sender.flush()
        if self._shares.read:
            self.reason = None
        if (error := self._shares.commit(reader)) is not None:
            logger.warning("not committed, some records will be adapted again: %s", reason_of(error))

    def _check(self, reader: Reader) -> None:
        """Tell how far it is behind; at the end, messages that nobody answered expire by the clock."""
        for number, one in self._shares.read.items():
            bounds = reader.bounds(self._topic, number, REQUEST_S)
            if bounds is None:
                continue
            first, end = bounds
            self._metrics.lag(number, max(0, end - max(first, one.next, one.committed)))
            if one.next >= end:
                send(self._sender, one.adaptation.expire(wall_clock_ms()))

    def _progress(self, _acknowledged: int, silent_s: float) -> None:
        if silent_s < _SILENT_S:
            return
        self.reason = f"the broker has acknowledged nothing for {silent_s:.0f} s"
        if self._stop.is_set():
            raise _StoppedError
