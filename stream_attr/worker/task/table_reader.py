"""Reads the global topics, settings and roster, from their beginning: one partition each, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import LOGGED, Reader
from stream_attr.processor.ports import Record
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.ops.unreadable import READ_AGAIN_S, Unreadable
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS

__all__ = ["TableReader"]

_SETTINGS = {**LOGGED, "auto.offset.reset": "earliest"}
_POLL_S = 0.01
_REQUEST_TIMEOUT_S = 1.0
_BATCH = 10_000


class TableReader:
    """A consumer of both topics, and how far it has read them."""

    def __init__(
        self, config: WorkerConfig, on_login_refused: Callable[[str], None], unreadable: Unreadable
    ) -> None:
        """``on_login_refused`` is called with the user, repeatedly, while the broker refuses the log-in."""
        user = config.security.user

        def see(error: KafkaError) -> None:
            if error.code() == KafkaError._AUTHENTICATION and user is not None:
                on_login_refused(user)

        self._names = {config.topic(name): name for name in GLOBAL_TOPICS}
        self._unreadable = unreadable
        self._positions = dict.fromkeys(self._names, 0)
        self._reader = Reader(config.broker, config.security, config.group, _SETTINGS, see)

    @property
    def topics(self) -> Iterable[str]:
        """Both topics, as they are named on the broker."""
        return self._names.keys()

    def position(self, topic: str) -> int:
        """The next offset to be read of a topic."""
        return self._positions[topic]

    def read_to_ends(self, stop: Callable[[], bool]) -> list[Record] | None:
        """Read both topics from the beginning to the ends that their first fetch responses name.

        Waits for the broker; None: ``stop`` returned True before.

        Raises:
            KafkaException: the broker failed permanently.
        """
        left = set(self._names)
        goals: dict[str, int] = {}
        found: list[Record] = []
        self._reader.assign(TopicPartition(topic, 0, 0) for topic in self._names)
        while left:
            if stop():
                return None
            for message in self._readable(_POLL_S):
                topic = str(message.topic())
                if not self._take(message, found):
                    if message.error() is not None and _ended(message):
                        left.discard(topic)
                    continue
                if topic not in goals:  # while records keep arriving, the client reports no end
                    goals[topic] = self._reader.fetched_end(topic, 0)
                if self._positions[topic] >= goals[topic]:
                    left.discard(topic)
        return found

    def read(self, *, wait: bool) -> list[Record]:
        """Return the records that were fetched; if there are none and ``wait``, after a short pause.

        Raises:
            KafkaException: the broker failed permanently.
        """
        found: list[Record] = []
        for message in self._readable(_POLL_S if wait else 0.0):
            self._take(message, found)
        return found

    def request_end(self, topic: str) -> int | None:
        """Request the present end of a topic; None: no response, or its leader is not known yet.

        Raises:
            KafkaException: the broker failed permanently.
        """
        try:
            bounds = self._reader.bounds(topic, 0, _REQUEST_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() == KafkaError._UNKNOWN_PARTITION:
                return None
            raise
        return None if bounds is None else bounds[1]

    def broker_answers(self) -> bool:
        """Whether a broker answers a request now."""
        try:
            self._reader.metadata(_REQUEST_TIMEOUT_S)
        except KafkaException:
            return False
        return True

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()

    def _take(self, message: Message, found: list[Record]) -> bool:
        """Add a message's record to ``found`` and move the position; False: it is not a record.

        Raises:
            KafkaException: the broker failed permanently.
        """
        topic, offset, error = str(message.topic()), message.offset() or 0, message.error()
        if error is None:
            found.append(
                Record(
                    self._names[topic],
                    message.partition() or 0,
                    offset,
                    message.timestamp()[1],
                    message.key(),
                    message.value(),
                )
            )
            self._positions[topic] = offset + 1
            return True
        if _ended(message):
            self._positions[topic] = offset
        elif kind_of(error) is not ErrorKind.TRANSIENT:
            raise KafkaException(error)
        return False

    def _readable(self, pause_s: float) -> Iterator[Message]:
        """Yield messages in order; if a batch of a topic cannot be read, seek back to it and pause."""
        failed: set[str] = set()
        for message in self._reader.read(_BATCH, pause_s):
            topic, error = str(message.topic()), message.error()
            if topic in failed:
                continue
            if error is None and (message.offset() or 0) < self._positions[topic]:
                continue  # the client lost track in a damaged batch, and restarts at the beginning
            if error is not None and kind_of(error) is ErrorKind.UNREADABLE:
                failed.add(topic)
                self._unreadable.failed(topic, 0, error.str())
            else:
                if error is None or _ended(message):
                    self._unreadable.read(topic, 0)
                yield message
        if failed:  # a seek is refused while the client is recovering
            self._reader.assign(TopicPartition(topic, 0, end) for topic, end in self._positions.items())
            time.sleep(READ_AGAIN_S)


def _ended(message: Message) -> bool:
    """Whether a message only says that all records of its topic were read."""
    error = message.error()
    return error is not None and kind_of(error) is ErrorKind.END_OF_PARTITION
