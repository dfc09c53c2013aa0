"""What kept payloads give: events with their topics and keys, and dead letters with reasons."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

from stream_attr.adapters.adapter import Adapter
from stream_attr.adapters.collector import Adapted
from stream_attr.adapters.connection import Connection
from stream_attr.adapters.encryption import UnopenedError
from stream_attr.adapters.shared_inbox import SharedInbox
from stream_attr.adapters.skips import MEANINGS, WORTH_A_LOOK, Reason, Skip
from stream_attr.codec.encoding import encode_json
from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.connections import ConnectedAccount
from stream_attr.gateway.lookups import Lookups
from stream_attr.rules.shop.days import MINUTE_MS

__all__ = ["Accounts", "Adaptation", "Made", "RawRecord"]

logger = logging.getLogger(__name__)

_LOOKUP_S: Final = 10.0


class RawRecord(NamedTuple):
    """A payload as it was kept."""

    connection: str
    body: bytes
    received_ms: int | None
    """When it came; None: nobody knows."""
    by_signature: bool
    """Whether the platform sent it itself: then it may be encrypted."""
    place: dict[str, object]
    """Where it lies, as a dead letter says it: topic, partition and offset, or file and line."""


class Made(NamedTuple):
    """A record for a topic, without prefix."""

    topic: str
    key: str
    value: bytes


class Accounts:
    """The connections of one platform, by name, ready to be asked."""

    def __init__(self, accounts: Iterable[ConnectedAccount], metrics: AdaptMetrics) -> None:
        self._found: dict[str, tuple[ConnectedAccount, Connection, Lookups]] = {}
        for one in accounts:
            lookups = Lookups(one, _LOOKUP_S, metrics.looked_up)
            connection = Connection(one.shop_id, one.shops, one.with_text, lookups.enrich, lookups.bridge)
            self._found[one.name] = one, connection, lookups

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _account, _connection, lookups in self._found.values():
            lookups.close()

    def adapted(self, adapter: Adapter, record: RawRecord) -> Adapted:
        """Return what a payload gives.

        Raises:
            LookupAwayError: a document that it needs cannot be had now.
        """
        found = self._found.get(record.connection)
        if found is None:
            return Adapted((), (Skip(Reason.UNKNOWN_SHOP, "connection"),))
        account, connection, lookups = found
        body = record.body
        if record.by_signature and adapter.signature is not None and adapter.signature.opened is not None:
            try:
                body = adapter.signature.opened(body, account.revealed())
            except UnopenedError:
                return Adapted((), (Skip(Reason.NOT_JSON, "encrypted by another key"),))
            if body.lstrip().startswith(b"<"):  # WeCom's callback says in XML that there is news, and no more
                return Adapted((), (Skip(Reason.IGNORED, "callback"),))
        lookups.received_ms = record.received_ms or 0
        return adapter.adapt(body, connection, record.received_ms)


class Adaptation:
    """The payloads of one partition or file, in their order."""

    def __init__(self, adapter: Adapter, accounts: Accounts, metrics: AdaptMetrics) -> None:
        self._adapter = adapter
        self._accounts = accounts
        self._metrics = metrics
        self._inbox = SharedInbox()
        self._expired_ms = 0
        self._robots: set[tuple[str, str]] = set()

    def take(self, record: RawRecord, *, again: bool = False) -> Iterator[Made]:
        """Return what a payload gives, also of messages before it that it answers.

        ``again``: it was read before, and its dead letters were written.

        Raises:
            LookupAwayError: a document that it needs cannot be had now; nothing has happened, so try again.
        """
        adapted = self._accounts.adapted(self._adapter, record)
        given = self._inbox.take(adapted) if self._adapter.shared_inbox else adapted
        if again:
            yield from self._events(given)
        else:
            self._metrics.took()
            self._tell_robots(given)
            yield from self._events(given)
            yield from self._letters(given, record)
        if record.received_ms is not None:
            yield from self.expire(record.received_ms)

    def expire(self, now_ms: int | None = None) -> Iterator[Made]:
        """Return messages to a shared inbox that nobody answered in time. None: no more payloads come."""
        if not self._adapter.shared_inbox or (now_ms is not None and now_ms < self._expired_ms + MINUTE_MS):
            return
        if now_ms is not None:
            self._expired_ms = now_ms
        expired = self._inbox.expire() if now_ms is None else self._inbox.expire(now_ms)
        for skip in expired.skipped:
            self._metrics.skipped(skip)
        yield from self._events(expired)

    def _events(self, given: Adapted) -> Iterator[Made]:
        for event in given.events:
            topic = ORDERS if isinstance(event, OrderEvent) else CHAT
            self._metrics.gave(topic)
            yield Made(topic, f"{event.shop_id}|{event.buyer_id}", encode_json(event))

    def _letters(self, given: Adapted, record: RawRecord) -> Iterator[Made]:
        for skip in given.skipped:
            self._metrics.skipped(skip)
            if skip.reason in WORTH_A_LOOK:
                letter = {
                    "platform": self._adapter.platform,
                    "connection": record.connection,
                    "reason": skip.reason,
                    "about": skip.about,
                    "message": MEANINGS[skip.reason],
                    **record.place,
                    "received_ts": record.received_ms,
                    "length": len(record.body),
                    "sha256": hashlib.sha256(record.body).hexdigest(),
                }
                yield Made(RAW_DEAD_LETTERS, record.connection, encode_json(letter))

    def _tell_robots(self, given: Adapted) -> None:
        for robot in given.robots:
            if robot not in self._robots:
                self._robots.add(robot)
                logger.info("%s of shop %s is a robot: give it the role `frozen` in the roster", *robot[::-1])
