"""The C library's heap: what has been freed is given back to the machine.

RocksDB, librdkafka and the interpreter allocate from some dozens of threads. glibc gives most of them an
arena of their own, and keeps what is freed in the midst of one: memory that a worker neither uses nor gives
back. Elsewhere (musl, macOS) there is nothing to be told, and nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
from typing import Final

__all__ = ["keep_trimmed", "share_arenas"]

_M_ARENA_MAX: Final = -8
"""Of glibc's malloc.h."""
_ARENAS: Final = 2
_TRIM_EVERY_S: Final = 30.0
"""It takes some 50 ms for a heap of a gigabyte."""


def share_arenas() -> None:
    """Have all threads share two arenas; to be called before there are many."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)


async def keep_trimmed(every_s: float = _TRIM_EVERY_S) -> None:
    """Give freed pages back every so many seconds, for ever."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(trim, 0)
