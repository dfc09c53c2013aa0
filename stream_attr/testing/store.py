"""State in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sortedcontainers import SortedDict

__all__ = ["MemoryStore"]


class MemoryStore:
    """A store of one partition in memory; see `Store` of ``stream_attr.processor.ports``.

    >>> store = MemoryStore()
    >>> store.apply({b"jd:1|b-1": b"state", b"jd:1|b-2": None})
    >>> store.committed
    {b'jd:1|b-1': b'state'}
    """

    def __init__(self, items: Mapping[bytes, bytes] | None = None) -> None:
        self._items: SortedDict = SortedDict(items or {})
        self._derived: set[bytes] = set()
        self.size = sum(map(len, self._items.values()))
        """Bytes of the values."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def committed(self) -> dict[bytes, bytes]:
        """What batches have written, by key: without what the processor derives from it for itself."""
        return {key: value for key, value in self._items.items() if key not in self._derived}

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
        self._derived.update(rows)
        self.apply(rows)

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""
        for key, value in changes.items():
            self.size -= len(self._items.pop(key, b""))
            if value is not None:
                self._items[key] = value
                self.size += len(value)
