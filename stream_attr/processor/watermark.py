"""How far event time has come on a partition (RULEBOOK 6)."""

from __future__ import annotations

from stream_attr.processor.records import CHAT, ORDERS

BEGINNING = -(2**62)
"""Before every instant: no watermark yet."""
END_OF_TIME = 2**62
"""After every instant: the input has ended and nothing can come any more."""


class Watermark:
    """The watermark of one partition. It never falls."""

    __slots__ = ("_ended", "_lateness_ms", "_latest", "_moved", "seen", "value")

    def __init__(self, allowed_lateness_ms: int, latest: int = END_OF_TIME) -> None:
        self._lateness_ms = allowed_lateness_ms
        self._latest = latest
        self._moved = False
        self.value = BEGINNING
        self.seen: dict[str, int] = {}
        """Greatest ``ts`` of the accepted events, by topic."""
        self._ended: frozenset[str] = frozenset()

    def see(self, topic: str, ts: int) -> None:
        """Count an accepted event."""
        if ts > self.seen.get(topic, BEGINNING):
            self.seen[topic] = ts
            self._moved = True

    def end(self, topics: frozenset[str]) -> None:
        """Take it that these topics, and no others, are read to their end: they hold nothing back."""
        self._ended = topics
        self._moved = True

    def tick(self, ts: int) -> None:
        """Take it that it is ``ts`` now, lateness allowed for."""
        self.value = max(self.value, min(ts, self._latest))

    def advance(self) -> int:
        """Return the watermark after what has been seen."""
        if not self._moved:
            return self.value
        self._moved = False
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
        self.value = max(self.value, min(latest - self._lateness_ms, self._latest))
        return self.value
