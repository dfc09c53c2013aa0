"""Dead letters as they lie on their topic, or in files of JSON lines: read to the end, and chosen from."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import msgspec
import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from stream_attr.contract.topics import DEAD_LETTERS
from stream_attr.files.jsonl import LinesFile, UnusableFileError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.clients import consume
from stream_attr.kafka.connection import BrokerUnreachable, reason_of, unreachable
from stream_attr.kafka.publish import TopicsMissingError
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.rules.vocabulary import Code

__all__ = ["DeadLetter", "Found", "LettersOfFiles", "LettersOfTopic", "Selection"]

_BATCH = 1_000
_POLL_S = 0.2
_SILENCE_S = 10.0
"""Who hears nothing for so long asks whether anybody is there."""
_ASKING_S = 5.0


class _Letter(msgspec.Struct, gc=False):
    """A record of ``dead-letters`` as ``schemas/dead-letter.schema.json`` describes it."""

    code: Code
    message: str
    field: str | None
    topic: Literal["chat-events", "order-events", "ticks", "agent-roster", "shop-settings"]
    partition: int | None
    offset: int | None
    file: str | None
    line: int | None
    key_base64: bytes | None
    value_base64: bytes | None
    length: int | None
    sha256: str | None


_decode = msgspec.json.Decoder(_Letter).decode


class DeadLetter:
    """A record that could not be used, and why.

    Raises:
        ValueError: when made of bytes that are no dead letter; the message names the field.
    """

    def __init__(self, data: bytes) -> None:
        said = _decode(data)
        self.code = said.code
        self.message = said.message
        self.topic: str = said.topic
        """Without prefix."""
        self.partition = said.partition
        self.offset = said.offset
        self.key = said.key_base64
        self.value = said.value_base64
        """What is kept of it; see ``is_whole``."""
        self.length = said.length
        self._file, self._line = said.file, said.line
        self._sha256 = said.sha256

    @property
    def place(self) -> str:
        """Where the record lay, for people."""
        if self.partition is None:
            return f"{self.topic} {self._file}:{self._line}"
        return f"{self.topic} {self.partition}@{self.offset}"

    @cached_property
    def document(self) -> Any:
        """The value as JSON; None where it is none."""
        try:
            return orjson.loads(self.value or b"")
        except orjson.JSONDecodeError:
            return None

    @property
    def shop_id(self) -> str | None:
        """The shop that the value names, else the key."""
        named = self.document.get("shop_id") if isinstance(self.document, dict) else None
        if isinstance(named, str):
            return named
        return None if self.key is None else self.key.partition(b"|")[0].decode(errors="replace")

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the value is missing."""
        return self.value is None or len(self.value) == self.length

    @property
    def is_original(self) -> bool:
        """Whether the bytes kept are those that were sent."""
        return self.value is not None and sha256(self.value).hexdigest() == self._sha256


class Found(NamedTuple):
    """A dead letter where it was found."""

    letter: DeadLetter
    data: bytes
    """As it stands."""
    refused_ts: int | None
    """When the worker sent it, epoch milliseconds; None: from a file, which does not say."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant; what is None or empty does not narrow it."""

    codes: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    partition: int | None = None
    offsets: tuple[int, int] | None = None
    """The first and the last."""
    shop_id: str | None = None
    since: int | None = None
    """Refused then or later, epoch milliseconds."""
    before: int | None = None

    def __contains__(self, found: Found) -> bool:
        letter, ts = found.letter, found.refused_ts
        return (
            (not self.codes or letter.code.value in self.codes)
            and (not self.topics or letter.topic in self.topics)
            and (self.partition is None or letter.partition == self.partition)
            and (
                self.offsets is None
                or (letter.offset is not None and self.offsets[0] <= letter.offset <= self.offsets[1])
            )
            and (self.since is None or (ts is not None and ts >= self.since))
            and (self.before is None or (ts is not None and ts < self.before))
            and (self.shop_id is None or letter.shop_id == self.shop_id)
        )


