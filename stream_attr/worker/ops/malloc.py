"""The C library's heap: what has been freed is given back to the machine.

RocksDB, librdkafka and the interpreter allocate from some dozens of threads. glibc gives most of them an
arena of their own, and keeps what is freed in the midst of one: memory that a worker neither uses nor gives
back. Elsewhere (musl, macOS) there is nothing to be told, and nothing is done.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from typing import Any, Final

__all__ = ["keep_trimmed", "share_arenas"]

_M_ARENA_MAX: Final = -8
"""Of glibc's malloc.h."""
_ARENAS: Final = 2
_SET_BY_OPERATORS: Final = {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}
_TRIM_EVERY_S: Final = 30.0
"""It takes some 50 ms for a heap of a gigabyte."""


def share_arenas() -> None:
    """Have all threads share two arenas; to be called before there are many. What an operator set stays."""
    mallopt = _of_libc("mallopt")
    if mallopt is not None and not _SET_BY_OPERATORS & os.environ.keys():
        mallopt(_M_ARENA_MAX, _ARENAS)


async def keep_trimmed(every_s: float = _TRIM_EVERY_S) -> None:
    """Give freed pages back every so many seconds, for ever."""
    trim = _of_libc("malloc_trim")
    while trim is not None:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(trim, ctypes.c_size_t(0))


def _of_libc(name: str) -> Any:
    """Return a function of the C library; None where it has none of that name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
