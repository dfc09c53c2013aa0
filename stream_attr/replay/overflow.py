"""State of a replay: in memory while it is small, in a temporary folder when it is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import rocksdict

from stream_attr.replay.memory import MemoryStore

__all__ = ["OverflowStore"]

KEPT_BYTES = 8 << 20
"""So much state is kept in memory."""
_MIB = 1 << 20


class OverflowStore:
    """A `Store` of ``stream_attr.processor.records`` whose state is worth nothing once the replay is over.

    Use it as a context; at its end the folder is deleted.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._store: MemoryStore | _DiskStore = MemoryStore()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._store, _DiskStore):
            self._store.close()

    @property
    def on_disk(self) -> bool:
        """Whether the state has outgrown memory."""
        return isinstance(self._store, _DiskStore)

    def get(self, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self._store.get(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        return self._store.items()

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""
        self._store.apply(changes)
        if isinstance(self._store, MemoryStore) and self._store.size > self._kept_bytes:
            self._store = _DiskStore(self._store.items())


class _DiskStore:
    """A RocksDB in a folder of its own; what a crash would lose is not worth a log."""

    def __init__(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        self._folder = TemporaryDirectory(prefix="stream-attr-replay-")
        self._database = rocksdict.Rdict(self._folder.name, options=_options())
        unlogged = rocksdict.WriteOptions()
        unlogged.disable_wal = True
        self._database.set_write_options(unlogged)
        self.apply(dict(items))

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._database.get(key)
        return value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        items: Iterator[tuple[bytes, bytes]] = self._database.items()
        return items

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._database.write(batch)

    def close(self) -> None:
        self._database.close()
        self._folder.cleanup()


def _options() -> rocksdict.Options:
    """Keep it within some 24 MiB of memory."""
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(2 * _MIB)
    options.set_max_write_buffer_number(2)
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    table = rocksdict.BlockBasedOptions()
    table.set_block_cache(rocksdict.Cache(4 * _MIB))
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options
