"""The records of the settings and roster topics, as a worker that starts now reads them."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import QUIET, Reader
from stream_attr.kafka.connection import BrokerUnreachable, reason_of
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.processor.ports import Record

__all__ = ["read_shop_records"]

_GROUP: Final = "stream-attr-shop-records"
_SETTINGS: Final = {**QUIET, "auto.offset.reset": "earliest"}
_TOPICS: Final = (SETTINGS, ROSTER)
_BATCH: Final = 1_000
_POLL_S: Final = 0.05
_SILENCE_S: Final = 10.0
"""Silence after which the broker counts as unreachable."""


def read_shop_records(bootstrap: str, prefix: str = "", security: Security = UNSECURED) -> list[Record]:
    """Return all records of both topics in the order of their Kafka timestamps, settings first.

    A record's topic is without prefix, its timestamp the one that decides whether it changes the past.

    Raises:
        BrokerUnreachable: no broker answers, or it does not let these topics be read.
        TopicsMissingError: a topic does not exist.
    """
    names = {prefix + topic: topic for topic in _TOPICS}
    counts = partition_counts(bootstrap, names, security)
    if missing := sorted(names.keys() - counts.keys()):
        raise TopicsMissingError(
            f"no topic {', '.join(missing)} on {bootstrap}; "
            f"create them with: {topics_command(bootstrap, prefix)}"
        )
    left = {(name, number) for name, count in counts.items() for number in range(count)}
    ends: dict[tuple[str, int], int] = {}
    found: list[Record] = []
    try:
        with Reader(bootstrap, security, prefix + _GROUP, _SETTINGS) as reader:
            reader.assign(TopicPartition(name, number, OFFSET_BEGINNING) for name, number in left)
            last_message_s = time.monotonic()
            while left:
                for message in reader.read(_BATCH, _POLL_S):
                    last_message_s = time.monotonic()
                    name, number = str(message.topic()), int(message.partition() or 0)
                    if (error := message.error()) is not None:
                        if kind_of(error) is not ErrorKind.END_OF_PARTITION:
                            raise BrokerUnreachable(f"{name} cannot be read: {error.str()}")
                        left.discard((name, number))
                        continue
                    offset = int(message.offset() or 0)
                    # While records keep arriving, the client reports no end.
                    end = ends.setdefault((name, number), reader.fetched_end(name, number))
                    if offset + 1 >= end:
                        left.discard((name, number))
                    if offset < end:
                        sent_at = message.timestamp()[1]
                        found.append(
                            Record(names[name], number, offset, sent_at, message.key(), message.value())
                        )
                if left and time.monotonic() - last_message_s > _SILENCE_S:
                    unread = ", ".join(sorted({name for name, _ in left}))
                    raise BrokerUnreachable(
                        f"{unread} cannot be read: the broker {bootstrap} does not answer"
                    )
    except KafkaException as error:
        raise BrokerUnreachable(f"settings and roster cannot be read: {reason_of(error)}") from error
    found.sort(key=lambda record: (record.timestamp, record.topic != SETTINGS, record.offset))
    return found
