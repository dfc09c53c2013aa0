"""How far event time has come on a partition (RULEBOOK 6)."""

from __future__ import annotations

from typing import Final

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.rules.shop.days import END_OF_TIME

WATERMARK_TOPICS: Final = (CHAT, ORDERS)
"""The topics whose events move the watermark, and hold it back. Rulings do neither: they are rare."""
BEGINNING: Final = -END_OF_TIME
"""Before every instant: no watermark yet."""


class Watermark:
    """The watermark of one partition. It never falls."""

    __slots__ = ("_ended", "_front", "_lateness_ms", "_latest", "moved", "seen", "value")

    def __init__(self, allowed_lateness_ms: int, latest: int = END_OF_TIME) -> None:
        self._lateness_ms = allowed_lateness_ms
        self._latest = latest
        self._front = BEGINNING
        """What the topics together have come to, lateness not yet allowed for."""
        self.moved = False
        """Whether `advance` may find it further on."""
        self.value = BEGINNING
        self.seen: dict[str, int] = {}
        """Greatest ``ts`` of the accepted events, by topic."""
        self._ended: frozenset[str] = frozenset()

    def see(self, topic: str, ts: int) -> None:
        """Count an accepted event."""
        before = self.seen.get(topic, BEGINNING)
        if ts > before:
            self.seen[topic] = ts
            if before <= self._front:  # else it is the other topic that holds it back
                self.moved = True

    def end(self, topics: frozenset[str]) -> None:
        """Take it that these topics, and no others, are read to their end: they hold nothing back."""
        self._ended = topics
        self.moved = True

    def tick(self, ts: int) -> None:
        """Take it that it is ``ts`` now, lateness allowed for."""
        self.value = max(self.value, min(ts, self._latest))
        self.moved = True

    def advance(self) -> int:
        """Return the watermark after what has been seen."""
        if not self.moved:
            return self.value
        self.moved = False
        chat = self.seen.get(CHAT, BEGINNING)
        orders = self.seen.get(ORDERS, BEGINNING)
        chat_ended, orders_ended = CHAT in self._ended, ORDERS in self._ended
        if chat_ended and orders_ended:
            latest = max(chat, orders)
        elif chat_ended:
            latest = orders
        elif orders_ended:
            latest = chat
        else:
            latest = min(chat, orders)
        self._front = latest
        self.value = max(self.value, min(latest - self._lateness_ms, self._latest))
        return self.value
