"""Sends JSON-lines files to the input topics, keyed as RULEBOOK 2 says."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, SETTINGS, TICKS
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.files.jsonl import Line, LinesFile
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.connection import reason_of
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.rules.shop.days import EARLIEST_TS, LATEST_TS

__all__ = [
    "ANY_PARTITION",
    "DELIVERY_TIMEOUT_MS",
    "KEY_FIELDS",
    "Inputs",
    "Pace",
    "Progress",
    "PublishError",
    "Published",
    "Sender",
    "TopicsMissingError",
    "in_step",
    "publish",
    "record_key",
]

KEY_FIELDS = {
    CHAT: ("shop_id", "buyer_id"),
    ORDERS: ("shop_id", "buyer_id"),
    ROSTER: ("shop_id", "agent_id"),
    SETTINGS: ("shop_id",),
}
"""Of what the record key of each input topic is made, joined by ``|``."""

ANY_PARTITION = -1
"""Where its key says."""

_LONGEST_SLEEP_S = 0.1
_LONGEST_GAP_MS = 86_400_000
_REPORT_EVERY = 1000
DELIVERY_TIMEOUT_MS = 120_000
"""How long the broker may take to acknowledge a record; as long as Kafka's own producer waits."""
_LAST_WORDS_S = 5.0
"""How long what is under way may take to arrive when no more is sent."""


Progress = Callable[[int, float], None]
"""Called with how many records the broker has acknowledged, and for how many seconds it has acknowledged none
of those that wait for it."""


class PublishError(StreamAttrError):
    """The broker does not take the records; the message says why."""


class TopicsMissingError(UnusableError, PublishError):
    """The broker has not the topics; nothing was sent. The message says how to make them."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """File names per topic; ``-`` is standard input."""

    chat: Sequence[str] = ()
    orders: Sequence[str] = ()
    roster: Sequence[str] = ()
    settings: Sequence[str] = ()


@dataclass(slots=True)
class Published:
    """What was sent, and what could not be."""

    records: Counter[str] = field(default_factory=Counter)
    """Per topic, without prefix."""
    without_key: int = 0
    """Lines of which no key can be made: sent as they stand to partition 0, to become dead letters."""
    too_long: list[str] = field(default_factory=list)
    """Lines longer than a broker takes, as ``file, line n: …``; not sent."""


class Parsed(NamedTuple):
    """A line, and what of it decides where and when it goes."""

    file: str
    line: Line
    key: str | None
    ts: int | None


class Pace:
    """Event time on a wall clock that runs ``speed`` times as fast; the first event is due at once.

    A jump of more than a day, either way, is not waited for, and the pace begins anew there: one event with a
    wrong time, or very late, must not stop the rest.
    """

    def __init__(self, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._clock = clock
        self._anchor: tuple[int, float] | None = None
        """An event's time, and when it was due."""
        self._last_ts = 0

    def due_at(self, ts: int) -> float:
        """When the next event, of time ``ts``, is due on the clock."""
        if self._anchor is None or abs(ts - self._last_ts) > _LONGEST_GAP_MS:
            self._anchor = (ts, self._clock())
        self._last_ts = ts
        anchor_ts, then = self._anchor
        return then + (ts - anchor_ts) / 1000 / self._speed

    def wait_s(self, due_at: float) -> float:
        """Seconds until then; 0 or less when it has come."""
        return due_at - self._clock()


def record_key(topic: str, document: Any) -> str | None:
    """The key of a parsed line on an input topic (without prefix); None where none can be made."""
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
    progress: Progress = lambda _acknowledged, _silent_s: None,
    published: Published | None = None,
) -> Published:
    """Send the files: settings and roster first, then chat and orders in step, then (``until``) the ticks.

    Returns when the broker has acknowledged everything. ``speed``: so many times their own pace, None: as
    fast as it goes. ``until``: epoch milliseconds. ``delivery_timeout_ms``: how long a record may wait for
    its acknowledgement, the broker being away or not. ``progress``: called now and then.
    ``published``: the account to keep; where it breaks off, whatever by, it says what the broker has taken.

    Raises:
        UnusableFileError: a file cannot be read; those before it may have been sent.
        BrokerUnreachable, PublishError: no broker answers, a topic is missing, or records are not taken.
    """
    account = Published() if published is None else published
    with ExitStack() as stack:

        def opened(topic: str, names: Sequence[str]) -> list[Iterator[tuple[str, Parsed]]]:
            return [_parse(topic, stack.enter_context(LinesFile(name))) for name in names]

        knowledge = opened(SETTINGS, inputs.settings) + opened(ROSTER, inputs.roster)
        events = opened(CHAT, inputs.chat) + opened(ORDERS, inputs.orders)
        topics = _topics(inputs, until)
        sender = Sender(bootstrap, security, prefix, topics, account, delivery_timeout_ms, progress)
        try:
            for source in knowledge:
                for topic, parsed in source:
                    sender.send(topic, parsed)
            sender.flush()
            pace = None if speed is None else Pace(speed)
            for topic, parsed in in_step(events):
                if pace is not None and parsed.ts is not None:
                    sender.idle_until_due(pace, parsed.ts)
                sender.send(topic, parsed)
            sender.flush()
            if until is not None:
                sender.tick(until)
        except BaseException:
            sender.abandon()
            raise
    return account


def _parse(topic: str, lines: LinesFile) -> Iterator[tuple[str, Parsed]]:
    for line in lines:
        try:
            document = orjson.loads(line.value)
        except orjson.JSONDecodeError:
            document = None
        ts = document.get("ts") if isinstance(document, dict) else None
        if type(ts) is not int or not EARLIEST_TS <= ts < LATEST_TS:
            ts = None  # the worker will refuse it; until then it must hold up nobody
        yield topic, Parsed(lines.name, line, record_key(topic, document), ts)


