"""Sends JSON-lines files to the input topics, keyed as RULEBOOK 2 says."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from stream_attr.codec.surrogates import loads
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.errors import StreamAttrError
from stream_attr.files.jsonl import Line, LinesFile
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.kafka.sender import ANY_PARTITION, DELIVERY_TIMEOUT_MS, Progress, Published, Sender
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.processor import ShopRegistry
from stream_attr.processor.intake import AHEAD_OF_CLOCK_MS
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["KEY_FIELDS", "Inputs", "Pace", "Parsed", "in_step", "publish", "record_key"]

KEY_FIELDS = {
    CHAT: ("shop_id", "buyer_id"),
    ORDERS: ("shop_id", "buyer_id"),
    RULINGS: ("shop_id", "buyer_id"),
    ROSTER: ("shop_id", "agent_id"),
    SETTINGS: ("shop_id",),
}
"""The fields that form the record key of each input topic, joined by ``|``."""


class RefusedShopRecordsError(StreamAttrError):
    """Settings or roster records that workers would refuse; each argument is one, with file and line."""


_MAX_SLEEP_S = 0.1
_MAX_GAP_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """File names per topic; ``-`` is standard input."""

    chat: Sequence[str] = ()
    orders: Sequence[str] = ()
    roster: Sequence[str] = ()
    settings: Sequence[str] = ()
    rulings: Sequence[str] = ()


class Parsed(NamedTuple):
    """A line, with what determines where and when it is sent."""

    file: str
    line: Line
    key: str | None
    """None: the line yields no key."""
    ts: int | None
    """Event time, epoch milliseconds; None: the line has none that is usable, or one of the future."""


class Pace:
    """Maps event time to a wall clock that runs ``speed`` times as fast; the first event is due at once.

    A jump of more than a day, in either direction, is not waited for, and the pace restarts there: one event
    with a wrong time, or a very late one, must not delay the rest.
    """

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._clock = clock
        self._anchor: tuple[int, float] | None = None
        """An event's time, and when it was due."""
        self._last_ts = 0

    def due_at(self, ts: int) -> float:
        """When the next event, of time ``ts``, is due on the clock."""
        if self._anchor is None or abs(ts - self._last_ts) > _MAX_GAP_MS:
            self._anchor = (ts, self._clock())
        self._last_ts = ts
        anchor_ts, then = self._anchor
        return then + (ts - anchor_ts) / 1000 / self._speed

    def wait_s(self, due_at: float) -> float:
        """Seconds until then; 0 or less when it has come."""
        return due_at - self._clock()


def record_key(topic: str, document: Any) -> str | None:
    """The key of a parsed line on an input topic (without prefix); None: the line yields none."""
    if not isinstance(document, dict):
        return None
    parts = [part for name in KEY_FIELDS[topic] if isinstance(part := document.get(name), str)]
    return "|".join(parts) if len(parts) == len(KEY_FIELDS[topic]) else None


def in_step(sources: Iterable[Iterator[tuple[str, Parsed]]]) -> Iterator[tuple[str, Parsed]]:
    """Merge by event time, each source in its own order; a line without a usable ``ts`` goes at once."""
    return heapq.merge(*sources, key=lambda item: -1 if item[1].ts is None else item[1].ts)


def publish(
    bootstrap: str,
    inputs: Inputs,
    *,
    prefix: str = "",
    security: Security = UNSECURED,
    speed: float | None = None,
    until: int | None = None,
    delivery_timeout_ms: int = DELIVERY_TIMEOUT_MS,
    send_refused: bool = False,
    accept_future: bool = False,
    progress: Progress = lambda _acknowledged, _silent_s: None,
    published: Published | None = None,
) -> Published:
    """Send the files: settings and roster first, then chat, orders and rulings merged by time, then ticks.

    Settings and roster are checked before anything is sent, by the records that are on their topics already:
    one that a worker would refuse ends it here. One that would be refused and is on its topic already, from
    an earlier call, is not sent again. ``send_refused``: all are sent; what is refused becomes dead letters.
    ``accept_future``: events ahead of the wall clock are sent in the order of time as all others; else they
    are sent as soon as they come up, and delay nothing.

    Returns when the broker has acknowledged everything. ``speed``: a multiple of the events' own pace; None:
    as fast as possible. ``until``: the time of the ticks, epoch milliseconds; None: no ticks.
    ``delivery_timeout_ms``: how long a record may wait for its acknowledgement, whether or not the broker is
    reachable. ``published``: the account to fill; after an exception it holds what the broker acknowledged.

    Raises:
        UnusableFileError: a file cannot be read; those before it may have been sent.
        RefusedShopRecordsError: settings or roster records would be refused; nothing was sent.
        BrokerUnreachable, PublishError: no broker answers, a topic is missing, or records are refused.
    """
    account = Published() if published is None else published
    with ExitStack() as stack:

        def opened(topic: str, names: Sequence[str]) -> list[Iterator[tuple[str, Parsed]]]:
            return [
                _parse(topic, stack.enter_context(LinesFile(name)), account, accept_future=accept_future)
                for name in names
            ]

        tables = [
            *itertools.chain.from_iterable(opened(SETTINGS, inputs.settings) + opened(ROSTER, inputs.roster))
        ]
        events = [
            *opened(CHAT, inputs.chat),
            *opened(ORDERS, inputs.orders),
            *opened(RULINGS, inputs.rulings),
        ]
        topics = _topics(inputs, until)
        sender = Sender(bootstrap, security, prefix, topics, account, delivery_timeout_ms, progress)
        try:
            if tables and not send_refused:
                tables = _accepted(tables, read_shop_records(bootstrap, prefix, security), account)
            for topic, parsed in tables:
                _send(sender, topic, parsed)
            sender.flush()
            pace = None if speed is None else Pace(speed)
            for topic, parsed in in_step(events):
                if pace is not None and parsed.ts is not None:
                    _wait_until_due(sender, pace, parsed.ts)
                _send(sender, topic, parsed)
            sender.flush()
            if until is not None:
                sender.tick(until)
        except BaseException:
            sender.abandon()
            raise
    return account


