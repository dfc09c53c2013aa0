"""Events of topics into a folder of stored events, once: the next run goes on where this one stopped.

Bytes are added to files, then the state names their lengths and the next offsets; a run that was killed in
between leaves bytes that no state names, which the next one cuts off. So every record is there once.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from confluent_kafka import Message, TopicPartition

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import loads
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.ruling import RulingEvent
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS
from stream_attr.errors import UnusableError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.connection import BROKER_TIMEOUT_S, connect
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.kafka.to_end import NoSuchOffsetError, UpToEnd
from stream_attr.kafka.topic_ids import topic_ids
from stream_attr.lab.event_folder import STATE, VERSION, EventFolder, Reached, State, file_of, folder_name
from stream_attr.processor import ShopRegistry
from stream_attr.rules.vocabulary import Code

__all__ = ["STORED", "Broker", "Exported", "export"]

BATCH_BYTES: Final = 64 << 20
"""So much is sorted by time and written at once."""
_GROUP: Final = "stream-attr-lab"
_LOCK: Final = "export.lock"
_OF_SHOPS: Final = (SETTINGS, ROSTER)
_EVENTS: Final = (CHAT, ORDERS, RULINGS)
STORED: Final = (*_OF_SHOPS, *_EVENTS)
"""The topics that are stored."""
_DECODERS: Final[dict[str, Callable[[bytes | None], ChatEvent | OrderEvent | RulingEvent]]] = {
    CHAT: decode_chat,
    ORDERS: decode_order,
    RULINGS: decode_ruling,
}


class Broker(NamedTuple):
    """Where the topics are."""

    bootstrap: str
    security: Security
    prefix: str


class Exported(NamedTuple):
    """What a run has done."""

    records: Counter[str]
    """That were added, by topic; of settings and roster all that there are."""
    refused: Counter[str]
    """Records that cannot be used, by code: they are in the dead letters, and not stored."""
    problems: list[str]
    """What is not complete, as sentences."""


def export(broker: Broker, folder: Path, progress: Callable[[int], None] = lambda _records: None) -> Exported:
    """Store what has come on the topics since the last run, up to their present ends.

    ``progress`` is called with the number of records read so far.

    Raises:
        UnusableError: the folder cannot be used, is of other topics, or another run is at work in it.
        BrokerUnreachable, TopicsMissingError: the topics cannot be read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _alone(folder):
            return _Run(broker, folder, progress).run()
    except OSError as error:
        raise UnusableError(f"{error.filename or folder}: {error.strerror or error}") from error


