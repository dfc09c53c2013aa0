"""The wall clock of a worker that is wrong, and partitions whose time only the wall clock tells."""

from __future__ import annotations

import shutil

import orjson
import pytest
from aiokafka.partitioner import murmur2

from stream_attr.contract.topics import CHAT, DEAD_LETTERS
from stream_attr.kafka.publish import record_key
from tests.kafka.verdicts import EVENTS, inputs, parts_of, stream_attr
from tests.kafka.worker_process import read_json, until

from .conftest import replay
from .installation import PARTITIONS

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SILENT = 0
"""The partition that gets no events."""


@pytest.fixture
def clock(tmp_path):
    """Set the wall clock that workers read who are given its hooks."""

    class Clock:
        file = tmp_path / "clock"
        hooks = (f"--clock-file={file}", "--idle-tick-ms=2000")

        def set(self, ts):
            new = self.file.with_suffix(".new")
            new.write_text(str(ts))
            new.replace(self.file)

    return Clock()


def latest(folder):
    """Greatest ``ts`` of the chat of a folder."""
    found = []
    for line in (folder / "chat.jsonl").read_bytes().splitlines():
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if (
            isinstance(record, dict)
            and isinstance(record.get("ts"), int)
            and record["ts"] < 4_000_000_000_000
        ):
            found.append(record["ts"])
    return max(found)


def until_all_have_come_to(worker, ts):
    """Wait until ticks have brought all partitions there."""

    def there():
        come_to = worker.samples("stream_attr_watermark_seconds")
        return len(come_to) == PARTITIONS and min(come_to) * 1000 >= ts

    until(there, worker)


@pytest.mark.fault(
    "the clock of a worker an hour ahead",
    "its ticks make what comes then late: it is judged all the same, and corrects what was emitted",
)
def test_a_clock_is_an_hour_ahead(installation, clock, traffic, trial, tmp_path):
    clock.set(latest(traffic) + HOUR_MS)
    before, after = parts_of(traffic, tmp_path, 2)
    worker = installation.worker("--clock", "wall", hooks=clock.hooks)
    installation.publish(*inputs(traffic, "roster", "settings"))
    worker.start()
    installation.publish(*inputs(before, *EVENTS))
    until_all_have_come_to(worker, latest(traffic))
    installation.publish(*inputs(after, *EVENTS))
    until(lambda: not installation.not_judged(), worker)
    assert worker.metric("stream_attr_late_events_total") > 1_000
    trial.tried += 1
    assert worker.stop() == 0
    right = installation.worker().start()
    installation.finish(right)
    trial.compare(right, traffic, receipts=False)
    assert right.stop() == 0


@pytest.mark.fault(
    "the clock of a worker an hour behind",
    "what lies more than ten minutes ahead of it becomes dead letters (`future_timestamp`); once the clock "
    "is right, `dead-letters replay` brings them back",
)
def test_a_clock_is_an_hour_behind(installation, clock, traffic, trial):
    clock.set(latest(traffic) - HOUR_MS)
    worker = installation.worker("--clock", "wall", hooks=clock.hooks)
    installation.publish(*inputs(traffic))
    worker.start()
    until(lambda: not installation.not_judged(), worker)
    letters = [letter for _, letter in read_json(worker.bootstrap, worker.prefix + DEAD_LETTERS)]
    assert sum(one["code"] == "future_timestamp" for one in letters) > 10
    clock.set(latest(traffic))
    stream_attr("dead-letters", "replay", "--code", "future_timestamp", *installation.target())
    until(lambda: not installation.not_judged(), worker)
    trial.tried += 1
    assert worker.stop() == 0
    right = installation.worker().start()
    installation.finish(right)
    trial.compare(right, traffic, receipts=False, brought_back="future_timestamp")
    assert right.stop() == 0


@pytest.mark.fault(
    "a partition that gets no events for days",
    "ticks move its time, so that nothing waits for it: not its own verdicts, nor the figures of days "
    "that all partitions have to have passed",
)
def test_a_partition_is_silent_for_days(installation, clock, traffic, trial, tmp_path):
    first, second = parts_of(traffic, tmp_path, 2)
    for kind in EVENTS:
        kept = [line for line in (second / f"{kind}.jsonl").read_bytes().splitlines() if not is_silent(line)]
        (second / f"{kind}.jsonl").write_bytes(b"\n".join(kept) + b"\n")
    whole = tmp_path / "whole"
    whole.mkdir()
    for kind in ("roster", "settings"):
        shutil.copy(traffic / f"{kind}.jsonl", whole)
    for kind in EVENTS:
        parts = [(part / f"{kind}.jsonl").read_bytes() for part in (first, second)]
        (whole / f"{kind}.jsonl").write_bytes(b"".join(parts))
    replay(whole)
    clock.set(latest(first))
    worker = installation.worker("--clock", "wall", hooks=clock.hooks)
    installation.publish(*inputs(whole, "roster", "settings"))
    worker.start()
    installation.publish(*inputs(first, *EVENTS))
    until(lambda: not installation.not_judged(), worker)
    end = latest(whole)
    clock.set(end)
    installation.publish(*inputs(second, *EVENTS))
    until(lambda: not installation.not_judged(), worker)
    for days in (3, 300):
        now = end + days * DAY_MS
        clock.set(now)
        until_all_have_come_to(worker, now - HOUR_MS)
    trial.tried += 1
    assert worker.stop() == 0
    other = installation.worker().start()  # by the clock of events: it sends no ticks
    trial.compare(other, whole, receipts=False)
    assert other.stop() == 0


def is_silent(line):
    """Whether a line goes to the silent partition, as one without a key does."""
    try:
        key = record_key(CHAT, orjson.loads(line))
    except orjson.JSONDecodeError:
        key = None
    return key is None or (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS == SILENT
