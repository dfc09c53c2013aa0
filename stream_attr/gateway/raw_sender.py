"""Keeps what came on ``raw.<platform>``: done once all copies of the partition have it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_attr.contract.raw_topics import raw_topic
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.clients import LOGGED
from stream_attr.kafka.connection import reason_of
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import TopicsMissingError

__all__ = ["NotKeptError", "RawSender", "TooLargeError"]

logger = logging.getLogger(__name__)

_CHECK_EVERY_S: Final = 5.0
_CHECK_S: Final = 3.0
_WAITING: Final = 10_000
"""Records that may wait for a broker that is away."""


class NotKeptError(StreamAttrError):
    """Kafka did not acknowledge a record in time: it may be there or not."""


class TooLargeError(StreamAttrError):
    """A record is longer than Kafka takes."""


class RawSender:
    """A producer whose records are awaited, and a look at the broker every five seconds.

    Raises:
        BrokerUnreachable, TopicsMissingError: on construction.
    """

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        prefix: str,
        platforms: Iterable[str],
        timeout_ms: int,
        tell_away: Callable[[bool], None],
    ) -> None:
        """``timeout_ms``: how long Kafka may take; ``tell_away``: called with whether it has not answered."""
        self._prefix = prefix
        self._tell_away = tell_away
        self.away = False
        """Whether Kafka acknowledges nothing."""
        self.failure: KafkaError | None = None
        """Why this producer can never send again."""
        wanted = sorted(platforms)
        names = {prefix + raw_topic(platform) for platform in wanted}
        if missing := names - partition_counts(bootstrap, names, security).keys():
            raise TopicsMissingError(
                f"no topic {', '.join(sorted(missing))} on {bootstrap}; create them with: "
                f"{topics_command(bootstrap, prefix, wanted)}"
            )
        self._a_topic = min(names)
        self._producer = Producer(
            {
                **security.rdkafka(bootstrap),
                **LOGGED,
                "acks": "all",
                "enable.idempotence": True,  # a repeated send neither duplicates nor reorders records
                "partitioner": "murmur2",
                "linger.ms": 5,
                "delivery.timeout.ms": timeout_ms,
                "queue.buffering.max.messages": _WAITING,
                "error_cb": self._on_error,
            }
        )
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._poll, "acknowledgements"), (self._check, "broker"))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.flush(_CHECK_S)
        self._stop.set()
        for thread in self._threads:
            thread.join()

    async def keep(
        self, platform: str, connection: str, body: bytes, headers: Mapping[str, str], received_ms: int
    ) -> None:
        """Return once Kafka has acknowledged a record: the body, as it came, keyed by its connection.

        Raises:
            NotKeptError: it did not in time, or is away.
            TooLargeError: the record is longer than it takes.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[KafkaError | None] = loop.create_future()

        def settle(error: KafkaError | None) -> None:
            if not done.done():  # the request may have been given up
                done.set_result(error)

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            loop.call_soon_threadsafe(settle, error)

        try:
            self._producer.produce(
                self._prefix + raw_topic(platform),
                value=body,
                key=connection,
                headers=[(name, value.encode(errors="surrogateescape")) for name, value in headers.items()],
                timestamp=received_ms,
                on_delivery=on_delivery,
            )
        except BufferError as error:
            raise NotKeptError("too many records wait for Kafka") from error
        except KafkaException as error:
            if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
                raise TooLargeError(reason_of(error)) from error
            raise NotKeptError(reason_of(error)) from error
        problem = await done
        if problem is None:
            self._set_away(False)
        elif problem.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise TooLargeError(problem.str())
        else:
            self._set_away(True)
            raise NotKeptError(problem.str())

    def _set_away(self, is_away: bool) -> None:
        if is_away != self.away:
            logger.warning("Kafka does not acknowledge" if is_away else "Kafka acknowledges again")
        self.away = is_away
        self._tell_away(is_away)

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._producer.poll(0.1)

    def _check(self) -> None:
        while not self._stop.wait(_CHECK_EVERY_S):
            try:
                self._producer.list_topics(self._a_topic, timeout=_CHECK_S)
            except KafkaException:
                self._set_away(True)
            else:
                self._set_away(False)

    def _on_error(self, error: Any) -> None:
        if error.fatal():
            self.failure = self.failure or error
