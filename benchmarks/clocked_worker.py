"""The command ``stream-attr`` with clocks around the parts of a worker's way in and out.

``worker_parts`` starts it in the place of ``python -m stream_attr``, with the name of a file before the
other words. At its end it writes to that file, as JSON, what each of its threads has spent on which part, in
seconds of CPU time. A part that is called by another one counts for itself alone. Reading the clock takes a
third of a microsecond; parts are called once for a fetch or a batch, the local store once for a buyer's read.
"""

from __future__ import annotations

import functools
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from stream_attr.cli import main
from stream_attr.processor import Processor
from stream_attr.worker.engine.consumer_thread import ConsumerThread
from stream_attr.worker.ops.partitioners import PartitionerWatch
from stream_attr.worker.ops.retention import RetentionWatch
from stream_attr.worker.startup import wiring
from stream_attr.worker.state.store import RocksStore
from stream_attr.worker.task import partition_producer
from stream_attr.worker.task.input_merge import Merge
from stream_attr.worker.task.partition_producer import PartitionProducer
from stream_attr.worker.task.partition_state import PartitionState

__all__ = [
    "BOOKKEEPING",
    "COMMITTING",
    "JUDGING",
    "MERGING",
    "QUEUEING_CHANGES",
    "QUEUEING_OUTPUTS",
    "SPLITTING",
    "STORE",
]

SPLITTING = "splitting fetches into records"
MERGING = "merging by time, watching keys"
JUDGING = "judging, encoding"
BOOKKEEPING = "bookkeeping of batches"
QUEUEING_OUTPUTS = "queueing outputs"
QUEUEING_CHANGES = "queueing the changelog"
COMMITTING = "flushing, committing"
STORE = "local store"

PARTS: list[tuple[Any, str, str]] = [
    (ConsumerThread, "_drain", SPLITTING),
    (RetentionWatch, "check", MERGING),
    (PartitionerWatch, "add", MERGING),
    (Merge, "offer", MERGING),
    (Merge, "take", MERGING),
    (Merge, "topics_to_fetch", MERGING),
    (PartitionState, "process", BOOKKEEPING),
    (PartitionProducer, "send_outputs", QUEUEING_OUTPUTS),
    (PartitionProducer, "send_changes", QUEUEING_CHANGES),
    (RocksStore, "get", STORE),
    (RocksStore, "write", STORE),
    (RocksStore, "write_derived", STORE),
    (RocksStore, "size", STORE),
]
"""Where a function lies, its name, and what it is a part of."""


class _Spent(threading.local):
    """What this thread has spent."""

    def __init__(self) -> None:
        self.parts: defaultdict[str, float] = defaultdict(float)
        self.inner = [0.0]
        """Seconds of calls within those that have not returned, the innermost last."""
        _threads[threading.get_native_id()] = self.parts


_threads: dict[int, dict[str, float]] = {}
_spent = _Spent()


def _clocked(function: Callable[..., Any], part: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        spent = _spent
        spent.inner.append(0.0)
        begun = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            seconds = time.thread_time() - begun
            spent.parts[part] += seconds - spent.inner.pop()
            spent.inner[-1] += seconds

    return call


class _Producer(Producer):  # type: ignore[misc]
    """confluent-kafka's producer; its ``produce`` is in what queues."""

    flush = _clocked(Producer.flush, COMMITTING)
    poll = _clocked(Producer.poll, COMMITTING)
    begin_transaction = _clocked(Producer.begin_transaction, COMMITTING)
    commit_transaction = _clocked(Producer.commit_transaction, COMMITTING)


class _Judge:
    """The processor; where it is compiled, nothing derives from it."""

    def __init__(self, *args: Any) -> None:
        self._processor = Processor(*args)
        self.process = _clocked(self._processor.process, JUDGING)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._processor, name)


def _run() -> None:
    for place, name, part in PARTS:
        setattr(place, name, _clocked(getattr(place, name), part))
    for place, name, stand_in in ((partition_producer, "Producer", _Producer), (wiring, "Processor", _Judge)):
        setattr(place, name, stand_in)
    file = Path(sys.argv.pop(1))
    try:
        main()
    finally:
        file.write_text(json.dumps(_threads), encoding="utf-8")


if __name__ == "__main__":
    _run()
