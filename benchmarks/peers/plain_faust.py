"""The peer: the same judging as one would first write it with Faust, event by event. Run as a script.

One agent over chat and orders; each event is judged by our own processor, each changed state written to a
Faust table (in memory, with its changelog), each output sent. Everything that Faust has a setting for is left
as it is, but for the producer's linger and what lets it start within seconds. It is spared what the worker
does beside: transactions, the source offsets kept with the state, reading the two topics in step, RocksDB,
settings and roster from their topics (it reads the files).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faust

from stream_attr.broker.lines import LinesFile
from stream_attr.processor import Book, Options, Processor
from stream_attr.processor.records import (
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    ORDERS,
    ROSTER,
    SETTINGS,
    Record,
)

LINGER_MS = 20
"""Faust's own default, 0, makes a request of each record; nobody would leave it at that."""
NOT_AT_END: frozenset[str] = frozenset()


class TableStore:
    """A Faust table as the processor's store."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, key: bytes) -> bytes | None:
        """Return the stored bytes of a buyer, or None."""
        value: bytes | None = self._table.get(key)
        return value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield nothing: this peer starts from nothing, and only once."""
        return iter(())


def build(said: argparse.Namespace) -> faust.App:
    """Build the app."""
    app = faust.App(
        said.prefix + "plain-faust",
        broker=f"kafka://{said.broker}",
        store="memory://",
        datadir=str(said.data_dir),
        topic_partitions=said.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        broker_session_timeout=said.session_timeout,
        broker_heartbeat_interval=said.session_timeout / 8,
        consumer_auto_offset_reset="earliest",
        producer_linger_ms=LINGER_MS,
        web_enabled=False,
    )
    events = app.topic(
        *(said.prefix + topic for topic in (CHAT, ORDERS)), key_serializer="raw", value_serializer="raw"
    )
    outputs = {
        topic: app.topic(
            said.prefix + topic,
            key_serializer="raw",
            value_serializer="raw",
            partitions=said.partitions,
        )
        for topic in (DECISIONS, COMPARISONS, DEAD_LETTERS)
    }
    table = app.Table("buyer-state", partitions=said.partitions, key_type=bytes, value_type=bytes)
    book = _book(said.settings, said.roster)
    processors: dict[int, Processor] = {}

    @app.agent(events)
    async def judge(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            processor = processors.get(message.partition)
            if processor is None:
                processor = processors[message.partition] = Processor(
                    book, TableStore(table), Options(reports=False)
                )
            record = Record(
                message.topic.removeprefix(said.prefix),
                message.partition,
                message.offset,
                int(message.timestamp * 1000),
                message.key,
                message.value,
            )
            batch = processor.process([record], NOT_AT_END)
            for key, state in batch.changes.items():
                if state is None:
                    table.pop(key, None)
                else:
                    table[key] = state
            for output in batch.outputs:
                await outputs[output.topic].send(key=output.key, value=output.value)

    return app


def _book(settings: Path, roster: Path) -> Book:
    book = Book()
    for topic, path in ((SETTINGS, settings), (ROSTER, roster)):
        with LinesFile(str(path)) as lines:
            for number, value in lines:
                book.apply(Record(topic, 0, number, 0, None, value))
    return book


def main() -> None:
    """Run it until it is ended from outside."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--session-timeout", type=float, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--roster", type=Path, required=True)
    app = build(parser.parse_args())
    sys.argv[1:] = ["worker", "--loglevel", "ERROR", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
