"""A broker as a child process on the loopback interface: port, start, readiness and stop."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stream_attr.errors import UnusableError
from stream_attr.kafka.embedded.stall import Stall

__all__ = ["HOST", "PortTaken", "answers", "free_port", "require_free_port", "spawn", "stop"]

HOST = "127.0.0.1"

_PR_SET_PDEATHSIG = 1
_TO_DEFAULT = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_QUIET_PORTS = range(20_000, 30_000)
_given: set[int] = set()
_chance = random.SystemRandom()


class PortTaken(UnusableError):  # noqa: N818 -- a state, not a mistake
    """The port cannot be listened on."""


def free_port() -> int:
    """Return a loopback port that is free at this moment; never the same twice in a process.

    It is outside the range that the system uses for outgoing connections, so that a server that restarts
    finds its port still free. Chosen at random, so that parallel processes rarely choose the same.

    Raises:
        PortTaken: all are in use.
    """
    while len(_given) < len(_QUIET_PORTS):
        port = _chance.choice(_QUIET_PORTS)
        if port in _given:
            continue
        _given.add(port)
        try:
            return require_free_port(port)
        except PortTaken:
            continue
    raise PortTaken(f"no port on {HOST} from {_QUIET_PORTS[0]} to {_QUIET_PORTS[-1]} can be used")


def require_free_port(port: int) -> int:
    """Return the port if it can be listened on.

    Raises:
        PortTaken: it cannot; the message names the port and the system's reason.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(f"port {port} on {HOST} cannot be used: {error.strerror}") from error
    return port


def spawn(
    command: Sequence[str],
    log: IO[bytes],
    *,
    outlive_parent: bool = False,
    environment: Mapping[str, str] | None = None,
    become: Callable[[], None] | None = None,
    parent_ended: signal.Signals = signal.SIGKILL,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that a Ctrl-C for this process does not end it earlier.

    Unless ``outlive_parent``, it gets ``parent_ended`` (on Linux) when the calling thread ends. It gets
    default signal handling, whatever this process ignores (``nohup``, a shell's background job) or blocks.
    ``environment``: None: that of this process. ``become``: called in the child, to make it another user's.
    ``inherited``: file descriptors that it keeps.

    Raises:
        subprocess.SubprocessError: ``become`` raised.
    """
    # A signal handled within a fork would raise where nobody can catch it, and be lost.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _TO_DEFAULT)
    try:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=inherited,
            preexec_fn=_first_of_all(  # noqa: PLW1509 -- system calls
                become, None if outlive_parent else _end_with_parent(parent_ended)
            ),
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def answers(
    process: subprocess.Popen[bytes],
    port: int,
    patience_s: float,
    progress: Callable[[], object] = lambda: None,
) -> bool:
    """Wait until the broker answers a metadata request; False: it ended, or made no progress.

    ``patience_s`` and ``progress``: see ``Stall``.
    """
    stall = Stall(patience_s, [process.pid], progress)
    while process.poll() is None and not stall.has_come():
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
            continue
        try:
            AdminClient({"bootstrap.servers": f"{HOST}:{port}", "log_level": 0}).list_topics(timeout=5)
        except KafkaException:
            continue
        return process.poll() is None
    return False


def stop(process: subprocess.Popen[bytes], patience_s: float = 5.0) -> None:
    """End the process: SIGTERM first, then SIGKILL."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _first_of_all(*then: Callable[[], None] | None) -> Callable[[], None]:
    """Runs in the child before the program starts; system calls only, as other threads may hold locks."""
    default, none = signal.SIG_DFL, frozenset[int]()

    def prepare() -> None:
        for number in _TO_DEFAULT:
            signal.signal(number, default)
        signal.pthread_sigmask(signal.SIG_SETMASK, none)
        for step in then:
            if step is not None:
                step()

    return prepare


def _end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Have the child get a signal when its parent dies; None: the system has no such call.

    Called last: the system forgets it when the child becomes another user's.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return ask
