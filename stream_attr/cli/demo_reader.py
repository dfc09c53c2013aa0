"""Reads what the demo shows from the broker, every event before what it brings about."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import orjson
from confluent_kafka import TopicPartition

from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, ORDERS, RULINGS
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.clients import QUIET, Reader
from stream_attr.kafka.security import UNSECURED

__all__ = ["DemoReader"]

INPUTS = (CHAT, ORDERS, RULINGS)
OUTPUTS = (DECISIONS, AGENT_DAILY, DEAD_LETTERS)
CATCH_UP_S = 5.0
"""How many seconds the events before an output may take to arrive."""


class DemoReader:
    """Reads the topics from their beginning, as any consumer would."""

    def __init__(self, bootstrap: str) -> None:
        self._inputs = _Topics(bootstrap, INPUTS)
        self._outputs = _Topics(bootstrap, OUTPUTS)

    def read(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the records that have arrived, those of input topics first. Waits a tenth of a second.

        An output is written after the event that brought it about. So once outputs are read, the inputs are
        read up to where they end then: the events of these outputs are among them, or came before.
        """
        outputs = self._outputs.read(0.1)
        inputs = self._inputs.read_to_end() if outputs else self._inputs.read(0)
        return inputs + outputs

    def close(self) -> None:
        """Close both consumers."""
        self._inputs.reader.close()
        self._outputs.reader.close()


class _Topics:
    def __init__(self, bootstrap: str, topics: Collection[str]) -> None:
        self.reader = Reader(bootstrap, UNSECURED, "stream-attr-demo", {**QUIET, "fetch.wait.max.ms": 50})
        counts = partition_counts(bootstrap, topics)
        self._next = {(topic, number): 0 for topic, count in counts.items() for number in range(count)}
        """Offset of the next record, by topic and partition."""
        self.reader.assign(TopicPartition(topic, number, 0) for topic, number in self._next)

    def read(self, wait_s: float) -> list[tuple[str, dict[str, Any]]]:
        """Return what has arrived; a record that is not a JSON object as an empty one."""
        found = []
        for message in self.reader.read(500, wait_s):
            if message.error():
                continue
            self._next[message.topic(), message.partition()] = message.offset() + 1
            try:
                record = orjson.loads(message.value())
            except orjson.JSONDecodeError:
                record = {}
            found.append((message.topic(), record if isinstance(record, dict) else {}))
        return found

    def read_to_end(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the records up to where the partitions end at the time of the call."""
        ends = {place: (self.reader.bounds(*place, CATCH_UP_S) or (0, 0))[1] for place in self._next}
        deadline = time.monotonic() + CATCH_UP_S
        found = self.read(0)
        while any(self._next[place] < end for place, end in ends.items()) and time.monotonic() < deadline:
            found += self.read(0.05)
        return found
