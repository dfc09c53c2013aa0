"""A partition's local store: a copy of its changelog with a checkpoint, the changelog offset that it is at.

The changelog is authoritative. A store is written after the commit, together with the changelog offset, so it
may lag behind but never runs ahead; a store with any other content is discarded. The checkpoint has a time as
well: a store that was unused for long may have missed deletions that the changelog has compacted away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import rocksdict
from sortedcontainers import SortedDict

from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.processor.ports import Store
from stream_attr.wall_clock import wall_clock_ms
from stream_attr.worker.config import StoreKind
from stream_attr.worker.state.memory_budget import Memory

__all__ = [
    "GLOBAL_TABLES_KEY",
    "Checkpoint",
    "LocalStore",
    "MemoryStore",
    "RocksStore",
    "StoreBusy",
    "StoreDamagedError",
    "StoreUnusableError",
    "open_store",
]

GLOBAL_TABLES_KEY = b"\x00knowledge"
"""Key of the record of the settings and roster offsets that a partition last judged with."""

_MARKER_KEY = b"\x00marker"
_FIRST = b"\x01"
"""Only keys of the worker's own records begin with a zero byte."""

_OPEN_TIMEOUT_S = 20.0
_LOCKED = "/LOCK: "
_NO_DESCRIPTORS = os.strerror(errno.EMFILE)
_MISSING = os.strerror(errno.ENOENT)
_MIB = 1 << 20

Change = tuple[bytes, bytes | None]
"""A key and its new value; None deletes it."""


class StoreBusy(UnusableError):  # noqa: N818 -- a state, not a mistake
    """Another process holds the store's directory."""

    @classmethod
    def of(cls, path: Path) -> StoreBusy:
        """Make the error for a directory, with the remedy."""
        return cls(f"{path} is in use by another process; two workers on one machine need a --data-dir each")


class StoreDamagedError(StreamAttrError):
    """The files of a store are damaged: it has to be rebuilt from the changelog."""


class StoreUnusableError(StreamAttrError):
    """The files of a store cannot be written; the message names the directory, the reason and the remedy."""


class Checkpoint(NamedTuple):
    """The changelog offset that a store is at."""

    offset: int
    """All changelog records before it are in the store."""
    written_ts: int
    """Wall clock of the last write, epoch milliseconds."""


class LocalStore(Store, Protocol):
    """A store with a checkpoint.

    Any method may raise StoreDamagedError or StoreUnusableError.
    """

    def checkpoint(self, topic_id: str) -> Checkpoint | None:
        """The checkpoint of this store in the changelog with that topic id; None: it has none."""

    def write(self, changes: Iterable[Change], topic_id: str, offset: int) -> None:
        """Apply changes and set the checkpoint, all or nothing."""

    def clear(self) -> None:
        """Delete everything."""

    def size(self) -> int:
        """Estimated bytes of state."""

    def close(self) -> None:
        """Release the files; the store is not used afterwards."""


