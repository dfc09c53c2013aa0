"""Kafka clients keep going after the wall clock was set back.

librdkafka (2.16, its issue 2145) waits with ``pthread_cond_timedwait`` for a moment of the wall clock. Where
the clock is set back while a thread waits (NTP, a virtual machine that resumes), the thread waits for as long
as the step was: timers do not fire, a transaction adds no partitions, and a call with a timeout of a second
does not return. Anything that comes into a thread's queue wakes it, and its next wait uses the new clock. So
long-lived clients are registered here, and each step of the clock is followed by a metadata request to each
of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import KafkaException

__all__ = ["CLIENTS", "Clients", "watch_wall_clock"]

logger = logging.getLogger(__name__)

_CHECK_EVERY_S = 0.5
_MIN_STEP_S = 0.5
"""A smaller change is no step: NTP slews by less, and no thread waits long because of it."""
_WAKE_UPS = 6
"""Requests after a step, one per check: a thread that was woken once may enter a wait of before the step."""


class _Client(Protocol):
    def list_topics(self, *, timeout: float) -> object:
        """Request the metadata of the cluster; the client's main thread handles the response."""


class Clients:
    """The registered Kafka clients; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()

    def add(self, client: _Client) -> None:
        """Register a client."""
        with self._lock:
            self._clients.add(client)

    def remove(self, client: _Client) -> None:
        """Unregister a client; required before it is closed."""
        with self._lock:
            self._clients.discard(client)

    def wake(self) -> None:
        """Wake the threads of all clients; does not wait for the responses."""
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(KafkaException):  # timeout 0 leaves no time for a response
                    client.list_topics(timeout=0)


CLIENTS = Clients()
"""The clients of this process."""


async def watch_wall_clock(
    clients: Clients,
    wall: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    check_every_s: float = _CHECK_EVERY_S,
) -> None:
    """Wake the clients whenever the wall clock was set back; never returns. Clocks are in seconds."""
    difference, wake_ups = wall() - monotonic(), 0
    while True:
        await asyncio.sleep(check_every_s)
        before, difference = difference, wall() - monotonic()
        if before - difference > _MIN_STEP_S:
            logger.warning("the wall clock was set back by %.1f s", before - difference)
            wake_ups = _WAKE_UPS
        if wake_ups > 0:
            wake_ups -= 1
            clients.wake()
