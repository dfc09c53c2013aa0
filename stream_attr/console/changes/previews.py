"""Previews of changes: tried in the background, one after the other, with progress in the ledger."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from stream_attr.console.changes.drafts import Change, Drafts, Preview
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.lab.result import LabResult
from stream_attr.ledger.periods import Period

__all__ = ["Previews", "Progress", "Trial"]

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many events are read, and of how many; what it raises ends the trial."""
Trial = Callable[[Change, Period, Progress], LabResult]
"""Says what a change would have done to a period; raises UnusableError where that cannot be known."""
_TOLD_EVERY_S: Final = 0.5
_WAIT_S: Final = 5.0


class _NobodyWaitsError(StreamAttrError):
    """The draft has another content by now, or is over."""


class Previews:
    """Those that this program makes."""

    def __init__(self, pool: ConnectionPool[Connection[Any]], trial: Trial) -> None:
        self._pool = pool
        self._trial = trial
        self._turn = threading.Lock()

    def start(self, change: Change, period: Period) -> None:
        """Begin a preview of a period, unless one of this content runs."""
        with self._pool.connection() as connection:
            if not Drafts(connection, change.shop_id).begin_preview(change):
                return
        threading.Thread(target=self._run, args=(change, period), name="preview", daemon=True).start()

    def _run(self, change: Change, period: Period) -> None:
        result: LabResult | None = None
        state, problem = Preview.DONE, None
        try:
            while not self._turn.acquire(timeout=_WAIT_S):
                self._tell(change, 0, 0)
            try:
                result = self._trial(change, period, self._telling(change))
            finally:
                self._turn.release()
        except _NobodyWaitsError:
            return
        except UnusableError as error:
            state, problem = Preview.IMPOSSIBLE, str(error)
        except StreamAttrError as error:
            state, problem = Preview.FAILED, str(error)
        except Exception:
            logger.exception("a preview has failed")
            state = Preview.FAILED
        try:
            with self._pool.connection() as connection:
                Drafts(connection, change.shop_id).end_preview(change, state, result, problem)
        except (psycopg.Error, PoolTimeout, PoolClosed) as error:  # it counts as failed after a while
            logger.warning("what came of a preview could not be kept: %s", type(error).__name__)

    def _telling(self, change: Change) -> Progress:
        told_s = 0.0

        def tell(read: int, of: int) -> None:
            nonlocal told_s
            now_s = time.monotonic()
            if now_s - told_s >= _TOLD_EVERY_S:
                told_s = now_s
                self._tell(change, read, of)

        return tell

    def _tell(self, change: Change, read: int, of: int) -> None:
        with self._pool.connection() as connection:
            if not Drafts(connection, change.shop_id).tell_progress(change, read, of):
                raise _NobodyWaitsError
