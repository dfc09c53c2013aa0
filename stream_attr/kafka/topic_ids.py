"""Topic ids (KIP-516): a topic that is deleted and recreated under the same name has another one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

__all__ = ["topic_ids"]

_NO_ID: Final = "AAAAAAAAAAAAAAAAAAAAAA"
"""The id that a broker without topic ids returns (Apache Kafka before 2.8)."""


def topic_ids(
    admin: AdminClient, topics: Collection[str], timeout_s: float, *, missing: bool
) -> dict[str, str]:
    """Request the ids of topics, by their names on the broker; empty if the broker has no topic ids.

    ``missing``: whether topics that cannot be described are left out.

    Raises:
        KafkaException: the broker does not answer, or a topic cannot be described.
    """
    described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
    found = {}
    for topic in topics:
        try:
            topic_id = str(described[topic].result().topic_id)
        except KafkaException:
            if not missing:
                raise
        else:
            if topic_id != _NO_ID:
                found[topic] = topic_id
    return found
