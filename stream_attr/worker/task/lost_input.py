"""Input that is gone before it was judged: never passed over in silence.

Retention deletes records by age, whether or not they were judged; a worker that was away for longer than that
finds a gap. What is then decided without them may differ from what ``replay`` of everything would say, so
going on is the operator's decision.
"""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.contract.topics import TICKS
from stream_attr.errors import StreamAttrError
from stream_attr.worker.config import LostInput

__all__ = ["Gap", "InputLostError"]


class InputLostError(StreamAttrError):
    """Records that have not been judged are gone; the message says which, and what can be done."""


class Gap(NamedTuple):
    """An offset to be read that the topic does not have."""

    topic: str
    """As it is named on the broker."""
    partition: int
    wanted: int
    """The next offset to be judged."""
    first: int
    """The first offset that is there."""

    @property
    def lost(self) -> int:
        """Offsets that lie between. Markers of transactions among them are known only if they were read."""
        return self.first - self.wanted

    def __str__(self) -> str:
        place = f"topic {self.topic}, partition {self.partition}: judged up to offset {self.wanted}"
        if self.lost > 0:
            return (
                f"{place}, and the topic begins at {self.first}: {self.lost} offsets were deleted before "
                "they were judged"
            )
        return f"{place}, which lies beyond the topic's end: it was made anew, or its broker has lost records"

    def pass_over(self, name: str, policy: LostInput) -> None:
        """Return if it is right to go on at ``first``; ``name`` is the topic's without prefix.

        Old ticks are worth nothing: a later one says more.

        Raises:
            InputLostError: it is not.
        """
        if self.lost <= 0:
            raise InputLostError(
                f"{self}. Restore the topic, or begin anew with other topics (--topic-prefix)"
            )
        if name != TICKS and policy is LostInput.STOP:
            raise InputLostError(
                f"{self}. Nothing has been skipped. Raise the topic's retention.ms for the future; to go on "
                "without these records, start with --lost-input continue"
            )
