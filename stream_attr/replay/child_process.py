"""A process that works for this one: started without its signals, ended with it, its messages by a pipe."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Concatenate, ParamSpec

from stream_attr.errors import StreamAttrError

__all__ = ["ChildProcess", "ProcessLostError"]

_P = ParamSpec("_P")


class ProcessLostError(StreamAttrError):
    """A process has ended before its work was done; the message names it and the cause."""


class ChildProcess:
    """One process, and its end of a pipe."""

    def __init__(
        self,
        name: str,
        target: Callable[Concatenate[Connection, _P], None],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> None:
        """Start ``target(pipe, *args, **kwargs)``; ``name`` is for messages."""
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._name = name
        self._process: SpawnProcess = context.Process(
            target=target, args=(theirs, *args), kwargs=kwargs, daemon=True
        )
        resource_tracker.ensure_running()  # else it is started below, and lets SIGINT through again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()  # inherits the mask: Ctrl-C is the parent's, which ends its processes
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def receive(self) -> bytes:
        """Return its next message.

        Raises:
            ProcessLostError: it has ended instead.
        """
        try:
            return self.pipe.recv_bytes()
        except EOFError:
            self._process.join()
            raise ProcessLostError(
                f"{self._name} ended with exit code {self._process.exitcode} before its work was done"
            ) from None

    def send(self, message: bytes) -> None:
        """Send it a message; where it has ended, its next message says why."""
        with suppress(BrokenPipeError):
            self.pipe.send_bytes(message)

    def stop(self) -> None:
        """End the process."""
        self.pipe.close()
        self._process.terminate()
        self._process.join()
