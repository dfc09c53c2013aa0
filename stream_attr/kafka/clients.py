"""Kafka clients whose threads do not sleep for an hour because the wall clock was set back by one.

librdkafka (2.16, its issue 2145) waits with ``pthread_cond_timedwait`` for a moment of the wall clock. Where
the clock is set back while a thread waits, as by NTP or on a virtual machine that is resumed, the thread
waits for as long as the step was: timers do not fire, a transaction adds no partitions, and a call with a
timeout of a second does not return. Anything that comes into a thread's queue wakes it, and its next wait is
reckoned by the new clock. So clients that live longer than a moment are listed here, and each step of the
clock is followed by a metadata request to each of them.

A consumer that gets no records has nothing to wake it: ``consume`` waits outside of the client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, Message

__all__ = ["CLIENTS", "Clients", "consume", "watch_wall_clock"]

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_STEP_S = 0.5
"""What the clock is set back by at least to be a step: NTP slews by less, and it holds nobody up for long."""
_WAKE_UPS = 6
"""Requests that follow a step, one a look: woken once, a thread may come to a wait of before the step."""


class _Client(Protocol):
    def list_topics(self, *, timeout: float) -> object:
        """Request the metadata of the cluster; the client's main thread handles the response."""


class Clients:
    """The Kafka clients in use; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._clients: set[_Client] = set()
        self._lock = threading.Lock()

    def add(self, client: _Client) -> None:
        """List a client."""
        with self._lock:
            self._clients.add(client)

    def remove(self, client: _Client) -> None:
        """Take a client off the list; has to be done before it is closed."""
        with self._lock:
            self._clients.discard(client)

    def wake(self) -> None:
        """Wake the threads of all clients; does not wait for the responses."""
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(KafkaException):  # there was no time for a response
                    client.list_topics(timeout=0)


CLIENTS = Clients()
"""Those of this process, which has one wall clock."""


async def watch_wall_clock(
    clients: Clients,
    wall: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    look_every_s: float = _LOOK_EVERY_S,
) -> None:
    """Wake the clients whenever the wall clock has been set back; for ever. Clocks are in seconds."""
    difference, wake_ups = wall() - monotonic(), 0
    while True:
        await asyncio.sleep(look_every_s)
        before, difference = difference, wall() - monotonic()
        if before - difference > _STEP_S:
            logger.warning("the wall clock was set back by %.1f s", before - difference)
            wake_ups = _WAKE_UPS
        if wake_ups > 0:
            wake_ups -= 1
            clients.wake()


def consume(consumer: Consumer, records: int, pause_s: float) -> list[Message]:
    """Return what a consumer has fetched, so many records at most; if it is nothing, after a pause (seconds).

    Raises:
        KafkaException: the client cannot go on.
    """
    found: list[Message] = consumer.consume(records, timeout=0)
    if not found:
        time.sleep(pause_s)
    return found
