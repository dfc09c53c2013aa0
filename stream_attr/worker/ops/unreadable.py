"""Records on the broker that cannot be read: logged once, retried, and shown by ``/ready`` meanwhile.

Reading stops before a batch that is damaged or compressed with an unknown codec: the records behind it in
that partition wait, other partitions continue, nothing is skipped.
"""

from __future__ import annotations

import logging

__all__ = ["READ_AGAIN_S", "Unreadable"]

logger = logging.getLogger(__name__)

READ_AGAIN_S = 1.0
"""Pause before a batch that could not be read is retried."""
_MAX_REASON_LENGTH = 300


class Unreadable:
    """The partitions whose next batch cannot be read; may be used from any thread."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, int], str] = {}

    @property
    def reason(self) -> str | None:
        """A sentence about one of them; None while every partition can be read."""
        return next(iter(list(self._reasons.values())), None)

    def failed(self, topic: str, partition: int, why: str) -> None:
        """Record that the next batch of a partition could not be read. ``topic``: its name on the broker."""
        why = " ".join(why.split())[:_MAX_REASON_LENGTH]
        reason = f"topic {topic}, partition {partition} cannot be read: {why}"
        if self._reasons.get((topic, partition)) is None:
            logger.error("%s; retrying (docs/operations.md#records-that-cannot-be-read)", reason)
        self._reasons[topic, partition] = reason

    def read(self, topic: str, partition: int) -> None:
        """Record that a partition could be read."""
        if self._reasons.pop((topic, partition), None) is not None:
            logger.warning("topic %s, partition %s can be read again", topic, partition)

    def forget(self, topic: str, partition: int) -> None:
        """Remove a partition that is no longer read here."""
        self._reasons.pop((topic, partition), None)

    def __contains__(self, place: tuple[str, int]) -> bool:
        return place in self._reasons
