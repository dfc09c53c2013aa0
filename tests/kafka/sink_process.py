"""Sinks of the ledger as processes of their own, and what tests compare: the ledger and the topics."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from stream_attr.contract.topics import DECISIONS
from stream_attr.kafka.admin import create_topics
from stream_attr.ledger.database.connect import Database
from tests.kafka.worker_process import HERE, LONGEST_S, WorkerProcess, messages, until
from tests.ledger.sink.contents import rows
from tests.ledger.sink.test_rows import first

PARTITIONS = 3


@dataclass
class SinkProcess(WorkerProcess):
    """``stream-attr ledger`` on a broker; ``hooks``: words for ``sink_hooked.py``."""

    hooks: tuple[str, ...] = ()

    def command(self) -> list[str]:
        program = ["-m", "stream_attr", "ledger"]
        if self.hooks:
            program = [str(HERE / "sink_hooked.py"), *self.hooks, "--"]
        return [
            sys.executable,
            *program,
            f"--broker={self.bootstrap}",
            f"--topic-prefix={self.prefix}",
            f"--web-port={self.port}",
            *self.args,
        ]

    def is_frozen(self) -> bool:
        """Whether it has stopped as SIGSTOP does it."""
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"


class Trial:
    """Topics with decisions, a ledger, and sinks."""

    def __init__(self, bootstrap: str, prefix: str, database: Database, folder: Path) -> None:
        self.bootstrap, self.prefix, self.ledger, self.folder = bootstrap, prefix, database, folder
        create_topics(bootstrap, partitions=PARTITIONS, prefix=prefix)
        self.sinks: list[SinkProcess] = []
        self.sent: dict[str, tuple[int, int]] = {}
        """By order its last revision and amount."""
        self.revisions = 0

    def sink(self, *args: str, hooks: tuple[str, ...] = ()) -> SinkProcess:
        place = self.folder / f"sink{len(self.sinks)}"
        where = (f"--database={self.ledger.address}", *args)
        made = SinkProcess(self.bootstrap, self.prefix, place, where, hooks=hooks)
        self.sinks.append(made)
        return made

    def end(self) -> None:
        """Leave none of them behind."""
        for sink in self.sinks:
            if sink.runs():
                sink.signal(signal.SIGCONT)
                sink.kill()

    def send(self, topic: str, *values: bytes | None, key: str = "k") -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"})
        for value in values:
            producer.produce(self.prefix + topic, value, key)
        assert producer.flush(LONGEST_S) == 0

    def decide(self, orders: int, revision: int = 1, *, transactional: bool = False) -> None:
        """Send a revision of so many orders; ``transactional``: committed, behind another that is aborted."""
        settings = {"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"}
        if not transactional:
            # The embedded broker names the first offset of the last batch as the end.
            producer = Producer({**settings, "batch.num.messages": 1})
            self._decide(producer, orders, revision)
            assert producer.flush(LONGEST_S) == 0
        else:
            producer = Producer({**settings, "transactional.id": f"{self.prefix}judge"})
            producer.init_transactions(LONGEST_S)
            producer.begin_transaction()
            self._decide(producer, orders, revision + 1_000)
            assert producer.flush(LONGEST_S) == 0
            producer.abort_transaction(LONGEST_S)
            producer.begin_transaction()
            self._decide(producer, orders, revision)
            producer.commit_transaction(LONGEST_S)
        for number in range(orders):
            self.sent[f"o-{number}"] = (revision, 1_000 * revision + number)
        self.revisions += orders

    def _decide(self, producer: Producer, orders: int, revision: int) -> None:
        for number in range(orders):
            order_id, amount = f"o-{number}", 1_000 * revision + number
            record = first(DECISIONS) | {"order_id": order_id, "revision": revision, "amount": amount}
            key = f"{record['shop_id']}|{order_id}"
            producer.produce(self.prefix + DECISIONS, json.dumps(record).encode(), key)

    def until_committed(self) -> None:
        """Wait until a reader sees all that was sent.

        A broker that is killed before it has written the end of a transaction into each partition may never
        do so (KAFKA-5202): that is another fault.
        """
        until(lambda: len(messages(self.bootstrap, self.prefix + DECISIONS)) == self.revisions)

    def equals_what_was_sent(self) -> bool:
        found = rows(self.ledger, "SELECT order_id, revision, amount FROM decision")
        [(revisions,)] = rows(self.ledger, "SELECT count(*) FROM decision_revision")
        return {one[0]: one[1:] for one in found} == self.sent and revisions == self.revisions

    def until_equal(self, *sinks: SinkProcess) -> None:
        until(self.equals_what_was_sent, *sinks)

    def compare(self, *sinks: SinkProcess) -> None:
        """Wait until all is stored, then compare decisions with their topic, record by record."""
        self.until_equal(*sinks)
        revisions: dict[tuple[str, int], tuple[int, int, int]] = {}
        for message in messages(self.bootstrap, self.prefix + DECISIONS):
            record = json.loads(message.value())
            key = record["order_id"], record["revision"]
            revisions[key] = message.partition(), message.offset(), record["amount"]
        columns = "order_id, revision, source_partition, source_offset, amount"
        found = rows(self.ledger, f"SELECT {columns} FROM decision_revision")
        assert {one[:2]: one[2:] for one in found} == revisions
        assert len(found) == len(revisions)
        last: dict[str, int] = {}
        for order_id, revision in revisions:
            last[order_id] = max(revision, last.get(order_id, 0))
        found = rows(self.ledger, f"SELECT {columns} FROM decision")
        assert {one[:2]: one[2:] for one in found} == {key: revisions[key] for key in last.items()}
        until(lambda: self._ends() == self._reached(), *sinks)

    def _ends(self) -> dict[int, int]:
        """Where each partition of the decisions ends, the ends of transactions included."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "ends"})
        topic = self.prefix + DECISIONS
        try:
            return {
                number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=LONGEST_S)[1]
                for number in range(PARTITIONS)
            }
        finally:
            consumer.close()

    def _reached(self) -> dict[int, int]:
        query = f"SELECT source_partition, next FROM sink_offset WHERE topic = '{DECISIONS}'"
        return dict(rows(self.ledger, query))
