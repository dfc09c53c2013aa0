"""What the process of a command needs before it does anything: open standard streams, an orderly end."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from types import FrameType

from stream_attr.worker.engine.shutdown import bound_shutdown

__all__ = ["end_in_an_orderly_way", "open_standard_streams", "stop_on_signals"]

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def open_standard_streams() -> None:
    """Open those on the null device that the caller has closed (``2>&-``).

    Otherwise the next file that is opened, for example one of the local store, gets the number, and libraries
    write into it what they mean for standard error.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, io.TextIOWrapper(io.FileIO(number, mode), encoding="utf-8"))


def end_in_an_orderly_way() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, once: what was begun is cleaned up, children are ended.

    A SIGHUP that is ignored from the start (``nohup``) stays so.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:  # cleaning up is not to be interrupted
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def stop_on_signals(within_s: float | None = None) -> threading.Event:
    """Return what SIGTERM, SIGINT and SIGHUP set, unless one is ignored from the start (``nohup``).

    ``within_s``: so many seconds after it is set the process is ended, whatever it hangs in; None: never.
    """
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if within_s is not None and not stop.is_set():
            bound_shutdown(within_s)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    return stop
