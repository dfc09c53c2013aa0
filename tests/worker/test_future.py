"""What a worker does with events and ticks of the future, whatever its clock (RULEBOOK 11)."""

from __future__ import annotations

import json

import orjson
import pytest

from stream_attr.codec.internal.progress import decode_progress
from stream_attr.contract.topics import CHAT, DEAD_LETTERS, ORDERS, REPORTS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.generate import Plan, write
from stream_attr.kafka.publish import record_key
from stream_attr.processor.local import LocalDriver
from stream_attr.processor.ports import PROGRESS_KEY, Output, Record
from stream_attr.rules.shop.days import DAY_MS, MINUTE_MS
from stream_attr.testing import ManualClock, MemoryStore
from stream_attr.worker.config import Clock, WorkerConfig
from stream_attr.worker.startup import wiring
from stream_attr.worker.startup.topics_check import EVENTS
from stream_attr.worker.task.input_merge import End, Merge

FILES = {CHAT: "chat", ORDERS: "orders", ROSTER: "roster", SETTINGS: "settings"}
END_TS = 1_794_412_800_000
NOW = END_TS + 4 * DAY_MS
YEAR_2096 = 3_976_214_400_000
BUYER = {"shop_id": "jd:10086", "buyer_id": "b-2096"}
FUTURE = {
    CHAT: {**BUYER, "event_id": "c-2096", "ts": YEAR_2096, "agent_id": "kf-01", "sender": "buyer"},
    ORDERS: {**BUYER, "event_id": "o-2096", "ts": YEAR_2096, "order_id": "o-1", "type": "paid", "amount": 1},
    RULINGS: {**BUYER, "event_id": "r-2096", "ts": YEAR_2096, "order_id": "o-1", "type": "withdrawn"}
    | {"ruled_by": "manager"},
    TICKS: {"ts": YEAR_2096, "version": 1},
}