class _Run:
    """One run."""

    def __init__(self, broker: Broker, folder: Path, progress: Callable[[int], None]) -> None:
        self._broker = broker
        self._folder = folder
        self._progress = progress
        self._done = Exported(Counter(), Counter(), [])
        self._read = 0
        self._partitions, self._ids = self._topics()
        self._shops: dict[str, str] = {}
        self._offsets: dict[str, dict[int, int]] = {topic: {} for topic in _EVENTS}
        self._lengths: dict[str, int] = {}
        if (folder / STATE).exists():
            self._go_on_from(EventFolder(folder).state)

    def run(self) -> Exported:
        """Read and write everything."""
        self._cut()
        self._rewrite()
        for topic in _EVENTS:
            self._add(topic)
        self._keep()  # also where nothing came: it is a folder of stored events now
        return self._done

    def _topics(self) -> tuple[dict[str, int], dict[str, str]]:
        """Return how many partitions each topic has, and their ids where the broker has some."""
        bootstrap, security, prefix = self._broker
        admin, cluster = connect(bootstrap, security)
        names = {prefix + topic: topic for topic in STORED}
        if missing := sorted(names.keys() - cluster.topics.keys()):
            raise TopicsMissingError(
                f"no topic {', '.join(missing)} on {bootstrap}; "
                f"create them with: {topics_command(bootstrap, prefix)}"
            )
        ids = topic_ids(admin, names, BROKER_TIMEOUT_S, missing=False)
        return (
            {topic: len(cluster.topics[name].partitions) for name, topic in names.items()},
            {names[name]: one for name, one in ids.items()},
        )

    def _go_on_from(self, state: State) -> None:
        for topic, reached in state.topics.items():
            now = self._ids.get(topic)
            if None not in (now, reached.topic_id) and now != reached.topic_id:
                raise UnusableError(
                    f"{self._broker.prefix}{topic} on {self._broker.bootstrap} is another topic than the one "
                    f"whose events {self._folder} holds: name the right broker, or another folder with --out"
                )
            self._offsets[topic] = dict(reached.offsets)
        self._shops, self._lengths = dict(state.shops), dict(state.lengths)

    def _cut(self) -> None:
        """Take away what a run that was killed has added."""
        for topic in (CHAT, ORDERS):
            for file in self._folder.glob(f"shops/*/{topic}/*.jsonl"):
                self._cut_file(file)
        for file in self._folder.glob(f"shops/*/{RULINGS}.jsonl"):
            self._cut_file(file)

    def _cut_file(self, file: Path) -> None:
        length = self._lengths.get(str(file.relative_to(self._folder)))
        if length is None:
            file.unlink()
        elif file.stat().st_size < length:
            raise UnusableError(
                f"{file} is shorter than it was: copy it back, or export again into another folder"
            )
        else:
            os.truncate(file, length)

    def _rewrite(self) -> None:
        """Write settings and roster as workers accept them, in whole: they are few."""
        bootstrap, security, prefix = self._broker
        registry = ShopRegistry()
        lines: dict[tuple[str, str], list[bytes]] = {}
        for record in read_shop_records(bootstrap, prefix, security):
            letter = registry.apply(record)
            if letter is not None:
                self._done.refused[loads(letter.value)["code"]] += 1
                continue
            assert record.value is not None
            shop_id = loads(record.value)["shop_id"]
            lines.setdefault((shop_id, record.topic), []).append(_line(record.value))
            self._done.records[record.topic] += 1
        for (shop_id, topic), of_shop in lines.items():
            file = self._folder / file_of(self._folder_of(shop_id), topic, 0)
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, b"".join(of_shop))

    def _add(self, topic: str) -> None:
        """Add what has come of a topic's events."""
        decode = _DECODERS[topic]
        offsets = self._offsets[topic]
        batch: list[tuple[int, str, bytes]] = []
        size = 0
        for message in self._messages(topic, offsets):
            offsets[int(message.partition() or 0)] = int(message.offset() or 0) + 1
            value = message.value()
            try:
                event = decode(value)
            except RefusedRecord as refusal:
                self._done.refused[refusal.code.value] += 1
                continue
            if message.key() != f"{event.shop_id}|{event.buyer_id}".encode():
                self._done.refused[Code.KEY_MISMATCH.value] += 1
                continue
            assert value is not None
            batch.append((event.ts, file_of(self._folder_of(event.shop_id), topic, event.ts), _line(value)))
            size += len(value)
            if size >= BATCH_BYTES:
                self._write(topic, batch)
                batch, size = [], 0
        if batch:
            self._write(topic, batch)

    def _messages(self, topic: str, offsets: dict[int, int]) -> Iterator[Message]:
        """Yield what a topic holds from these offsets on; what has been deleted meanwhile is an error."""
        bootstrap, security, prefix = self._broker
        begins = {number: offsets.get(number, 0) for number in range(self._partitions[topic])}
        while True:
            positions = [TopicPartition(prefix + topic, number, begin) for number, begin in begins.items()]
            records = UpToEnd(bootstrap, security, prefix + _GROUP, positions)
            try:
                for message in records:
                    begins[int(message.partition() or 0)] = int(message.offset() or 0) + 1
                    self._read += 1
                    yield message
                    self._progress(self._read)
            except NoSuchOffsetError as error:
                self._skip(error, begins, offsets)
            else:
                self._done.problems.extend(records.problems)
                return

    def _skip(self, error: NoSuchOffsetError, begins: dict[int, int], offsets: dict[int, int]) -> None:
        """Go on where a partition begins now; raise where it ends before what is stored."""
        name, number = error.partition
        if begins[number] > error.end:
            raise UnusableError(
                f"partition {number} of {name} ends at offset {error.end}, and {self._folder} has it up to "
                f"{begins[number]}: the broker has lost records; export again into another folder"
            )
        if number in offsets:
            self._done.problems.append(
                f"partition {number} of {name} begins at offset {error.first}: the records from "
                f"{begins[number]} on were deleted before they were stored; run this more often than the "
                "topic's retention"
            )
        begins[number] = error.first

    def _write(self, topic: str, batch: list[tuple[int, str, bytes]]) -> None:
        """Add records to their files, by time, and keep that they are there."""
        parts: dict[str, list[bytes]] = {}
        for _, name, line in sorted(batch, key=lambda one: one[0]):
            parts.setdefault(name, []).append(line)
        for name, lines in parts.items():
            file = self._folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("ab") as out:
                out.writelines(lines)
                out.flush()
                os.fsync(out.fileno())
                self._lengths[name] = out.tell()
        self._done.records[topic] += len(batch)
        self._keep()

    def _keep(self) -> None:
        topics = {topic: Reached(self._ids.get(topic), offsets) for topic, offsets in self._offsets.items()}
        state = State(VERSION, self._shops, topics, self._lengths)
        _replace(self._folder / STATE, msgspec.json.encode(state))

    def _folder_of(self, shop_id: str) -> str:
        own = self._shops.get(shop_id)
        if own is None:
            own = self._shops[shop_id] = folder_name(shop_id)
        return own


def _line(value: bytes) -> bytes:
    """Return JSON as one line: a line end in it stands between its parts, never in a string."""
    return value.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _replace(file: Path, content: bytes) -> None:
    """Replace a file, all of it or nothing."""
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; raise where one is at work in it."""
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnusableError(f"{folder} is in use by another stream-attr lab export") from None
        yield
