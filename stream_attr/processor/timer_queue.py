"""When what a partition keeps is next due: derived from the state, rebuilt on recovery, never committed.

What is due soon is kept in memory, all else in the store, by time: so memory does not grow with the buyers.
An entry is never taken back. It counts if its buyer is due at that time when it comes, and whoever takes it
has to ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from stream_attr.processor.ports import Store, after
from stream_attr.rules.shop.days import END_OF_TIME

DUE_MARK: Final = b"\x05"
"""First byte of the keys of what is due later."""
_NEVER: Final = END_OF_TIME + 1
_AT_ONCE: Final = 10_000
"""So many rows are written together."""


class Deadlines:
    """Due times and keys, such as buyers'; taken the earliest first, those of one time by key."""

    __slots__ = (
        "_far",
        "_first_far",
        "_mark",
        "_near",
        "_soon_ms",
        "_soon_until",
        "_store",
        "_times",
        "first",
    )

    def __init__(self, store: Store, soon_ms: int, mark: bytes = DUE_MARK) -> None:
        """``soon_ms``: what is due so soon after the watermark is kept in memory; ``mark``: of its rows."""
        self._store = store
        self._mark = mark
        self._soon_ms = soon_ms
        self._soon_until = soon_ms
        self._near: dict[int, set[bytes]] = {}
        self._times: list[int] = []
        """Heap of the times of ``_near``."""
        self._far: dict[bytes, bytes | None] = {}
        """Rows of the store that are not written yet."""
        self._first_far = _NEVER
        self.first = _NEVER
        """Nothing is due before this watermark."""

    def forget_until(self, watermark: int) -> None:
        """Delete the rows that an earlier judge of this store has left behind."""
        for row, _ in self._store.items(self._mark, self._row(max(watermark, 0) + 1)):
            self._far[row] = None
            if len(self._far) >= _AT_ONCE:
                self._write()
        self._write()

    def set(self, key: bytes, due: int) -> None:
        """Note that a buyer is due at ``due``."""
        if due < self._soon_until:
            self._set_near(key, due)
        else:
            self._far[self._row(due, key)] = b""
            self._first_far = min(self._first_far, due)
            if len(self._far) >= _AT_ONCE:
                self._write()
        self.first = min(self.first, due)

    def _set_near(self, key: bytes, due: int) -> None:
        keys = self._near.get(due)
        if keys is None:
            self._near[due] = {key}
            heappush(self._times, due)
        else:
            keys.add(key)

    def soon(self, until: int) -> list[bytes]:
        """Return the keys of which something may be due by a watermark."""
        self._write()
        found = {key for due, keys in self._near.items() if due <= until for key in keys}
        rows = self._store.items(self._mark, self._row(max(until, 0) + 1))
        found.update([_key_of(row) for row, _ in rows])
        return sorted(found)

    def take(self, watermark: int) -> Iterator[tuple[int, bytes]]:
        """Yield what is due by a watermark, in order, while what is yielded may be set again."""
        self._soon_until = max(self._soon_until, watermark + self._soon_ms)
        rows: Iterator[tuple[bytes, bytes]] = iter(())
        looks_far = self._first_far <= watermark
        if looks_far:
            self._write()
            rows = self._store.items(
                self._row(self._first_far), after(self._mark)
            )  # not those deleted just now
            self._first_far = _NEVER
        row = next(rows, None)
        while True:
            far_at = _NEVER if row is None else _due_of(row[0])
            due = min(far_at, self._times[0] if self._times else _NEVER)
            if due > watermark:
                break
            near: list[bytes] = []
            if self._times and self._times[0] == due:
                heappop(self._times)
                near = sorted(self._near.pop(due), reverse=True)
            while row is not None and _due_of(row[0]) == due:
                key = _key_of(row[0])
                while near and near[-1] <= key:
                    yield due, near.pop()
                yield due, key
                self._far[row[0]] = None
                row = next(rows, None)
            while near:
                yield due, near.pop()
        if looks_far:
            if row is not None:
                far_at = self._bring_near(row, rows)
            self._write()
        self._first_far = min(self._first_far, far_at)
        self.first = min(self._first_far, self._times[0] if self._times else _NEVER)

    def _bring_near(self, row: tuple[bytes, bytes] | None, rows: Iterator[tuple[bytes, bytes]]) -> int:
        """Move what is due soon from the store into memory; return when the first that stays there is due.

        Otherwise the store would be searched, and written, once for each of these times. All of one time are
        moved, or none, and only so many rows as are written together.
        """
        moved = 0
        while row is not None:
            due = _due_of(row[0])
            if due >= self._soon_until:
                return due
            of_one_time: list[bytes] = []
            while row is not None and _due_of(row[0]) == due:
                if moved + len(of_one_time) >= _AT_ONCE:
                    return due
                of_one_time.append(row[0])
                row = next(rows, None)
            moved += len(of_one_time)
            for one in of_one_time:
                self._set_near(_key_of(one), due)
                self._far[one] = None
        return _NEVER

    def _write(self) -> None:
        if self._far:
            rows, self._far = self._far, {}
            self._store.write_derived(rows)

    def _row(self, due: int, key: bytes = b"") -> bytes:
        return self._mark + due.to_bytes(8, "big") + key


def _due_of(row: bytes) -> int:
    return int.from_bytes(row[1:9], "big")


def _key_of(row: bytes) -> bytes:
    return row[9:]