class OneWorker:
    """Merge, processor and store of a worker of one partition, wired as its own, and its wall clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **config: object) -> None:
        self.clock = ManualClock(NOW)
        monkeypatch.setattr(wiring, "wall_clock_ms", self.clock)
        self.judging = wiring.processor_judging(WorkerConfig(**config))  # type: ignore[arg-type]
        self.store = MemoryStore()
        self.progress: bytes | None = None
        self.restart()

    def restart(self) -> None:
        """Start again from what was committed."""
        self.judge = self.judging.judge(0, 1, self.store)
        self.judge.restore(self.progress)

    @property
    def watermark(self) -> int | None:
        """The one that was committed last."""
        assert self.progress is not None
        return decode_progress(self.progress, PROGRESS_KEY).watermark

    def commit(self, batch):
        self.store.apply(batch.changes)
        self.progress = batch.progress
        return batch

    def read(self, topics: dict[str, list[Record]], limit: int) -> list[Output]:
        """Read topics to their ends in batches; return what is emitted."""
        merge = Merge({}, self.judging.clock)
        for topic in (*EVENTS, TICKS):
            records = topics.get(topic, [])
            merge.offer(topic, records)
        driver = LocalDriver([_Internal(self)])
        outputs: list[Output] = []
        for response in range(30):
            for topic in (*EVENTS, TICKS):
                end = len(topics.get(topic, []))
                merge.observe(topic, End(end, end, end, response))
            if (take := merge.take(limit)) is not None:
                self.at_end = take.at_end
                batch = self.judge.process(take.records, take.at_end, take.positions)
                outputs += driver.run(self.commit(batch))
        return outputs


class _Internal:
    """Takes the records of internal topics."""

    def __init__(self, worker: OneWorker) -> None:
        self._worker = worker

    def process_internal(self, records: list[Record]):
        worker = self._worker
        return worker.commit(worker.judge.process(records, worker.at_end))


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Record]]:
    """The records of each topic, at last a tick by which all is final."""
    folder = tmp_path_factory.mktemp("traffic")
    write(Plan(seed=8, events=12_000, days=4, end_ts=END_TS), folder)
    lines = {topic: (folder / f"{name}.jsonl").read_bytes().splitlines() for topic, name in FILES.items()}
    lines[TICKS] = [orjson.dumps({"ts": NOW, "version": 1})]
    return {topic: [record(topic, *one) for one in enumerate(some)] for topic, some in lines.items()}


def record(topic: str, offset: int, value: bytes) -> Record:
    try:
        key = None if topic == TICKS else record_key(topic, json.loads(value))
    except ValueError:
        key = None
    return Record(topic, 0, offset, 0, None if key is None else key.encode(), value)


def with_future(sent: dict[str, list[Record]]) -> dict[str, list[Record]]:
    """The same records, and one of 2096 in each topic."""
    found = dict(sent)
    for topic, value in FUTURE.items():
        lines = [one.value for one in sent.get(topic, [])]
        lines.insert(len(lines) // 3, orjson.dumps(value))
        found[topic] = [record(topic, offset, line) for offset, line in enumerate(lines) if line is not None]
    return found


def but_for_reports(outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if output.topic not in (DEAD_LETTERS, *REPORTS)]


def last_reports(outputs: list[Output]) -> dict[tuple[str, bytes], dict[str, object]]:
    last = {(one.topic, one.key): json.loads(one.value) for one in outputs if one.topic in REPORTS}
    return {key: {**one, "revision": None, "reason": None} for key, one in last.items()}


def refused(outputs: list[Output], code: str) -> list[str]:
    letters = [json.loads(output.value) for output in outputs if output.topic == DEAD_LETTERS]
    return [letter["topic"] for letter in letters if letter["code"] == code]


@pytest.mark.parametrize("clock", Clock)
def test_one_record_of_2096_in_each_topic_leaves_all_else_as_it_was(monkeypatch, sent, clock):
    worker, other = OneWorker(monkeypatch, clock=clock), OneWorker(monkeypatch, clock=clock)
    for one in (worker, other):
        for topic in (SETTINGS, ROSTER):
            for setting in sent[topic]:
                one.judging.registry.apply(setting)
    before = worker.read(sent, 1_000)
    after = other.read(with_future(sent), 1_000)
    assert sorted(refused(after, "future_timestamp")) == sorted(FUTURE)
    assert len(before) > 2_000
    assert but_for_reports(after) == but_for_reports(before)
    assert last_reports(after) == last_reports(before)
    assert worker.watermark == other.watermark == NOW


def a_chat(ts: int) -> Record:
    event = {**BUYER, "event_id": "c-1", "agent_id": "kf-01", "sender": "buyer", "ts": ts}
    return record(CHAT, 0, orjson.dumps(event))


def codes(batch) -> list[str]:
    return [json.loads(output.value)["code"] for output in batch.outputs if output.topic == DEAD_LETTERS]


def test_what_was_accepted_before_a_crash_is_accepted_after_it(monkeypatch):
    worker = OneWorker(monkeypatch)
    ahead = a_chat(NOW + 10 * MINUTE_MS)
    before = worker.judge.process([ahead], frozenset())
    worker.clock.advance(MINUTE_MS)
    worker.restart()
    after = worker.judge.process([ahead], frozenset())
    assert (codes(before), codes(after)) == ([], [])
    assert (after.outputs, after.changes, after.progress) == (before.outputs, before.changes, before.progress)


def test_what_was_refused_in_a_batch_that_was_lost_may_be_accepted_and_is_no_dead_letter(
    monkeypatch,
):
    worker = OneWorker(monkeypatch)
    ahead = a_chat(NOW + 11 * MINUTE_MS)
    assert codes(worker.judge.process([ahead], frozenset())) == ["future_timestamp"]  # not committed
    worker.clock.advance(MINUTE_MS)
    worker.restart()
    again = worker.commit(worker.judge.process([ahead], frozenset()))
    assert (codes(again), again.stats.events) == ([], {CHAT: 1})


def test_what_was_refused_and_committed_is_not_judged_again_after_a_restart(monkeypatch):
    worker = OneWorker(monkeypatch)
    batch = worker.commit(worker.judge.process([a_chat(NOW + 11 * MINUTE_MS)], frozenset()))
    assert codes(batch) == ["future_timestamp"]
    worker.clock.advance(MINUTE_MS)
    worker.restart()
    assert worker.judge.restore(worker.progress) == {CHAT: 1}


@pytest.mark.parametrize("clock", Clock)
def test_simulated_data_is_taken_with_accept_future(monkeypatch, clock):
    worker = OneWorker(monkeypatch, clock=clock, accept_future=True)
    outputs = worker.read(
        {topic: [record(topic, 0, orjson.dumps(value))] for topic, value in FUTURE.items()}, 10
    )
    assert refused(outputs, "future_timestamp") == []
    assert worker.watermark == YEAR_2096


def test_a_head_of_2096_does_not_let_the_other_topic_run_ahead():
    clock = ManualClock(NOW)
    merge = Merge({}, clock)
    chat = [(1, NOW - 9), (2, YEAR_2096), (3, NOW - 5), (4, NOW + 11 * MINUTE_MS)]
    orders = [(5, NOW - 7), (6, NOW - 1)]
    for topic, events in ((CHAT, chat), (ORDERS, orders), (RULINGS, [])):
        merge.offer(topic, [Record(topic, 0, n, 0, b"k", orjson.dumps({"ts": ts})) for n, ts in events])
        merge.observe(topic, End(9, 9, 9, 1))
    take = merge.take(5)
    assert take is not None
    assert [one.offset for one in take.records] == [1, 2, 5, 3, 4]
