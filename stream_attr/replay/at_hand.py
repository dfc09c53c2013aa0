"""How much memory there is at hand: the machine's, or what its container may use of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["memory_at_hand_mib"]

_LIMITS: Final = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
"""Of the control group a process is in, as a container sees it; of version 2 and version 1."""
_WHERE_UNKNOWN_MIB: Final = 2_048


def memory_at_hand_mib(limits: tuple[str, ...] = _LIMITS) -> int:
    """Return the MiB of memory of this machine, or of its container where that may use less."""
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        pages = _WHERE_UNKNOWN_MIB << 20
    return min([pages, *[found for limit in limits if (found := _limit(Path(limit))) is not None]]) >> 20


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # there is none: "max"
        return None
