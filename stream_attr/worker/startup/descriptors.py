"""How many file descriptors and threads a worker needs, and whether the system allows them.

Each partition needs a transactional producer and a local store. A librdkafka client (2.16) has a main thread,
and one for each broker of the cluster, for the coordinator and for the bootstrap address, each with a pipe to
wake it; and a connection to each broker and to the coordinator. A RocksDB store holds six files and
directories, and one more for each state file of up to 64 MiB.
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
"""Descriptors of the process itself: log, group consumer, web port and its connections."""
_THREADS = 40
"""Threads of the process itself, including RocksDB's."""
_SHARED_CLIENTS = 8
"""Clients that belong to no partition: settings, ticks, topic ids, and restoring partitions."""
_STORE = 6
_STATE_FILES = 32
"""State files to expect per partition: 2 GiB, about two million buyers."""


class DescriptorsError(UnusableError):
    """The process may open too few files; the message says how many it needs."""


class Need(NamedTuple):
    """The most that a worker with a given number of partitions needs."""

    descriptors: int
    threads: int


def need(partitions: int, brokers: int) -> Need:
    """Calculate what a worker of so many partitions needs, on a cluster of so many brokers."""
    broker_threads = brokers + 2
    client = 2 * broker_threads + brokers + 1
    clients = partitions + _SHARED_CLIENTS
    return Need(
        _PROCESS + clients * client + partitions * (_STORE + _STATE_FILES),
        _THREADS + clients * (broker_threads + 1),
    )


def raise_limit() -> int:
    """Raise the soft limit of open files to the hard limit; returns it.

    The lower default exists for programs that use ``select``.
    """
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):  # macOS reports no limit, and allows less
        most = limit
    return sys.maxsize if most == resource.RLIM_INFINITY else most


def require(limit: int, partitions: int, brokers: int) -> None:
    """Log what the partitions need, and warn if one worker alone cannot hold them all.

    ``limit``: how many files this process may open.

    Raises:
        DescriptorsError: it cannot hold even one.
    """
    all_partitions, one = need(partitions, brokers), need(1, brokers)
    logger.info(
        "all %s partitions on one worker need up to %s file descriptors (limit: %s) and %s threads",
        partitions,
        f"{all_partitions.descriptors:,}",
        f"{limit:,}",
        all_partitions.threads,
    )
    if limit < one.descriptors:
        raise DescriptorsError(
            f"one partition alone needs up to {one.descriptors} file descriptors, and this process may "
            f"open {limit}: raise its limit of open files (ulimit -Hn, LimitNOFILE=, --ulimit nofile=)"
        )
    if limit < all_partitions.descriptors:
        each = need(2, brokers).descriptors - one.descriptors
        logger.warning(
            "all %s partitions need up to %s file descriptors, and this process may open %s: raise its limit "
            "of open files (ulimit -Hn, LimitNOFILE=, --ulimit nofile=), or run enough workers that none of "
            "them ever holds more than %s partitions",
            partitions,
            f"{all_partitions.descriptors:,}",
            f"{limit:,}",
            1 + (limit - one.descriptors) // each,
        )
