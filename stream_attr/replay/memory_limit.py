"""The memory limit: the machine's memory, or what its container may use of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["memory_limit_mib"]

_WHERE_UNKNOWN_MIB: Final = 2_048


def memory_limit_mib(root: Path = Path("/")) -> int:
    """Return the MiB of memory of this machine, or of its container or control group where that may use less.

    ``root``: where the system's files are.
    """
    return min([_machine_mib(), *[limit >> 20 for limit in _limits(root)]])


def _machine_mib() -> int:
    try:
        mib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    except (AttributeError, ValueError, OSError):
        return _WHERE_UNKNOWN_MIB
    return mib if mib > 0 else _WHERE_UNKNOWN_MIB


def _limits(root: Path) -> list[int]:
    """Return the bytes that the process's control group and those around it may use, of version 2 or 1."""
    groups = root / "sys/fs/cgroup"
    files = [groups / "memory/memory.limit_in_bytes"]
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, _, own = line.partition("::")
        if own.startswith("/"):
            folder = groups / own[1:]
            files += [
                each / "memory.max" for each in (folder, *folder.parents) if each.is_relative_to(groups)
            ]
    return [limit for file in files if (limit := _limit(file)) is not None]


def _limit(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # there is none: "max"
        return None