class LettersOfFiles:
    """The dead letters of files, such as ``replay`` and ``dead-letters list --json`` write.

    Raises:
        UnusableFileError: when made, or while read: a file cannot be read, or a line is no dead letter.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._files = [LinesFile(name) for name in names]
        self.problems: list[str] = []

    def __iter__(self) -> Iterator[Found]:
        for file in self._files:
            with file:
                for line in file:
                    try:
                        yield Found(DeadLetter(line.value), line.value, None)
                    except ValueError as error:
                        raise UnusableFileError(
                            f"{file.name}: line {line.number} is no dead letter: {error}"
                        ) from error


class LettersOfTopic:
    """The dead letters of a broker, up to the ends that the partitions have when they are first read.

    So what is refused again while they are being sent again is not met a second time.

    Raises:
        BrokerUnreachable: when made, or while read.
        TopicsMissingError: when made.
    """

    def __init__(self, bootstrap: str, prefix: str = "", security: Security = UNSECURED) -> None:
        self.problems: list[str] = []
        """What could not be read, as sentences; complete once all is read."""
        self._bootstrap = bootstrap
        self._security = security
        self._name = prefix + DEAD_LETTERS
        counts = partition_counts(bootstrap, [self._name], security)
        if self._name not in counts:
            raise TopicsMissingError(
                f"no topic {self._name} on {bootstrap}; make it with: {topics_command(bootstrap, prefix)}"
            )
        self._partitions = range(counts[self._name])

    def __iter__(self) -> Iterator[Found]:
        consumer = self._consumer()
        try:
            consumer.assign([TopicPartition(self._name, n, OFFSET_BEGINNING) for n in self._partitions])
            yield from self._read(consumer)
        finally:
            consumer.close()

    def _read(self, consumer: Consumer) -> Iterator[Found]:
        left = set(self._partitions)
        ends: dict[int, int] = {}
        foreign = 0
        heard = time.monotonic()
        while left:
            for message in consume(consumer, _BATCH, _POLL_S):
                heard = time.monotonic()
                number, error = message.partition(), message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise BrokerUnreachable(f"{self._name} cannot be read: {error.str()}")
                    left.discard(number)
                    continue
                if number not in ends:  # while records keep coming in, the client reports no end
                    place = TopicPartition(self._name, number)
                    ends[number] = consumer.get_watermark_offsets(place, cached=True)[1]
                if message.offset() + 1 >= ends[number]:
                    left.discard(number)
                if message.offset() >= ends[number]:
                    continue
                data = message.value() or b""
                try:
                    yield Found(DeadLetter(data), data, message.timestamp()[1])
                except ValueError:
                    foreign += 1
            if left and time.monotonic() - heard > _SILENCE_S:
                self._require_leaders(consumer, left)
                self.problems.append(
                    f"{self._name} is not read to its end, a transaction on it is still open: partitions "
                    f"{', '.join(map(str, sorted(left)))}; try again"
                )
                break
        if foreign:
            self.problems.append(f"{foreign:,} records of {self._name} are no dead letters")

    def _require_leaders(self, consumer: Consumer, partitions: Iterable[int]) -> None:
        """Raise if nobody answers, or a partition's leader is not there or not reached."""
        try:
            cluster = consumer.list_topics(self._name, timeout=_ASKING_S)
        except KafkaException as error:
            raise BrokerUnreachable(
                f"the broker {self._bootstrap} does not answer any more: {reason_of(error)}"
            ) from error
        leaders = {number: cluster.topics[self._name].partitions[number].leader for number in partitions}
        if without := [number for number, leader in leaders.items() if leader not in cluster.brokers]:
            raise BrokerUnreachable(
                f"{self._name} cannot be read: partitions {', '.join(map(str, sorted(without)))} have no "
                "leader; start the brokers that hold them"
            )
        brokers = [cluster.brokers[leader] for leader in sorted(set(leaders.values()))]
        if problems := unreachable(brokers, cluster.cluster_id, self._bootstrap, self._security):
            raise BrokerUnreachable(f"{self._name} cannot be read: {problems[0]}")

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                **self._security.rdkafka(self._bootstrap),
                "group.id": "stream-attr-dead-letters",  # demanded by the client; nobody joins or commits
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 16_384,
                "error_cb": lambda _: None,  # a broker that is away is noticed by its silence
                "log_level": 0,
            }
        )
