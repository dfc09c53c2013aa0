"""The records of the settings and roster topics, as a worker that starts now reads them."""

from __future__ import annotations

from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.connection import BrokerUnreachable, reason_of
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.kafka.to_end import UpToEnd
from stream_attr.processor.ports import Record

__all__ = ["read_shop_records"]

_GROUP: Final = "stream-attr-shop-records"
_SETTINGS: Final = {"auto.offset.reset": "earliest"}
_TOPICS: Final = (SETTINGS, ROSTER)


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
    beginnings = [
        TopicPartition(name, number, OFFSET_BEGINNING)
        for name, count in counts.items()
        for number in range(count)
    ]
    records = UpToEnd(bootstrap, security, prefix + _GROUP, beginnings, _SETTINGS)
    try:
        found = [
            Record(
                names[message.topic() or ""],
                int(message.partition() or 0),
                int(message.offset() or 0),
                message.timestamp()[1],
                message.key(),
                message.value(),
            )
            for message in records
        ]
    except KafkaException as error:
        raise BrokerUnreachable(f"settings and roster cannot be read: {reason_of(error)}") from error
    if records.problems:
        raise BrokerUnreachable(records.problems[0])
    found.sort(key=lambda record: (record.timestamp, record.topic != SETTINGS, record.offset))
    return found