class MemoryStore:
    """A store that lasts as long as its partition is assigned."""

    def __init__(self) -> None:
        self._state: SortedDict = SortedDict()
        self._marker: tuple[str, Checkpoint] | None = None
        self._size = 0

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, the worker's own records included."""
        value: bytes | None = self._state.get(key)
        return value

    def items(self, begin: bytes = _FIRST, end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        for key in list(self._state.irange(begin, end, inclusive=(True, False))):
            yield key, self._state[key]

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        """See `Store.write_derived`."""
        self._apply(rows.items())

    def checkpoint(self, topic_id: str) -> Checkpoint | None:
        """See `LocalStore.checkpoint`."""
        return self._marker[1] if self._marker and self._marker[0] == topic_id else None

    def write(self, changes: Iterable[Change], topic_id: str, offset: int) -> None:
        """Apply changes and set the checkpoint."""
        self._apply(changes)
        self._marker = (topic_id, Checkpoint(offset, wall_clock_ms()))

    def _apply(self, changes: Iterable[Change]) -> None:
        state = self._state
        for key, value in changes:
            before = state.get(key) if value is not None else state.pop(key, None)
            if before is not None:
                self._size -= len(key) + len(before)
            if value is not None:
                state[key] = value
                self._size += len(key) + len(value)

    def clear(self) -> None:
        """Delete everything."""
        self._state.clear()
        self._marker = None
        self._size = 0

    def size(self) -> int:
        """Bytes of keys and values."""
        return self._size

    def close(self) -> None:
        """Nothing to release."""


class RocksStore:
    """A store in one RocksDB directory, which RocksDB locks against a second owner."""

    def __init__(self, path: Path, memory: Memory) -> None:
        """Open or create it.

        Raises:
            StoreBusy: another process still holds the directory after 20 s.
        """
        self._path = path
        self._options = _options(memory)
        self._database = self._open()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, the worker's own records included."""
        try:
            value: bytes | None = self._database.get(key)
        except Exception as error:
            raise self._translated(error) from error
        return value

    def items(self, begin: bytes = _FIRST, end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`."""
        cursor = self._database.iter()
        cursor.seek(begin)
        while cursor.valid():
            key = cursor.key()
            if end is not None and key >= end:
                return
            yield key, cursor.value()
            cursor.next()
        try:
            cursor.status()  # a damaged block looks like the end
        except Exception as error:
            del cursor  # while it lives, the store cannot be closed
            raise self._translated(error) from error

    def checkpoint(self, topic_id: str) -> Checkpoint | None:
        """See `LocalStore.checkpoint`."""
        named, *numbers = (self.get(_MARKER_KEY) or b"").decode(errors="replace").split("@")
        if named != topic_id or len(numbers) != 2 or not all(map(str.isdecimal, numbers)):
            return None
        return Checkpoint(*map(int, numbers))

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        """See `Store.write_derived`."""
        self._write(_write_batch(rows.items()))

    def write(self, changes: Iterable[Change], topic_id: str, offset: int) -> None:
        """Apply changes and set the checkpoint, in one write batch."""
        batch = _write_batch(changes)
        batch.put(_MARKER_KEY, f"{topic_id}@{offset}@{wall_clock_ms()}".encode())
        self._write(batch)

    def _write(self, batch: rocksdict.WriteBatch) -> None:
        try:
            self._database.write(batch)
        except Exception as error:
            raise self._translated(error) from error

    def clear(self) -> None:
        """Delete the files and open an empty store."""
        self.close()
        shutil.rmtree(self._path)
        self._database = self._open()

    def size(self) -> int:
        """RocksDB's estimate of the bytes of live data, including unflushed writes."""
        estimate = self._database.property_int_value("rocksdb.estimate-live-data-size") or 0
        fresh = self._database.property_int_value("rocksdb.cur-size-active-mem-table") or 0
        return int(estimate) + int(fresh)

    def close(self) -> None:
        """Flush and unlock; writes that cannot be flushed are in the changelog."""
        with contextlib.suppress(Exception):
            self._database.close()

    def _open(self) -> rocksdict.Rdict:
        """Open the directory; waits for a former owner to release it, and clears it if it is damaged."""
        self._path.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _OPEN_TIMEOUT_S
        cleared = False
        while True:
            try:
                return rocksdict.Rdict(str(self._path), options=self._options)
            except Exception as error:
                if _LOCKED in str(error) and _NO_DESCRIPTORS not in str(error):
                    if time.monotonic() > deadline:
                        raise StoreBusy.of(self._path) from error
                    time.sleep(0.1)
                    continue
                translated = self._translated(error)
                if cleared or isinstance(translated, StoreUnusableError):
                    raise translated from error
                cleared = True  # the changelog has everything
                shutil.rmtree(self._path)
                self._path.mkdir()

    def _translated(self, error: Exception) -> StoreDamagedError | StoreUnusableError:
        """Translate an error of RocksDB."""
        text = str(error)
        if isinstance(error, OSError | MemoryError) or ("IO error" in text and _MISSING not in text):
            remedy = "free disk space, or use another --data-dir"
            if _NO_DESCRIPTORS in text:
                remedy = "raise this process's limit of open files (ulimit -Hn)"
            return StoreUnusableError(
                f"the local state in {self._path} cannot be written: {text}. Committed state is in the "
                f"changelog: {remedy}, and start again"
            )
        return StoreDamagedError(f"{self._path}: {text}")


def open_store(kind: StoreKind, data_dir: Path, partition: int, memory: Memory) -> LocalStore:
    """Open the local store of a partition: ``<data_dir>/<partition>/``."""
    return MemoryStore() if kind is StoreKind.MEMORY else RocksStore(data_dir / str(partition), memory)


def _write_batch(changes: Iterable[Change]) -> rocksdict.WriteBatch:
    """Return changes as a RocksDB write batch."""
    batch = rocksdict.WriteBatch(raw_mode=True)
    for key, value in changes:
        if value is None:
            batch.delete(key)
        else:
            batch.put(key, value)
    return batch


def _options(memory: Memory) -> rocksdict.Options:
    """Options that keep the stores of all partitions within the shared memory budget."""
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(16 * _MIB)
    options.set_max_write_buffer_number(2)
    options.set_write_buffer_manager(memory.write_buffers)
    options.set_max_open_files(256)
    options.set_keep_log_file_num(1)
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    table = rocksdict.BlockBasedOptions()
    table.set_block_cache(memory.blocks)
    table.set_cache_index_and_filter_blocks(True)
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options
