"""Whether the broker answers: every response is recorded, and a long silence is logged once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

__all__ = ["BrokerHealth", "watch_broker"]

logger = logging.getLogger(__name__)

_CHECK_EVERY_S = 1.0
_SUSPENDED_S = 5.0


class BrokerHealth:
    """When the broker last responded; ``record_response`` may be called from any thread."""

    def __init__(self, broker: str, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """``patience_s``: how long it may be silent before it counts as unreachable."""
        self.lost: str | None = None
        """Why the worker cannot proceed, as a sentence; None while the broker answers."""
        self._broker = broker
        self._patience_s = patience_s
        self._clock = clock
        self._last = clock()
        self._lost_at = 0.0
        self._since = ""
        self._refused_user: str | None = None

    def record_response(self) -> None:
        """Record that the broker has responded."""
        self._last = self._clock()
        self._refused_user = None

    def login_refused(self, user: str) -> None:
        """Record that the broker refuses the log-in of a user."""
        self._refused_user = user

    @property
    def stale(self) -> bool:
        """Whether it has been silent for so long that it should be probed."""
        return self._clock() - self._last > self._patience_s / 2

    def check(self) -> None:
        """Update ``lost``, and log a change; called once a second, by one thread."""
        silent_s = self._clock() - self._last
        if self.lost is None and silent_s > self._patience_s:
            self._lost_at = self._last
            self._since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - silent_s))
            self._set_lost()
        elif self.lost is not None and silent_s <= self._patience_s:
            self.lost = None
            logger.warning(
                "broker %s is reachable again after %.0f s", self._broker, self._last - self._lost_at
            )
        elif (
            self.lost is not None
            and self._refused_user is not None
            and not self.lost.endswith(self._refused_user)
        ):
            self._set_lost()

    def _set_lost(self) -> None:
        """Set and log the reason, as far as it is known."""
        why = "" if self._refused_user is None else f": it refuses user {self._refused_user}"
        self.lost = f"broker {self._broker} has been unreachable since {self._since}{why}"
        logger.error("%s; waiting for it", self.lost)


async def watch_broker(broker_health: BrokerHealth, probe: Callable[[], bool]) -> None:
    """Check every second, and ``probe`` the broker first if its last response is old; never returns.

    Silence alone proves nothing: a worker that waits for others to join the group has a single request open,
    and no response to it for a minute.
    """
    while True:
        before = time.monotonic()
        await asyncio.sleep(_CHECK_EVERY_S)
        suspended = time.monotonic() - before > _SUSPENDED_S  # this process, not the broker, was away
        if suspended or (broker_health.stale and await asyncio.to_thread(probe)):
            broker_health.record_response()
        broker_health.check()