def _topics(inputs: Inputs, until: int | None) -> list[str]:
    wanted = {
        CHAT: bool(inputs.chat),
        ORDERS: bool(inputs.orders),
        ROSTER: bool(inputs.roster),
        SETTINGS: bool(inputs.settings),
        TICKS: until is not None,
    }
    return [topic for topic, used in wanted.items() if used]


class Sender:
    """The producer, and what has been said to it.

    Raises:
        BrokerUnreachable, TopicsMissingError: when made.
        PublishError: from any method, once records are not taken.
    """

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        prefix: str,
        topics: Iterable[str],
        account: Published,
        delivery_timeout_ms: int = DELIVERY_TIMEOUT_MS,
        progress: Progress = lambda _acknowledged, _silent_s: None,
    ) -> None:
        self.published = account
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._progress = progress
        self._sent = self._acknowledged = 0
        self._answered_s = time.monotonic()
        """When the broker last acknowledged something, or had nothing left to acknowledge."""
        self._patience_s = delivery_timeout_ms / 1000
        self._failure: KafkaError | None = None
        names = {prefix + topic for topic in topics}
        self.partitions = partition_counts(bootstrap, names, security)
        """Of each topic, by its name with prefix."""
        if missing := names - self.partitions.keys():
            raise TopicsMissingError(
                f"no topic {', '.join(sorted(missing))} on {bootstrap}; "
                f"make them with: {topics_command(bootstrap, prefix)}"
            )
        self._producer = Producer(
            {
                **security.rdkafka(bootstrap),
                "enable.idempotence": True,  # no doubles and no reordering when a send is repeated
                "partitioner": "murmur2",  # as Java clients: whoever sends, a buyer has one partition
                "linger.ms": 20,
                "delivery.report.only.error": True,
                "delivery.timeout.ms": delivery_timeout_ms,
                "error_cb": self._on_error,
                "on_delivery": self._on_delivery,
                "log_level": 2,
            }
        )

    def send(self, topic: str, parsed: Parsed) -> None:
        """Send a line, by its key; one without a key to partition 0."""
        value = parsed.line.value
        if not self.put(topic, value, parsed.key, ANY_PARTITION if parsed.key is not None else 0):
            self.published.too_long.append(
                f"{parsed.file}, line {parsed.line.number}: {len(value)} bytes are more than a broker takes"
            )
            return
        self.published.without_key += parsed.key is None

    def put(self, topic: str, value: bytes, key: str | bytes | None, partition: int = ANY_PARTITION) -> bool:
        """Send a record as it stands; False: it is longer than a broker takes."""
        try:
            self._produce(topic, value=value, key=key, partition=partition)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise PublishError(
                    f"the broker {self._bootstrap} takes no records: {reason_of(error)}"
                ) from error
            return False
        self.published.records[topic] += 1
        if self._sent % _REPORT_EVERY == 0:
            self._serve(0)
        return True

    def tick(self, ts: int) -> None:
        """Say on every partition that it is now ``ts``."""
        for partition in range(self.partitions[self._prefix + TICKS]):
            self._produce(TICKS, value=orjson.dumps({"ts": ts}), partition=partition)
            self.published.records[TICKS] += 1
        self.flush()

    def idle_until_due(self, pace: Pace, ts: int) -> None:
        due_at = pace.due_at(ts)
        while (wait := pace.wait_s(due_at)) > 0:
            self._serve(0)
            time.sleep(min(wait, _LONGEST_SLEEP_S))  # the client's own pause is by the wall clock

    def flush(self) -> None:
        """Return when everything is acknowledged."""
        while self._producer.flush(0.5):
            self._serve(0)
        self._serve(0)

    def abandon(self) -> None:
        """Send no more; afterwards the account holds what the broker has taken, and no more than that."""
        try:
            if self._failure is None:
                self._producer.flush(_LAST_WORDS_S)
        finally:  # a second Ctrl-C too leaves nothing counted that was not acknowledged
            self._producer.purge()
            self._producer.flush(_LAST_WORDS_S)

    def _produce(self, topic: str, **record: Any) -> None:
        if not len(self._producer):
            self._answered_s = time.monotonic()
        while True:
            try:
                self._producer.produce(self._prefix + topic, **record)
            except BufferError:  # the queue is full: the broker sets the pace
                self._serve(0.1)
            else:
                self._sent += 1
                return

    def _serve(self, timeout_s: float) -> None:
        """Let the client tell what has become of records, waiting so long for it, and show how far it is."""
        self._producer.poll(timeout_s)
        if self._failure is not None:
            if self._failure.code() == KafkaError._MSG_TIMED_OUT:
                reason = f"no acknowledgement within {self._patience_s:,.0f} s (--delivery-timeout)"
            else:
                reason = self._failure.str()
            raise PublishError(f"the broker {self._bootstrap} did not take all records: {reason}")
        waiting, now = len(self._producer), time.monotonic()
        if not waiting or self._sent - waiting > self._acknowledged:
            self._acknowledged, self._answered_s = self._sent - waiting, now
        self._progress(self._acknowledged, now - self._answered_s)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        """Learn of a record that did not arrive."""
        self._failure = self._failure or error
        self.published.records[message.topic().removeprefix(self._prefix)] -= 1

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():  # the rest librdkafka mends by itself, or reports as a delivery that failed
            self._failure = self._failure or error
