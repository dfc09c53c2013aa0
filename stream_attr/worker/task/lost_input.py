"""Input that was deleted before it was judged: it is never skipped silently.

Retention deletes records by age, whether or not they were judged; a worker that was away for longer finds a
gap. Decisions without those records may differ from a ``replay`` of everything, so the operator decides
whether to continue.
"""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.contract.topics import TICKS
from stream_attr.errors import StreamAttrError
from stream_attr.worker.config import LostInput

__all__ = ["Gap", "InputLostError"]


class InputLostError(StreamAttrError):
    """Records were lost before they were judged; the message names them and the options."""


class Gap(NamedTuple):
    """The next offset to be judged does not exist in the topic."""

    topic: str
    """Its name on the broker."""
    partition: int
    wanted: int
    """The next offset to be judged."""
    first: int
    """The first offset that exists."""

    @property
    def lost(self) -> int:
        """Number of missing offsets, transaction markers included; 0 or less: the topic ends before."""
        return self.first - self.wanted

    def __str__(self) -> str:
        place = f"topic {self.topic}, partition {self.partition}: judged up to offset {self.wanted}"
        if self.lost > 0:
            return (
                f"{place}, and the topic begins at {self.first}: {self.lost} offsets were deleted before "
                "they were judged"
            )
        return f"{place}, which lies beyond the topic's end: it was recreated, or its broker has lost records"

    def require_skippable(self, name: str, policy: LostInput) -> None:
        """Return if reading may continue at ``first``. ``name``: without prefix. Lost ticks never matter.

        Raises:
            InputLostError: it may not.
        """
        if self.lost <= 0:
            raise InputLostError(
                f"{self}. Restore the topic, or start from scratch with other topics (--topic-prefix)"
            )
        if name != TICKS and policy is LostInput.STOP:
            raise InputLostError(
                f"{self}. Nothing has been skipped. Raise the topic's retention.ms for the future; to go on "
                "without these records, start with --lost-input continue"
            )
