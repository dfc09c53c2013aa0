"""Returns freed memory of the C library's heap to the system.

RocksDB, librdkafka and the interpreter allocate from dozens of threads. glibc gives most of them an arena of
their own, and keeps memory that is freed in the middle of one: the worker neither uses nor returns it. With
other C libraries (musl, macOS) this module does nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from typing import Any, Final

__all__ = ["keep_trimmed", "share_arenas"]

_M_ARENA_MAX: Final = -8
"""From glibc's malloc.h."""
_ARENAS: Final = 2
_SET_BY_OPERATORS: Final = {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}
_TRIM_EVERY_S: Final = 30.0
"""A trim takes about 50 ms for a heap of a gigabyte."""


def share_arenas() -> None:
    """Have all threads share two arenas, unless the operator set a limit; to be called before they start."""
    mallopt = _of_libc("mallopt")
    if mallopt is not None and not _SET_BY_OPERATORS & os.environ.keys():
        mallopt(_M_ARENA_MAX, _ARENAS)


async def keep_trimmed(every_s: float = _TRIM_EVERY_S) -> None:
    """Return freed pages every ``every_s`` seconds; never returns."""
    trim = _of_libc("malloc_trim")
    while trim is not None:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(trim, ctypes.c_size_t(0))


def _of_libc(name: str) -> Any:
    """Return a function of the C library; None: it has none of that name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
