"""When each buyer of a partition is next due: derived from the state, rebuilt on recovery, never stored.

Most due times are midnights, which many buyers share: so the times are sorted, and the buyers of one only
when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sortedcontainers import SortedList

from stream_attr.processor.watermark import END_OF_TIME


class Deadlines:
    """One due time per buyer key; taken the earliest first, those of one time by key."""

    __slots__ = ("_by_key", "_keys", "_times", "first")

    def __init__(self) -> None:
        self._by_key: dict[bytes, int] = {}
        self._keys: dict[int, set[bytes]] = {}
        self._times: SortedList = SortedList()
        self.first = END_OF_TIME
        """Nothing is due before this watermark."""

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._by_key)

    def fill(self, dues: Mapping[bytes, int]) -> None:
        """Start from the due times of a recovered store."""
        for key, due in dues.items():
            self.set(key, due)

    def set(self, key: bytes, due: int | None) -> None:
        """Let a buyer be due at ``due`` and not before; None: never."""
        known = self._by_key.get(key)
        if known == due:
            return
        if known is not None:
            self._keys[known].discard(key)  # the time itself stays until it comes
        if due is None:
            del self._by_key[key]
            return
        self._by_key[key] = due
        keys = self._keys.get(due)
        if keys is None:
            self._keys[due] = {key}
            self._times.add(due)
            self.first = min(self.first, due)
        else:
            keys.add(key)

    def take(self, watermark: int) -> Iterator[tuple[int, bytes]]:
        """Yield what is due by a watermark, in order, while what is yielded may be set anew."""
        while self._times and self._times[0] <= watermark:
            due = self._times.pop(0)
            for key in sorted(self._keys.pop(due)):
                del self._by_key[key]
                yield due, key
        self.first = self._times[0] if self._times else END_OF_TIME
