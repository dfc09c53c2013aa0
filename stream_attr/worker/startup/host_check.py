"""Checks of this machine before a worker joins the group: its data directory and its web address."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
from pathlib import Path
from typing import IO

from stream_attr.errors import UnusableError
from stream_attr.worker.config import StoreKind, WorkerConfig
from stream_attr.worker.state.store import StoreBusy

__all__ = ["Claim", "HostCheckError", "is_this_machine", "require_address"]

_LOCK = "worker.lock"


class HostCheckError(UnusableError):
    """The data directory or the web address cannot be used; the message says why."""


class Claim:
    """Locks the data directory for this worker, while the context lasts, and checks the web address.

    The stores of all partitions are in that directory, whatever the app id, and each has its own lock:
    without one lock on the directory, a second worker would start, and fail when it takes its first partition
    over.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._lock: IO[str] | None = None

    def __enter__(self) -> Claim:
        """Check and lock.

        Raises:
            StoreBusy: another worker uses the directory.
            HostCheckError: the directory cannot be written, the address cannot be listened on, or other
                machines reach it and no token is set.
        """
        reached = require_address(self._config.web_host, self._config.web_port)
        if reached and self._config.web_token is None:
            raise HostCheckError(
                f"--web-host {self._config.web_host} lets other machines reach the web port: it needs a "
                "token, --web-token-file or STREAM_ATTR_WEB_TOKEN"
            )
        if self._config.store is not StoreKind.MEMORY:
            self._lock = _locked(self._config.data_dir)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()


def _locked(data_dir: Path) -> IO[str]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / _LOCK).open("a")
        for store in data_dir.iterdir():
            if not os.access(store, os.W_OK):
                raise HostCheckError(f"--data-dir {data_dir} cannot be used: {store} cannot be written")
    except OSError as error:
        raise HostCheckError(f"--data-dir {data_dir} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StoreBusy.of(data_dir) from error
    except OSError:  # a file system without locks: each store still has RocksDB's own
        pass
    return lock


def is_this_machine(name: str | None) -> bool:
    """Whether a host's name or address can only mean the machine that uses it."""
    try:
        return name == "localhost" or ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False


def require_address(host: str, port: int) -> bool:
    """Check that an address can be listened on; returns whether other machines reach it."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
                probe.listen(1)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such host"
        raise HostCheckError(
            f"port {port} on {host} cannot be used: {reason}; see --web-host and --web-port"
        ) from error
    return not all(ipaddress.ip_address(address[0]).is_loopback for *_, address in found)
