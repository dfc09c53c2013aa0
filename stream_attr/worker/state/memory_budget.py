"""The memory for all partitions of a worker together."""

from __future__ import annotations

import rocksdict

from stream_attr.processor.options import FACT_BYTES

__all__ = ["Memory"]

_MIB = 1 << 20


class Memory:
    """Half is for decoded buyers, half for blocks and write buffers of the local stores."""

    def __init__(self, mib: int) -> None:
        """``mib``: total MiB."""
        store_bytes = mib * _MIB // 2
        self.blocks = rocksdict.Cache(store_bytes)
        self.write_buffers = rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            store_bytes // 2, False, self.blocks
        )
        """Their memory is charged to the block cache."""
        self._facts = mib * _MIB // 2 // FACT_BYTES

    def facts(self, partitions: int) -> int:
        """How many facts each of so many partitions may keep decoded."""
        return self._facts // max(partitions, 1)