def _accepted(
    lines: list[tuple[str, Parsed]], history: Iterable[Record], account: Published
) -> list[tuple[str, Parsed]]:
    """Return the settings and roster lines to send; raise if a worker would refuse one after ``history``."""
    registry = ShopRegistry()
    present = {(record.topic, record.value) for record in history if registry.apply(record) is None}
    now = wall_clock_ms()
    accepted, problems = [], []
    for topic, parsed in lines:
        value = parsed.line.value
        key = None if parsed.key is None else parsed.key.encode(errors="replace")
        letter = registry.apply(Record(topic, 0, 0, now, key, value))
        if letter is None:
            accepted.append((topic, parsed))
        elif (topic, value) in present:
            account.present += 1
        else:
            refusal = orjson.loads(letter.value)
            field = refusal["field"]
            named = f"{refusal['code']}: {field}: " if field else f"{refusal['code']}: "
            message = refusal["message"].removeprefix(f"`{field}`: ")
            problems.append(f"{parsed.file}:{parsed.line.number}: {named}{message}")
    if problems:
        remedy = (
            "a worker would refuse these records; --send-refused sends them all the same, as dead letters"
        )
        raise RefusedShopRecordsError(*problems, remedy)
    return accepted


def _parse(
    topic: str, lines: LinesFile, account: Published, *, accept_future: bool
) -> Iterator[tuple[str, Parsed]]:
    latest = LATEST_TS if accept_future else _latest_ts()
    for line in lines:
        try:
            document = loads(line.value)
        except orjson.JSONDecodeError:
            document = None
        ts = document.get("ts") if isinstance(document, dict) else None
        if type(ts) is not int or not EARLIEST_TS <= ts < LATEST_TS:
            ts = None  # the worker will refuse it; until then it must delay nothing
        elif ts > latest and ts > (latest := _latest_ts()):
            ts = None
            account.of_future += 1
        yield topic, Parsed(lines.name, line, record_key(topic, document), ts)


def _latest_ts() -> int:
    """Return the time after which an event is of the future now."""
    return wall_clock_ms() + AHEAD_OF_CLOCK_MS


def _topics(inputs: Inputs, until: int | None) -> list[str]:
    wanted = {
        CHAT: bool(inputs.chat),
        ORDERS: bool(inputs.orders),
        RULINGS: bool(inputs.rulings),
        ROSTER: bool(inputs.roster),
        SETTINGS: bool(inputs.settings),
        TICKS: until is not None,
    }
    return [topic for topic, used in wanted.items() if used]


def _send(sender: Sender, topic: str, parsed: Parsed) -> None:
    """Send a line to the partition of its key; one without a key to partition 0."""
    value, published = parsed.line.value, sender.published
    if sender.send(topic, value, parsed.key, ANY_PARTITION if parsed.key is not None else 0):
        published.without_key += parsed.key is None
    else:
        published.too_long.append(
            f"{parsed.file}, line {parsed.line.number}: {len(value)} bytes are more than the broker accepts"
        )


def _wait_until_due(sender: Sender, pace: Pace, ts: int) -> None:
    due_at = pace.due_at(ts)
    while (wait := pace.wait_s(due_at)) > 0:
        sender.poll(0)
        time.sleep(min(wait, _MAX_SLEEP_S))  # the client's own pause depends on the wall clock
