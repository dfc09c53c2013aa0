"""A worker with a toy in place of the processor, to try the shell alone. Run as a script it is a process.

The toy counts the events of each buyer, passes over an ``event_id`` that it has seen, and emits one output
per ``EVERY`` events, whose value is the count. So each buyer's outputs must be EVERY, 2·EVERY, … without gap
or repeat, and the last state must hold the number of events sent.
"""

from __future__ import annotations

import argparse
import collections
import errno
import os
import sys
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from stream_attr.contract.topics import DEAD_LETTERS, DECISIONS, TICKS
from stream_attr.errors import StreamAttrError
from stream_attr.processor.ports import NO_POSITIONS, Batch, Output, Record, Store
from stream_attr.worker.config import Clock, Judging, LostInput, StoreKind, Transactions, WorkerConfig
from stream_attr.worker.engine import app
from stream_attr.worker.engine.shutdown import bound_shutdown
from stream_attr.worker.task import committer, open_transactions
from stream_attr.worker.task.shop_tables import GlobalTables

EVERY = 8
SEEN = 200
"""Event ids remembered per buyer."""


class ToyRegistry:
    """Counts the records of a shop; one that says ``bad`` is refused, one that ``fails`` does so often."""

    def __init__(self) -> None:
        self.records: dict[str, int] = {}
        self.failures = 0

    def apply(self, record: Record) -> Output | None:
        said = orjson.loads(record.value or b"{}")
        if said.get("bad"):
            return Output(DEAD_LETTERS, record.key or b"", orjson.dumps({"code": "bad_value", **said}))
        if self.failures < said.get("fails", 0):
            self.failures += 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        shop_id = said["shop_id"]
        self.records[shop_id] = self.records.get(shop_id, 0) + 1
        return None


class ToyJudge:
    """Counts; fails on an event that says ``explode``, and on a ``number`` that is none."""

    def __init__(self, partition: int, store: Store, registry: ToyRegistry) -> None:
        self._partition = partition
        self._store = store
        self._registry = registry
        self._positions: dict[str, int] = {}
        self._watermark = 0

    def restore(self, progress: bytes | None, recreated: Collection[str] = ()) -> dict[str, int]:
        if progress is not None:
            said = orjson.loads(progress)
            self._positions, self._watermark = said["positions"], said["watermark"]
            for topic in recreated:
                self._positions.pop(topic, None)
        return self._positions

    def process(
        self,
        records: Iterable[Record],
        at_end: frozenset[str],  # noqa: ARG002 -- Judge
        positions: Mapping[str, int] = NO_POSITIONS,
    ) -> Batch:
        batch = Batch()
        states: dict[bytes, dict[str, Any]] = {}
        for record in records:
            assert record.partition == self._partition
            assert record.offset >= self._positions.get(record.topic, 0)
            self._positions[record.topic] = record.offset + 1
            event = orjson.loads(record.value or b"null")
            self._watermark = max(self._watermark, event["ts"])
            if record.topic == TICKS:
                batch.outputs.append(
                    Output(DECISIONS, b"tick", orjson.dumps({"tick": event["ts"], "p": self._partition}))
                )
                continue
            if event.get("explode"):
                raise RuntimeError("this event was not foreseen")
            if "number" in event:
                int(event["number"])
            key = record.key or b""
            state = states.get(key)
            if state is None:
                state = states[key] = orjson.loads(self._store.get(key) or b'{"n":0,"seen":[]}')
            if event["event_id"] in state["seen"]:
                continue
            state["seen"] = [*state["seen"][-SEEN:], event["event_id"]]
            state["n"] += 1
            if state["n"] % EVERY == 0:
                batch.outputs.append(Output(DECISIONS, key, orjson.dumps({"n": state["n"]})))
            batch.stats.events[record.topic] = batch.stats.events.get(record.topic, 0) + 1
        self._positions |= positions
        batch.changes = {key: orjson.dumps(state) for key, state in states.items()}
        batch.progress = orjson.dumps({"positions": self._positions, "watermark": self._watermark})
        batch.stats.watermark = self._watermark
        return batch

    def keep_decoded(self, facts: int) -> None:
        pass

    def refresh(self, shop_id: str) -> Batch:
        told = {"shop": shop_id, "p": self._partition, "records": self._registry.records[shop_id]}
        return Batch(outputs=[Output(DECISIONS, b"refresh", orjson.dumps(told))])

    def find_order(self, shop_id: str, order_id: str) -> bytes | None:
        return self._store.get(f"{shop_id}|{order_id}".encode())


def doubt(every: int) -> None:
    """Have every so manieth commit of a partition end in doubt, in turn before and after it was made.

    1: each of them, and none is made.
    """
    commit = committer.TransactionalCommitter.commit
    commits: collections.Counter[str] = collections.Counter()

    def in_doubt(own, *batch):
        commits[own._transactional_id] += 1
        doubts, rest = divmod(commits[own._transactional_id], every)
        if rest == 0 and (every == 1 or doubts % 2 == 0):
            raise committer.CommitInDoubt("it was not made")
        offset = commit(own, *batch)
        if rest == 0:
            raise committer.CommitInDoubt("it was made")
        return offset

    committer.TransactionalCommitter.commit = in_doubt  # type: ignore[method-assign]


def hang() -> None:
    """Have the thread that reads settings and rosters never come back, and the shutdown not wait for long."""

    def never(_tables: GlobalTables) -> bool:
        return threading.Event().wait()

    GlobalTables.follow = never  # type: ignore[method-assign, assignment]
    setattr(app, "bound_shutdown", lambda: bound_shutdown(5.0))  # noqa: B010 -- what the module imports


def toy() -> Judging:
    registry = ToyRegistry()
    return Judging(registry, lambda partition, _partitions, store: ToyJudge(partition, store, registry))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--store", type=StoreKind, default=StoreKind.ROCKSDB)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--clock", type=Clock, default=Clock.EVENTS)
    parser.add_argument("--idle-tick-ms", type=int, default=60_000)
    parser.add_argument("--transactions", type=Transactions, default=Transactions.AUTO)
    parser.add_argument("--session-timeout", type=float, default=2.0)
    parser.add_argument("--lost-input", type=LostInput, default=LostInput.STOP)
    parser.add_argument("--transaction-timeout", type=int, default=60)
    parser.add_argument("--open-transaction-patience", type=float, default=60.0)
    parser.add_argument("--doubt", type=int, default=0)
    parser.add_argument("--hang", action="store_true")
    said = parser.parse_args()
    committer._TRANSACTION_TIMEOUT_S = said.transaction_timeout
    open_transactions._PATIENCE_S = said.open_transaction_patience
    if said.doubt:
        doubt(said.doubt)
    if said.hang:
        hang()
    config = WorkerConfig(
        broker=said.broker,
        topic_prefix=said.prefix,
        data_dir=said.data_dir,
        store=said.store,
        web_port=said.web_port,
        clock=said.clock,
        idle_tick_ms=said.idle_tick_ms,
        transactions=said.transactions,
        session_timeout_s=said.session_timeout,
        lost_input=said.lost_input,
    )
    try:
        return app.run(config, toy())
    except StreamAttrError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
