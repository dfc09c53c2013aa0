"""Records grouped by key with bounded memory: what is many is written to a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import IO, Any, Final

import msgspec.json

BUCKETS: Final = 128
BUFFERED_RECORDS: Final = 1 << 16
"""So many are kept in memory before they are written."""

_encode: Final = msgspec.json.Encoder().encode_into
_decode: Final = msgspec.json.Decoder().decode


class Groups:
    """Records, so kept that those of one key are read together.

    A record goes to the bucket of its key's hash. Buckets are written to one temporary file, which has no
    name and is gone when it is closed. In memory is what is not written yet, and one bucket while it is read.
    """

    def __init__(self) -> None:
        self._buffers = [bytearray() for _ in range(BUCKETS)]
        self._buffered = 0
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in range(BUCKETS)]
        """Position and length in the file, by bucket."""
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        """Delete the temporary file."""
        if self._file is not None:
            self._file.close()

    def add(self, key_hash: int, record: tuple[Any, ...]) -> None:
        """Add a record of what JSON can hold; records of equal keys are read together, in this order."""
        buffer = self._buffers[key_hash % BUCKETS]
        _encode(record, buffer, -1)
        buffer += b","
        self._buffered += 1
        if self._buffered == BUFFERED_RECORDS:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 -- closed by `close`
        position = self._file.seek(0, 2)
        for buffer, blocks in zip(self._buffers, self._blocks, strict=True):
            if buffer:
                self._file.write(buffer)
                blocks.append((position, len(buffer)))
                position += len(buffer)
                buffer.clear()
        self._buffered = 0

    def __iter__(self) -> Iterator[list[list[Any]]]:
        """Yield the records of each bucket, those of one key in the order in which they were added."""
        for buffer, blocks in zip(self._buffers, self._blocks, strict=True):
            data = bytearray(b"[")
            if self._file is not None:
                for position, length in blocks:
                    self._file.seek(position)
                    data += self._file.read(length)
            data += buffer
            if len(data) > 1:
                data[-1:] = b"]"
                yield _decode(data)
