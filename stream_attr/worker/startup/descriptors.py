"""How many file descriptors and threads a worker takes, and whether the system lets it have them.

What each partition takes is its own transactional producer and its own local store. A client of librdkafka
(2.16) has a main thread, and one for each broker of the cluster, for the coordinator and for the address that
it began with, each of these with a pipe to wake it; and a connection to each broker and to the coordinator. A
store of RocksDB holds six files and directories, and one more for each file of its state, of up to 64 MiB.
"""

from __future__ import annotations

import logging
import resource
import sys
from typing import NamedTuple

from stream_attr.errors import UnusableError
from stream_attr.worker.engine.web_server import LIMITS

__all__ = ["DescriptorsError", "Need", "need", "raise_limit", "require"]

logger = logging.getLogger(__name__)

_PROCESS = 40 + LIMITS.connections
"""Descriptors of the process itself: log, the group's consumer, the web port and its connections."""
_THREADS = 40
"""Threads of the process itself, those of RocksDB among them."""
_SHARED_CLIENTS = 8
"""Clients that are not a partition's: settings, ticks, topic ids, and those of partitions being recovered."""
_STORE = 6
_STATE_FILES = 32
"""Files of a partition's state that are reckoned with: 2 GiB, some two million buyers."""


class DescriptorsError(UnusableError):
    """The system lets this process open too few files; the message says how many it needs."""


class Need(NamedTuple):
    """What a worker takes at most while it holds so many partitions."""

    descriptors: int
    threads: int


def need(partitions: int, brokers: int) -> Need:
    """Reckon what a worker of so many partitions needs, on a cluster of so many brokers."""
    broker_threads = brokers + 2
    client = 2 * broker_threads + brokers + 1
    clients = partitions + _SHARED_CLIENTS
    return Need(
        _PROCESS + clients * client + partitions * (_STORE + _STATE_FILES),
        _THREADS + clients * (broker_threads + 1),
    )


def raise_limit() -> int:
    """Raise the number of files that this process may open as far as it may itself; returns that number.

    The lower limit that processes begin with is for programs that use ``select``.
    """
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):  # macOS names no limit, and allows less
        most = limit
    return sys.maxsize if most == resource.RLIM_INFINITY else most


def require(limit: int, partitions: int, brokers: int) -> None:
    """Say what the partitions need, and warn if one worker alone cannot hold them all.

    ``limit``: how many files this process may open.

    Raises:
        DescriptorsError: it cannot even hold one.
    """
    whole, least = need(partitions, brokers), need(1, brokers)
    logger.info(
        "all %s partitions on one worker take up to %s file descriptors (limit: %s) and %s threads",
        partitions,
        f"{whole.descriptors:,}",
        f"{limit:,}",
        whole.threads,
    )
    if limit < least.descriptors:
        raise DescriptorsError(
            f"one partition alone takes up to {least.descriptors} file descriptors, and this process may "
            f"open {limit}: raise its limit of open files (ulimit -Hn, LimitNOFILE=, --ulimit nofile=)"
        )
    if limit < whole.descriptors:
        each = need(2, brokers).descriptors - least.descriptors
        logger.warning(
            "all %s partitions take up to %s file descriptors, and this process may open %s: raise its limit "
            "of open files (ulimit -Hn, LimitNOFILE=, --ulimit nofile=), or run so many workers that none of "
            "them ever holds more than %s partitions",
            partitions,
            f"{whole.descriptors:,}",
            f"{limit:,}",
            1 + (limit - least.descriptors) // each,
        )
