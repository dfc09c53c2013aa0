"""Records that are on the broker and cannot be read: named once, retried, and told by ``/ready`` meanwhile.

Where a batch is damaged, or compressed in a way that is not known here, reading stops before it: what lies
behind it in that partition waits, other partitions go on, nothing is passed over.
"""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError

__all__ = ["READ_AGAIN_S", "Unreadable", "is_unreadable"]

logger = logging.getLogger(__name__)

READ_AGAIN_S = 1.0
"""After so long a batch that could not be read is tried again."""
_UNREADABLE = frozenset({KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG, KafkaError._NOT_IMPLEMENTED})
_MOST_CHARACTERS = 300
"""Of what a client's error says."""


def is_unreadable(error: KafkaError) -> bool:
    """Whether librdkafka could not read a batch. It may go on behind it, so who reads has to seek back."""
    return error.code() in _UNREADABLE


class Unreadable:
    """The partitions whose next batch cannot be read now; may be used from any thread."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, int], str] = {}

    @property
    def reason(self) -> str | None:
        """One sentence on one of them; None while every partition can be read."""
        return next(iter(list(self._reasons.values())), None)

    def failed(self, topic: str, partition: int, why: str) -> None:
        """The next batch of a topic's partition could not be read; the topic as it is named on the broker."""
        reason = (
            f"topic {topic}, partition {partition} cannot be read: {' '.join(why.split())[:_MOST_CHARACTERS]}"
        )
        if self._reasons.get((topic, partition)) is None:
            logger.error("%s; trying again (docs/operations.md#records-that-cannot-be-read)", reason)
        self._reasons[topic, partition] = reason

    def read(self, topic: str, partition: int) -> None:
        """A partition could be read."""
        if self._reasons.pop((topic, partition), None) is not None:
            logger.warning("topic %s, partition %s can be read again", topic, partition)

    def forget(self, topic: str, partition: int) -> None:
        """A partition is no longer read here."""
        self._reasons.pop((topic, partition), None)

    def __contains__(self, place: tuple[str, int]) -> bool:
        return place in self._reasons
