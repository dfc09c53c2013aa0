"""Dead letters of the topic or of JSON-lines files: read to the end, and filtered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import msgspec
import orjson
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from stream_attr.codec.surrogates import loads
from stream_attr.contract.topics import DEAD_LETTERS
from stream_attr.files.jsonl import LinesFile, UnusableFileError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.kafka.to_end import UpToEnd
from stream_attr.rules.vocabulary import Code

__all__ = ["DeadLetter", "Found", "LettersOfFiles", "LettersOfTopic", "Selection"]

_GROUP = "stream-attr-dead-letters"
_SETTINGS = {"auto.offset.reset": "earliest"}


class _Letter(msgspec.Struct, gc=False):
    """A record of ``dead-letters`` as ``schemas/dead-letter.schema.json`` describes it."""

    code: Code
    message: str
    field: str | None
    topic: Literal["chat-events", "order-events", "rulings", "ticks", "agent-roster", "shop-settings"]
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
        ValueError: the bytes are not a dead letter; the message names the field.
    """

    def __init__(self, data: bytes) -> None:
        record = _decode(data)
        self.code = record.code
        self.message = record.message
        self.topic: str = record.topic
        """Without prefix."""
        self.partition = record.partition
        self.offset = record.offset
        self.key = record.key_base64
        self.value = record.value_base64
        """What is kept of the record's value; see ``is_complete``."""
        self.length = record.length
        self._file, self._line = record.file, record.line
        self._sha256 = record.sha256

    @property
    def place(self) -> str:
        """Where the record was, for people: topic, partition and offset, or file and line."""
        if self.partition is None:
            return f"{self.topic} {self._file}:{self._line}"
        return f"{self.topic} {self.partition}@{self.offset}"

    @cached_property
    def document(self) -> Any:
        """The value as JSON; None: it is not JSON."""
        try:
            return loads(self.value or b"")
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
    def is_complete(self) -> bool:
        """Whether the whole value is kept."""
        return self.value is None or len(self.value) == self.length

    @property
    def is_original(self) -> bool:
        """Whether the bytes kept are the bytes that were sent."""
        return self.value is not None and sha256(self.value).hexdigest() == self._sha256


class Found(NamedTuple):
    """A dead letter as it was read."""

    letter: DeadLetter
    data: bytes
    """The record's value, unchanged."""
    refused_ts: int | None
    """When the worker sent it, epoch milliseconds; None: read from a file, which does not tell."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter of dead letters; a field that is None or empty matches all."""

    codes: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    partition: int | None = None
    offsets: tuple[int, int] | None = None
    """First and last offset, both included."""
    shop_id: str | None = None
    since: int | None = None
    """Refused at this time or later, epoch milliseconds."""
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
        UnusableFileError: on construction or iteration: a file cannot be read, or a line is not a dead
            letter.
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
                            f"{file.name}: line {line.number} is not a dead letter: {error}"
                        ) from error


class LettersOfTopic:
    """The dead letters of a broker, up to the ends of the partitions at the first fetch.

    So a record that is sent again and refused again meanwhile is not read a second time.

    Raises:
        BrokerUnreachable: on construction or iteration.
        TopicsMissingError: on construction.
    """

    def __init__(self, bootstrap: str, prefix: str = "", security: Security = UNSECURED) -> None:
        self.problems: list[str] = []
        """What could not be read, as sentences; complete after the iteration."""
        self._bootstrap = bootstrap
        self._security = security
        self._name = prefix + DEAD_LETTERS
        counts = partition_counts(bootstrap, [self._name], security)
        if self._name not in counts:
            raise TopicsMissingError(
                f"no topic {self._name} on {bootstrap}; create it with: {topics_command(bootstrap, prefix)}"
            )
        self._partitions = range(counts[self._name])

    def __iter__(self) -> Iterator[Found]:
        beginning = (TopicPartition(self._name, n, OFFSET_BEGINNING) for n in self._partitions)
        records = UpToEnd(self._bootstrap, self._security, _GROUP, beginning, _SETTINGS)
        foreign = 0
        for message in records:
            data = message.value() or b""
            try:
                yield Found(DeadLetter(data), data, message.timestamp()[1])
            except ValueError:
                foreign += 1
        self.problems += records.problems
        if foreign:
            self.problems.append(f"{foreign:,} records of {self._name} are not dead letters")
