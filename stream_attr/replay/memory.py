"""State in memory: for replays and trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class MemoryStore:
    """A `Store` of ``stream_attr.processor.records`` in a dictionary."""

    def __init__(self, items: Mapping[bytes, bytes] | None = None) -> None:
        self._items: dict[bytes, bytes] = dict(items or {})
        self.size = sum(map(len, self._items.values()))
        """Bytes of state."""

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._items.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        return iter(self._items.items())

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""
        for key, value in changes.items():
            self.size -= len(self._items.pop(key, b""))
            if value is not None:
                self._items[key] = value
                self.size += len(value)
