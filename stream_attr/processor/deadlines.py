"""When each buyer of a partition is next due: derived from the state, rebuilt on recovery, never stored."""

from __future__ import annotations

from collections.abc import Iterator

from sortedcontainers import SortedList


class Deadlines:
    """One due time per buyer key, the earliest first; equal ones by key."""

    __slots__ = ("_by_key", "_sorted")

    def __init__(self) -> None:
        self._by_key: dict[bytes, int] = {}
        self._sorted: SortedList = SortedList()

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._by_key)

    def fill(self, dues: dict[bytes, int]) -> None:
        """Start from the due times of a recovered store."""
        self._by_key = dues
        self._sorted = SortedList((due, key) for key, due in dues.items())

    def set(self, key: bytes, due: int | None) -> None:
        """Let a buyer be due at ``due`` and not before; None: never."""
        known = self._by_key.get(key)
        if known == due:
            return
        if known is not None:
            self._sorted.remove((known, key))
        if due is None:
            del self._by_key[key]
        else:
            self._by_key[key] = due
            self._sorted.add((due, key))

    def first(self) -> tuple[int, bytes] | None:
        """Return the earliest due time and its buyer."""
        return self._sorted[0] if self._sorted else None
