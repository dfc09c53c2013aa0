"""``adapt`` as a service on the raw topic, or once over files of raw records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from stream_attr.adapters.adapter import Adapter
from stream_attr.contract.raw_topics import RAW_DEAD_LETTERS
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.files.atomic import atomic_files
from stream_attr.files.jsonl import LinesFile, UnusableFileError
from stream_attr.gateway.adapt_metrics import AdaptMetrics
from stream_attr.gateway.adapt_stream import AdaptStream, send
from stream_attr.gateway.adaptation import Accounts, Adaptation, Made, RawRecord
from stream_attr.gateway.connections import ConnectedAccount
from stream_attr.gateway.raw_record import BY_SIGNATURE
from stream_attr.gateway.web import serving, watched
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import Published, Sender

__all__ = ["adapt_files", "adapt_topic", "into_folder", "into_topics"]

_FILES = {CHAT: "chat", ORDERS: "orders", RAW_DEAD_LETTERS: RAW_DEAD_LETTERS}

Take = Callable[[Iterable[Made]], None]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    connection: str
    body: msgspec.Raw
    received_ts: int | None = None
    by: Literal["signature", "token"] = "token"


_decode = msgspec.json.Decoder(_Line).decode


def adapt_topic(
    adapter: Adapter,
    accounts: Iterable[ConnectedAccount],
    topics: tuple[str, Security, str],
    web: tuple[str, int, Secret | None],
    *,
    since_ms: int | None,
    stop: threading.Event,
) -> None:
    """Make events of the raw topic until it is stopped.

    Raises:
        BrokerUnreachable, TopicsMissingError, PortUnusableError: on beginning.
        StreamAttrError: see `AdaptStream.run`.
    """
    metrics = AdaptMetrics(adapter.platform)
    host, port, token = web
    with Accounts(accounts, metrics) as ready:
        stream = AdaptStream(adapter, ready, topics, metrics, since_ms=since_ms, stop=stop)
        pages = watched(metrics.registry, lambda: stream.reason, token)
        with serving(pages, host, port, "--web-host and --web-port"):
            stream.run()


def adapt_files(
    adapter: Adapter, accounts: Iterable[ConnectedAccount], names: Sequence[str], take: Take
) -> str:
    """Make events of files of raw records, one a line, in their order; returns how many of what.

    Raises:
        UnusableFileError: a file or a line of it cannot be read.
        LookupAwayError: a document that a payload needs cannot be had now.
    """
    metrics = AdaptMetrics(adapter.platform)
    with Accounts(accounts, metrics) as ready:
        adaptation = Adaptation(adapter, ready, metrics)
        for name in names:
            for record in _records(name):
                take(adaptation.take(record))
        take(adaptation.expire())
    return metrics.summary()


def into_topics(topics: tuple[str, Security, str]) -> tuple[Take, Callable[[], None]]:
    """Return what sends to the topics of an installation, and what waits until all is acknowledged.

    Raises:
        BrokerUnreachable, TopicsMissingError: the broker or a topic is not there.
    """
    sender = Sender(*topics, (CHAT, ORDERS, RAW_DEAD_LETTERS), Published())
    return lambda records: send(sender, records), sender.flush


def into_folder(folder: Path, adapt: Callable[[Take], str]) -> str:
    """Write ``chat.jsonl``, ``orders.jsonl`` and ``raw-dead-letters.jsonl`` to a folder, all or none.

    Returns what ``adapt`` does.

    Raises:
        UnusableFileError: the folder cannot be written.
    """
    with atomic_files(folder, _FILES.values()) as opened:

        def write(records: Iterable[Made]) -> None:
            for topic, _, value in records:
                opened[_FILES[topic]].write(value + b"\n")

        return adapt(write)


def _records(name: str) -> Iterator[RawRecord]:
    with LinesFile(name) as lines:
        for number, value in lines:
            try:
                line = _decode(value)
                raw = bytes(line.body)
                body = msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw
            except (msgspec.DecodeError, UnicodeError) as error:
                raise UnusableFileError(f"{name}, line {number}: no raw record: {error}") from error
            place: dict[str, object] = {"file": name, "line": number}
            yield RawRecord(line.connection, body, line.received_ts, line.by == BY_SIGNATURE, place)
