"""The last resort at shutdown: a process that hangs is ended, so that a supervisor can start another.

Everything that a worker or a sink waits for while it stops has a timeout, but a thread inside a client
library or a system call may ignore it, and Python waits for its threads before it exits.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from pathlib import Path

__all__ = ["SHUTDOWN_S", "bound_shutdown"]

logger = logging.getLogger(__name__)

SHUTDOWN_S = 45.0
"""Longer than an orderly stop takes, shorter than the grace period in ``deploy/`` (60 s)."""


def bound_shutdown(patience_s: float = SHUTDOWN_S) -> None:
    """End the process with exit code 1, and log where it hangs, if it has not ended by itself in time.

    Nothing is lost: what a worker or a sink has not committed is done again.
    """
    threading.Thread(target=_end_late, args=(patience_s,), name="shutdown", daemon=True).start()


def _end_late(patience_s: float) -> None:
    time.sleep(patience_s)
    logger.critical(
        "it did not stop within %.0f s; ending the process. It hangs in: %s",
        patience_s,
        "; ".join(_where_threads_are()) or "no Python thread",
    )
    os._exit(1)


def _where_threads_are() -> list[str]:
    """Each thread that the process would wait for, with its current line."""
    frames = sys._current_frames()
    return [
        f"{thread.name} at {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        for thread in threading.enumerate()
        if not thread.daemon and (frame := frames.get(thread.ident or 0)) is not None
    ]
