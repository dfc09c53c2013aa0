"""State in memory: for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sortedcontainers import SortedDict


class MemoryStore:
    """A `Store` of ``stream_attr.processor.ports`` in memory."""

    def __init__(self, items: Mapping[bytes, bytes] | None = None) -> None:
        self._items: SortedDict = SortedDict(items or {})
        self.size = sum(map(len, self._items.values()))
        """Bytes of state."""

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: bytes) -> bytes | None:
        """See `Store.get`."""
        value: bytes | None = self._items.get(key)
        return value

    def items(self, begin: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        for key in list(self._items.irange(begin, end, inclusive=(True, False))):
            yield key, self._items[key]

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        """See `Store.write_derived`."""
        self.apply(rows)

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""
        for key, value in changes.items():
            self.size -= len(self._items.pop(key, b""))
            if value is not None:
                self._items[key] = value
                self.size += len(value)
