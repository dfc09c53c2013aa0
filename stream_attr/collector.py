"""Python's collector of cycles, kept from running where it would find nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collector"]


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the collector from running: while modules are imported, or in a process that only replays.

    Modules stay, and the state of a buyer holds no cycles; searching all of it again and again would take a
    fifth of the time of an import, and a third of that of a replay.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
