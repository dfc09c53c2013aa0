"""Whether the broker answers: noted wherever it does, and said once when it is silent for too long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError

__all__ = ["BrokerHealth", "watch_broker", "will_pass"]

logger = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_STOPPED_S = 5.0

_PASSING = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._BAD_MSG,
        KafkaError._DESTROY_BROKER,
        KafkaError._IN_PROGRESS,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._NODE_UPDATE,
        KafkaError._PREV_IN_PROGRESS,
        KafkaError._RESOLVE,
        KafkaError._RETRY,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._TRANSPORT,
        KafkaError._UNKNOWN_BROKER,
        KafkaError._WAIT_CACHE,
        KafkaError._WAIT_COORD,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)


def will_pass(error: KafkaError) -> bool:
    """Whether an error only says that the broker is away, or not yet quite back.

    ``retriable`` alone does not tell: outside of the transactions the client leaves it unset.
    """
    return error.retriable() or error.code() in _PASSING


class BrokerHealth:
    """When the broker was last heard of; ``record_response`` may be called from any thread."""

    def __init__(self, broker: str, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``patience_s``: how long it may be silent before that is worth a word."""
        self.lost: str | None = None
        """Why nothing can be done now, as a sentence; None while the broker answers."""
        self._broker = broker
        self._patience_s = patience_s
        self._clock = clock
        self._last = clock()
        self._lost_at = 0.0
        self._since = ""
        self._refused: str | None = None

    def record_response(self) -> None:
        """The broker has answered."""
        self._last = self._clock()
        self._refused = None

    def refused(self, user: str) -> None:
        """The broker lets a user not log in who could before."""
        self._refused = user

    @property
    def stale(self) -> bool:
        """Whether it has been silent for so long that it should be asked."""
        return self._clock() - self._last > self._patience_s / 2

    def look(self) -> None:
        """See how things stand, and say what has changed; called once a second, by one thread."""
        silent_s = self._clock() - self._last
        if self.lost is None and silent_s > self._patience_s:
            self._lost_at = self._last
            self._since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - silent_s))
            self._lose()
        elif self.lost is not None and silent_s <= self._patience_s:
            self.lost = None
            logger.warning("broker %s is back after %.0f s", self._broker, self._last - self._lost_at)
        elif self.lost is not None and self._refused is not None and not self.lost.endswith(self._refused):
            self._lose()

    def _lose(self) -> None:
        """Say what is amiss, as far as it is known by now."""
        why = "" if self._refused is None else f": it refuses user {self._refused}"
        self.lost = f"broker {self._broker} is unreachable since {self._since}{why}"
        logger.error("%s; waiting for it", self.lost)


async def watch_broker(broker_health: BrokerHealth, ask: Callable[[], bool]) -> None:
    """Look every second, for ever; where nothing was heard of the broker for long, ``ask`` it first.

    There are quiet times of which silence says nothing: a worker that waits for the others to join the group
    has a single request under way, and no answer to it for a minute.
    """
    while True:
        before = time.monotonic()
        await asyncio.sleep(_LOOK_EVERY_S)
        stopped = time.monotonic() - before > _STOPPED_S  # then it was this process that was away
        if stopped or (broker_health.stale and await asyncio.to_thread(ask)):
            broker_health.record_response()
        broker_health.look()
