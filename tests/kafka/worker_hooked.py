"""``stream-attr worker``, but for what a test hooks into it: what the words before ``--`` say.

    python worker_hooked.py --at 'progress sent' --nth 3 --do kill -- --broker … --data-dir …

A worker comes to a *step* at the same place of its work in every run, whatever the machine does meanwhile; up
to there everything is on the broker that was sent before. What it does at the step is in ``hooks``.
"""

from __future__ import annotations

import argparse
import functools
import sys
import threading
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from stream_attr import cli
from stream_attr.cli import worker as command
from stream_attr.processor import Processor
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.startup import wiring
from stream_attr.worker.state import restore, store
from stream_attr.worker.task import committer, partition_producer, partition_state, ticks
from tests.kafka.hooks import SIGNALS, Hook, after, replace

STEPS = (
    "taken over",
    "recovered",
    "judged",
    "begun",
    "outputs half sent",
    "outputs sent",
    "state half sent",
    "state sent",
    "progress sent",
    "commit asked for",
    "committed",
    "stored",
)
"""What a worker goes through from taking a partition over to having one batch of it committed, in order."""

_FLUSH_S = 30.0


def hook_steps(hook: Hook) -> None:
    """Put the steps into what makes a batch durable."""

    class Stepping(Producer):
        def init_transactions(self, *args):
            super().init_transactions(*args)
            hook.reach("taken over")

        def begin_transaction(self):
            super().begin_transaction()
            hook.reach("begun")

        def commit_transaction(self, *args):
            if hook.waits_for("commit asked for"):
                try:
                    super().commit_transaction(0.001)
                except KafkaException:  # it is under way, or just done
                    hook.reach("commit asked for")
            super().commit_transaction(*args)
            hook.reach("committed")

    def in_halves(send, step):
        """Send in two parts, each of them on the broker before it goes on."""

        def send_halves(producer, records, *more):
            records = list(records)
            for part, name in (
                (records[: len(records) // 2], f"{step} half sent"),
                (records[len(records) // 2 :], f"{step} sent"),
            ):
                send(producer, part, *more)
                if records and hook.waits_for(name):
                    assert producer.client.flush(_FLUSH_S) == 0
                    hook.reach(name)

        return send_halves

    replace(partition_producer, "Producer", Stepping)
    producer = partition_producer.PartitionProducer
    producer.send_outputs = in_halves(producer.send_outputs, "outputs")  # type: ignore[method-assign]
    send_state, send_progress = in_halves(producer.send_changes, "state"), producer.send_changes

    def send_changes(producer, changes, *acknowledge):
        if not acknowledge:
            send_state(producer, changes)
            return
        send_progress(producer, changes, *acknowledge)
        if hook.waits_for("progress sent"):
            assert producer.client.flush(_FLUSH_S) == 0
            hook.reach("progress sent")

    producer.send_changes = send_changes  # type: ignore[method-assign]
    after(partition_state, "restore", lambda: hook.reach("recovered"))
    after(Processor, "process", lambda: hook.reach("judged"))
    commit = committer.TransactionalCommitter.commit
    committed = threading.local()

    def note_commit(*args):
        committed.now = False
        offset = commit(*args)
        committed.now = True
        return offset

    def note_write():
        if getattr(committed, "now", False):
            committed.now = False
            hook.reach("stored")

    committer.TransactionalCommitter.commit = note_commit  # type: ignore[method-assign]
    after(store.RocksStore, "write", note_write)


def hook_clock(file: Path) -> None:
    """Have the worker read the wall clock off a file: epoch milliseconds."""

    def wall_clock_ms() -> int:
        return int(file.read_text())

    for module in (restore, wiring, store, ticks):
        replace(module, "wall_clock_ms", wall_clock_ms)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", choices=STEPS)
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--do", choices=SIGNALS, default="kill")
    parser.add_argument("--clock-file", type=Path)
    parser.add_argument("--batch-records", type=int, default=2_000)
    parser.add_argument("--idle-tick-ms", type=int, default=60_000)
    parser.add_argument("words", nargs="*")
    said = parser.parse_args()
    hook_steps(Hook([said.at] if said.at else [], said.nth, SIGNALS[said.do]))
    if said.clock_file:
        hook_clock(said.clock_file)
    config = functools.partial(WorkerConfig, batch_records=said.batch_records, idle_tick_ms=said.idle_tick_ms)
    replace(command, "WorkerConfig", config)
    sys.argv = ["stream-attr", "worker", *said.words]
    cli.main()


if __name__ == "__main__":
    main()
