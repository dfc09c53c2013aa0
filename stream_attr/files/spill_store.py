"""Rows sorted by their keys that need not fit into memory, in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import rocksdict

__all__ = ["SpillStore"]

_MIB = 1 << 20


class SpillStore:
    """A `Store` of ``stream_attr.processor.ports`` that is deleted at the end.

    Use it as a context manager: its exit deletes the folder.
    """

    def __init__(self) -> None:
        self._folder: TemporaryDirectory[str] | None = None
        self._database: rocksdict.Rdict | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.close()
        if self._folder is not None:
            self._folder.cleanup()

    def get(self, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return None if self._database is None else self._database.get(key)

    def items(self, begin: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        if self._database is None:
            return
        for key, value in self._database.items(from_key=begin):
            if end is not None and key >= end:
                return
            yield key, value

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        """See `Store.write_derived`."""
        self.apply(rows)

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""
        if self._database is None:
            if all(value is None for value in changes.values()):
                return
            self._folder = TemporaryDirectory(prefix="stream-attr-")
            self._database = rocksdict.Rdict(self._folder.name, options=_options())
            unlogged = rocksdict.WriteOptions()
            unlogged.disable_wal = True  # what a crash would lose is not worth a log
            self._database.set_write_options(unlogged)
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        self._database.write(batch)


def _options() -> rocksdict.Options:
    """Keep it within some 10 MiB of memory."""
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
