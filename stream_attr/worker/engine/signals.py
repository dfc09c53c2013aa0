"""A worker's signals: SIGTERM, SIGHUP and SIGINT stop it, SIGUSR1 logs all stacks, SIGUSR2 does nothing.

Faust's own handlers log the variables of every function for SIGUSR1, chat texts included, and wait in a
debugger for SIGUSR2. A SIGHUP that is ignored when the process starts (``nohup``) stays ignored.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["end_at_once", "ending", "listen"]

logger = logging.getLogger(__name__)

_STDERR = 2
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_at_once() -> None:
    """Until ``listen`` is called, exit with status 0 on a signal to stop: nothing has begun.

    A process 1 of a container is not ended by a signal that it has no handler for.
    """
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, _write_threads)


def _write_threads(_number: int, _frame: FrameType | None) -> None:
    """Write where each thread is.

    By a handler that runs between two instructions of Python: ``faulthandler.register`` reads the frames of
    threads while they run, and a frame that has just gone ends the process (SIGSEGV).
    """
    with contextlib.suppress(OSError):
        faulthandler.dump_traceback(_STDERR)


def _leave(number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        os.write(_STDERR, f"stopped by {signal.Signals(number).name} during startup\n".encode())
    os._exit(0)


def listen(loop: asyncio.AbstractEventLoop, shut_down: Callable[[signal.Signals], None]) -> None:
    """Handle signals on the event loop from now on."""
    for number in _ENDING:
        if number is signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, shut_down, number)
    loop.add_signal_handler(signal.SIGUSR2, logger.warning, "SIGUSR2 does nothing; SIGUSR1 logs all stacks")

    def log_stacks(number: int, frame: FrameType | None) -> None:
        _write_threads(number, frame)
        loop.call_soon_threadsafe(_log_tasks, loop)

    # Not by the event loop: the stacks of threads are written even while it is blocked; its tasks follow.
    signal.signal(signal.SIGUSR1, log_stacks)


def ending() -> None:
    """After the event loop and its handlers are gone: ignore signals while the process ends in order.

    ``shutdown`` bounds the time; SIGUSR1 still shows where it hangs.
    """
    for number in (*_ENDING, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, _write_threads)


def _log_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Log where each task waits: files, lines and functions, no values."""
    lines = sorted(" > ".join(_places(task.get_coro())) for task in asyncio.all_tasks(loop))
    logger.warning("SIGUSR1: %d tasks of the event loop", len(lines))
    for line in lines:
        logger.warning("%s", line)


def _places(awaited: Any) -> Iterator[str]:
    """The current line of a coroutine, and of what it awaits."""
    while (frame := getattr(awaited, "cr_frame", None)) is not None:
        yield f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}"
        awaited = awaited.cr_await
