"""Settings and rosters: every worker bootstraps them completely before it judges, then follows them live.

Each record goes into the one shop registry of this worker. Its consequences, a dead letter for a refused
record and new decisions for the pending orders of the shop, must happen exactly once, through crashes too. So
each partition stores, with its progress, the offsets of settings and roster that it last judged with; the
dead letters belong to partition 0.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import NamedTuple

import msgspec
import orjson

from stream_attr.codec.surrogates import mended
from stream_attr.codec.versions import require_readable
from stream_attr.processor.ports import Output, Record
from stream_attr.worker.config import ShopRegistry, WorkerConfig
from stream_attr.worker.ops.unreadable import Unreadable
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS
from stream_attr.worker.state.store import GLOBAL_TABLES_KEY
from stream_attr.worker.task.table_reader import TableReader

__all__ = ["GlobalTables", "TableChanges"]

logger = logging.getLogger(__name__)

_IDLE_POLL_S = 0.05
_RETRY_S = 1.0
_CATCH_UP_S = 10.0
_VERSION = 1
"""Of the record of the table offsets that a partition last judged with."""


class TableChanges(NamedTuple):
    """Changes of settings and roster that a partition has not judged with yet."""

    shops: frozenset[str]
    """Shops whose settings or roster changed."""
    dead_letters: list[Output]
    """Refused records, in the order of the topics."""
    offsets: bytes
    """The record to commit with the consequences: the table offsets judged with."""


class _ShopRecord(msgspec.Struct):
    shop_id: str


_decode_shop = msgspec.json.Decoder(_ShopRecord).decode


def _shop_of(accepted: bytes) -> str:
    """Return the shop of an accepted record."""
    return _decode_shop(mended(accepted) or accepted).shop_id


class _Entry(NamedTuple):
    topic: str
    offset: int
    shop_id: str
    dead_letter: Output | None


class _Request(NamedTuple):
    """Shops whose first events arrived, and what is resolved once the tables are read far enough for them."""

    shops: set[bytes]
    caught_up: Future[None]


class _CatchUp(NamedTuple):
    """One read to the ends, for all requests that were waiting when the ends were requested."""

    requests: list[_Request]
    ends: dict[str, int]
    deadline: float
    """On the monotonic clock."""


class GlobalTables:
    """The shop registry of this worker, how far its topics were read, and what each record led to.

    One thread reads (``bootstrap``, then ``follow`` repeatedly). Others leave requests and wait for them
    outside of any lock, so a client that hangs delays nobody who is stopping.
    """

    def __init__(
        self,
        config: WorkerConfig,
        registry: ShopRegistry,
        on_login_refused: Callable[[str], None] = lambda _user: None,
        unreadable: Unreadable | None = None,
    ) -> None:
        """``on_login_refused`` is called with the user, repeatedly, while the broker refuses the log-in."""
        self._registry = registry
        self._unreadable = unreadable or Unreadable()
        self._reader = TableReader(config, on_login_refused, self._unreadable)
        self.lock = threading.Lock()
        """Held while the registry changes, and by every judge at work, so nothing changes during a batch. As
        judging is pure Python, one judge at a time is as fast as many."""
        self._entries: list[_Entry] = []
        self._offsets = dict.fromkeys(GLOBAL_TOPICS, 0)
        self._known_shops: set[bytes] = set()
        self._unapplied: deque[Record] = deque()
        """Read and not applied yet; used by the reading thread alone."""
        self._requests: list[_Request] = []
        self._requested = threading.Condition()
        """Guards the requests; notified of each."""
        self._catch_up: _CatchUp | None = None
        self._followed_at: float | None = None
        self._failure: str | None = None
        self.bootstrapped = False
        """Whether all records that existed at the start are applied."""

    @property
    def records(self) -> int:
        """Number of applied records; it grows with every change."""
        return len(self._entries)

    def why_waiting(self, patience_s: float) -> str | None:
        """Why settings and rosters are not up to date, as a sentence; None: they are, or soon will be."""
        if self._failure is not None:
            return self._failure
        if self._followed_at is not None and (silent_s := time.monotonic() - self._followed_at) > patience_s:
            return f"settings and rosters have not been read for {silent_s:.0f} s: the Kafka client hangs"
        return None

    def bootstrap(self, stop: Callable[[], bool]) -> bool:
        """Read both topics completely, and apply their records in the order of their Kafka timestamps.

        Waits for the broker; False: ``stop`` returned True before.

        Raises:
            KafkaException: the broker failed permanently.
        """
        if not self._unapplied:  # else an earlier call was stopped while it could not apply them
            found = self._reader.read_to_ends(stop)
            if found is None:
                return False
            self._unapplied.extend(found)
        while not self._apply():
            if stop():
                return False
            time.sleep(_RETRY_S)
        self.bootstrapped = True
        logger.info("settings and rosters read: %s records", f"{self.records:,}")
        return True

    def follow(self) -> bool:
        """Read and apply new records, waiting shortly for them; returns whether there were any.

        All catch-up requests that are waiting are served together, by one request for the ends.

        Raises:
            KafkaException: the broker failed permanently.
        """
        if self._catch_up is None:
            self._catch_up = self._begin_catch_up()
        self._unapplied.extend(self._reader.read(wait=self._catch_up is not None))
        before = self.records
        if self._unapplied and not self._apply():
            time.sleep(_RETRY_S)
        self._end_catch_up()
        self._followed_at = time.monotonic()
        return self.records > before

    def unknown_shops(self, records: Iterable[Record]) -> set[bytes]:
        """Return the shops of events, as their keys name them, that this worker sees for the first time."""
        buyers = {record.key or b"" for record in records}
        return {key.partition(b"|")[0] for key in buyers} - self._known_shops

    def catch_up(self, shops: set[bytes]) -> Future[None]:
        """Request that both topics are read to their present ends, and with them all settings of these shops.

        Needed before the first events of a shop only: later changes take effect today at the earliest, and
        pending decisions follow them. While the broker is away the future stays unresolved; a caller that is
        stopped drops it.
        """
        request = _Request(shops, Future())
        with self._requested:
            self._requests.append(request)
            self._requested.notify()
        return request.caught_up

    def _begin_catch_up(self) -> _CatchUp | None:
        """Request the ends for all waiting requests; None: there are none, or the broker does not answer."""
        with self._requested:
            if not self._requests:
                self._requested.wait(_IDLE_POLL_S)
            requests, self._requests = self._requests, []
        if not requests:
            return None
        topics = list(self._reader.topics)
        ends = {topic: end for topic in topics if (end := self._request_end(topic)) is not None}
        if len(ends) == len(topics):
            return _CatchUp(requests, ends, time.monotonic() + _CATCH_UP_S)
        with self._requested:
            self._requests = requests + self._requests
        return None

    def _end_catch_up(self) -> None:
        """Resolve the requests in progress if the ends are read, or if that takes too long."""
        if self._catch_up is None or self._unapplied:
            return
        requests, ends, deadline = self._catch_up
        left = [topic for topic, end in ends.items() if self._reader.position(topic) < end]
        if left and time.monotonic() <= deadline:
            return
        if any((topic, 0) in self._unreadable for topic in left):  # the unread records may change verdicts
            return
        self._catch_up = None
        if left and any(self._request_end(topic) is None for topic in left):  # the broker went away
            with self._requested:
                self._requests = requests + self._requests
            return
        for topic in left:
            logger.warning("topic %s was not read to its end: a transaction on it stays open", topic)
        for request in requests:
            self._known_shops |= request.shops
            request.caught_up.set_result(None)

    def _request_end(self, topic: str) -> int | None:
        return self._reader.request_end(topic)

    def broker_answers(self) -> bool:
        """Whether a broker answers a request now."""
        return self._reader.broker_answers()

    def _apply(self) -> bool:
        """Apply the records that were read to the registry, across the topics by their Kafka timestamps.

        False: the machine lacks a resource at the moment, which is no fault of the record; to be retried.
        """
        self._unapplied = deque(sorted(self._unapplied, key=lambda record: record.timestamp))
        with self.lock:
            while self._unapplied:
                record = self._unapplied[0]
                try:
                    dead_letter = self._registry.apply(record)
                except OSError as error:
                    self._failed(record, error)
                    return False
                shop_id = "" if dead_letter is not None else _shop_of(record.value or b"")
                self._entries.append(_Entry(record.topic, record.offset, shop_id, dead_letter))
                self._offsets[record.topic] = record.offset + 1
                self._unapplied.popleft()
        self._failure = None
        return True

    def _failed(self, record: Record, error: OSError) -> None:
        if self._failure is None:
            logger.error("%s offset %s cannot be applied: %s; retrying", record.topic, record.offset, error)
        self._failure = f"{record.topic} offset {record.offset} cannot be applied: {error}"

    def changes_since(self, offsets: bytes | None, partition: int) -> TableChanges | None:
        """Return the changes since a partition last judged with the tables; None: there are none.

        ``offsets``: the record of `TableChanges.offsets` that it last committed. The caller holds the lock.

        Raises:
            NewerVersionError: a newer program wrote the record.
        """
        before: dict[str, int] = orjson.loads(offsets) if offsets else {}
        version = before.pop("version", _VERSION)
        require_readable(version, _VERSION, "record of the settings and roster offsets", GLOBAL_TABLES_KEY)
        now = orjson.dumps({**self._offsets, "version": _VERSION})
        if offsets == now or not (offsets or self._entries):
            return None
        new = [entry for entry in self._entries if entry.offset >= before.get(entry.topic, 0)]
        return TableChanges(
            frozenset(entry.shop_id for entry in new if entry.dead_letter is None),
            [entry.dead_letter for entry in new if entry.dead_letter is not None] if partition == 0 else [],
            now,
        )

    def close(self) -> None:
        """Disconnect from the broker."""
        self._reader.close()
