"""Publishes one record at a time, each acknowledged before anything goes on: what people decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.kafka.sender import Published, PublishError, Sender

__all__ = ["Position", "TopicWriter"]

_DELIVERY_TIMEOUT_MS: Final = 10_000
"""Somebody waits for the answer."""


class Position(NamedTuple):
    """Where a record stands on its topic."""

    partition: int
    offset: int


class TopicWriter(NamedTuple):
    """Where the topics are."""

    bootstrap: str
    security: Security = UNSECURED
    prefix: str = ""

    @contextmanager
    def opened(self, topic: str) -> Iterator[Callable[[str, bytes], Position]]:
        """Yield what sends a key and a value to a topic (without prefix), and waits for the acknowledgement.

        The function returns where the record stands. It raises PublishError where it is not acknowledged: it
        may have been written all the same, so whoever sends it again must send the same one.

        Raises:
            BrokerUnreachable, TopicsMissingError: before anything was sent.
        """
        account = Published()
        kept: list[Position] = []
        sender = Sender(
            self.bootstrap,
            self.security,
            self.prefix,
            [topic],
            account,
            _DELIVERY_TIMEOUT_MS,
            kept=lambda _topic, partition, offset: kept.append(Position(partition, offset)),
        )

        def write(key: str, value: bytes) -> Position:
            if not sender.send(topic, value, key):
                raise PublishError(f"{len(value):,} bytes are more than the broker accepts")
            sender.flush()
            return kept[-1]

        try:
            yield write
        except BaseException:
            sender.abandon()
            raise
