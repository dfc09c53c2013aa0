"""What a worker's partitions may keep in memory, all of them together."""

from __future__ import annotations

import rocksdict

from stream_attr.processor.options import FACT_BYTES

__all__ = ["Memory"]

_MIB = 1 << 20


class Memory:
    """Half is for buyers who are kept decoded, half for the blocks and write buffers of the local stores."""

    def __init__(self, mib: int) -> None:
        """``mib``: MiB in all."""
        of_stores = mib * _MIB // 2
        self.blocks = rocksdict.Cache(of_stores)
        self.write_buffers = rocksdict.WriteBufferManager.new_write_buffer_manager_with_cache(
            of_stores // 2, False, self.blocks
        )
        """Their memory is taken from that of the blocks."""
        self._facts = mib * _MIB // 2 // FACT_BYTES

    def facts(self, partitions: int) -> int:
        """How many facts each of so many partitions may keep decoded."""
        return self._facts // max(partitions, 1)
