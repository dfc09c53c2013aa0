"""What all peers in Python share: their arguments, our judging, and where they keep its state.

A peer is the same judging in another engine, as one would first write it there: each record that comes is
judged by our own processor, what changes is written to the engine's state and changelog, what comes of it is
sent. It is spared what the worker does beside: settings and roster from their topics (it reads the files),
the two topics read in step, and, unless its docstring says so, transactions and a store on the disk.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from stream_attr.contract.topics import (
    AGENT_DAILY,
    BUYER_DAYS,
    CHAT,
    CLOSINGS,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ORDERS,
    ROSTER,
    SETTINGS,
    TASKS,
)
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import Options, Processor, ShopRegistry
from stream_attr.processor.ports import Record, Store
from stream_attr.rules.shop.days import END_OF_TIME

__all__ = ["LINGER_MS", "NOT_AT_END", "DictStore", "Peer"]

LINGER_MS = 20
NOT_AT_END: frozenset[str] = frozenset()


class DictStore:
    """A processor's store in what serves as a dictionary."""

    def __init__(self, state: MutableMapping[bytes, bytes] | None = None) -> None:
        self.state: MutableMapping[bytes, bytes] = {} if state is None else state

    def get(self, key: bytes) -> bytes | None:
        """See `Store.get`."""
        return self.state.get(key)

    def items(self, begin: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """See `Store.items`; of days that are long over, so seldom asked for."""
        found = [key for key in self.state if begin <= key and (end is None or key < end)]
        return ((key, self.state[key]) for key in sorted(found))

    def write_derived(self, rows: Mapping[bytes, bytes | None]) -> None:
        """See `Store.write_derived`; a peer's processor has nothing derived."""
        raise NotImplementedError

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Write what a batch has changed; None deletes."""
        for key, value in changes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value


class Peer:
    """The options of a peer's command line, and a processor for each of its partitions."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--broker", required=True)
        parser.add_argument("--prefix", required=True)
        parser.add_argument("--partitions", type=int, required=True)
        parser.add_argument("--session-timeout", type=float, required=True)
        parser.add_argument("--data-dir", type=Path, required=True)
        parser.add_argument("--settings", type=Path, required=True)
        parser.add_argument("--roster", type=Path, required=True)
        parser.add_argument("--decisions-only", action="store_true")
        options = parser.parse_args()
        self.broker: str = options.broker
        self.prefix: str = options.prefix
        self.partitions: int = options.partitions
        self.session_timeout_s: float = options.session_timeout
        self.data_dir: Path = options.data_dir
        self.reports = not options.decisions_only
        self.group = f"{self.prefix}peer"
        internal = (BUYER_DAYS, CLOSINGS) if self.reports else ()
        reports = (FACTS, INQUIRIES, AGENT_DAILY, TASKS) if self.reports else ()
        self.inputs = [self.prefix + topic for topic in (CHAT, ORDERS, *internal)]
        """Full names of the topics to be read."""
        self.outputs = {
            topic: self.prefix + topic
            for topic in (DECISIONS, COMPARISONS, DEAD_LETTERS, *reports, *internal)
        }
        """The topics to be written: their full names."""
        self._registry = _registry(options.settings, options.roster)

    def session(self) -> dict[str, int]:
        """Settings of a consumer of confluent-kafka."""
        session_ms = int(self.session_timeout_s * 1000)
        return {"session.timeout.ms": session_ms, "heartbeat.interval.ms": session_ms // 8}

    def processor(self, partition: int, store: Store) -> Processor:
        """Make the processor of a partition."""
        options = Options(
            reports=self.reports,
            partition=partition,
            partitions=self.partitions,
            due_soon_ms=END_OF_TIME,  # no peer's store has room for what is not committed
        )
        return Processor(self._registry, store, options)

    def topic(self, name: str) -> str:
        """Return a topic's name without the prefix."""
        return name[len(self.prefix) :]


def _registry(settings: Path, roster: Path) -> ShopRegistry:
    registry = ShopRegistry()
    for topic, path in ((SETTINGS, settings), (ROSTER, roster)):
        with LinesFile(str(path)) as lines:
            for number, value in lines:
                registry.apply(Record(topic, 0, number, 0, None, value))
    return registry
