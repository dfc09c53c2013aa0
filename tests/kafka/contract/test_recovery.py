"""A local store and its changelog: continued if that is safe, else rebuilt from scratch."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from stream_attr.contract.topics import CHANGELOG
from stream_attr.kafka.admin import create_topics
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.state import changelog_reader, restore
from stream_attr.worker.state import store as store_module
from stream_attr.worker.state.lineage import LINEAGE_KEY, Epoch, Lineage, encode_lineage
from stream_attr.worker.state.store import MemoryStore
from stream_attr.worker.task.topic_ids import TopicIds
from tests.kafka.worker_process import LONGEST_S

DAY_MS = 86_400_000
NOW = 1_793_500_000_000


class WatchedStore(MemoryStore):
    """Counts how often it was cleared and how many records were written."""

    def __init__(self):
        super().__init__()
        self.cleared = 0
        self.written = 0

    def clear(self):
        self.cleared += 1
        super().clear()

    def write(self, changes, topic_id, offset):
        changes = list(changes)
        self.written += len(changes)
        super().write(changes, topic_id, offset)


class Changelog:
    """One partition of a changelog of its own."""

    def __init__(self, broker, prefix):
        create_topics(broker.bootstrap, partitions=2, prefix=prefix)
        self.broker = broker.bootstrap
        self.topic = prefix + "buyer-state-changelog"
        config = WorkerConfig(broker=self.broker, topic_prefix=prefix)
        self.topic_id = TopicIds(config).known[CHANGELOG]
        self.producer = Producer({"bootstrap.servers": self.broker, "linger.ms": 100})

    def put(self, first, last):
        """Records of many to a batch: there the embedded broker's ListOffsets is too low."""
        for number in range(first, last):
            self.producer.produce(self.topic, b"%d" % number, b"jd:1|b%d" % number, partition=1)
        assert self.producer.flush(LONGEST_S) == 0

    def batch(self, first, last, *epochs):
        """Records, and the lineage that ends their batch."""
        for number in range(first, last):
            self.producer.produce(self.topic, b"%d" % number, b"jd:1|b%d" % number, partition=1)
        lineage = encode_lineage(Lineage(tuple(Epoch(*epoch) for epoch in epochs)))
        self.producer.produce(self.topic, lineage, LINEAGE_KEY, partition=1)
        assert self.producer.flush(30) == 0

    def restore(self, store, stop=lambda: False):
        restored = restore.restore(
            store, broker=self.broker, topic=self.topic, partition=1, topic_id=self.topic_id, stop=stop
        )
        self.open_transaction, self.lineage = restored.open_transaction, restored.lineage
        return restored.offset


@pytest.fixture
def log(broker, topic_prefix):
    return Changelog(broker, topic_prefix)


@pytest.fixture
def clock(monkeypatch):
    """Sets the wall clock."""

    def set_to(ts):
        for module in (restore, store_module):
            monkeypatch.setattr(module, "wall_clock_ms", lambda: ts)

    set_to(NOW)
    return set_to


def test_an_empty_changelog_makes_an_empty_store(log):
    store = WatchedStore()
    assert log.restore(store) == 0
    assert list(store.items()) == []
    checkpoint = store.checkpoint(log.topic_id)
    assert checkpoint is not None
    assert checkpoint.offset == 0


def test_a_store_is_continued_where_it_stands(log):
    store = WatchedStore()
    log.put(0, 500)
    assert log.restore(store) == 500
    built, store.cleared, store.written = store.cleared, 0, 0
    assert log.restore(store) == 500
    log.put(500, 510)
    assert log.restore(store) == 510
    assert (built, store.cleared, store.written) == (1, 0, 10)
    assert dict(store.items()) == {b"jd:1|b%d" % number: b"%d" % number for number in range(510)}


def test_a_store_beyond_the_end_is_rebuilt(log):
    store = WatchedStore()
    log.put(0, 20)
    store.write([(b"jd:1|stray", b"1")], log.topic_id, 21)
    assert log.restore(store) == 20
    assert store.cleared == 1
    assert len(dict(store.items())) == 20


def test_a_store_of_another_changelog_is_rebuilt(log):
    store = WatchedStore()
    log.put(0, 20)
    store.write([(b"jd:1|stray", b"1")], "another", 5)
    assert log.restore(store) == 20
    assert len(dict(store.items())) == 20


@pytest.fixture
def copy(broker, topic_prefix, log):
    """Another history: a changelog that stands for the first one, restored and written on."""
    made = Changelog(broker, topic_prefix + "copy.")
    made.topic_id = log.topic_id
    return made


def numbers(first, last):
    return {b"jd:1|b%d" % number: b"%d" % number for number in range(first, last)}


def caught_up(log):
    """A store that has been brought to the end of a changelog of 42 records, and is watched from now on."""
    store = WatchedStore()
    log.batch(0, 20, ("e1", 0))
    log.batch(20, 40, ("e1", 0))
    assert log.restore(store) == 42
    store.cleared = store.written = 0
    return store


@pytest.mark.parametrize(
    "epochs",
    [[("e1", 0), ("e2", 21)], [("e1", 0), ("e2", 21), ("e3", 60)], [("e0", 0)], [("e9", 43)]],
    ids=["by another owner", "by several", "from the beginning", "so far on that the store's epoch is past"],
)
def test_a_store_of_another_history_is_rebuilt_although_its_offset_exists(log, copy, epochs):
    store = caught_up(log)
    copy.batch(0, 20, ("e1", 0))
    copy.batch(100, 160, *epochs)
    assert copy.restore(store) == 82
    assert store.cleared == 1
    assert dict(store.items()) == numbers(0, 20) | numbers(100, 160)
    store.cleared = 0
    assert copy.restore(store) == 82
    assert store.cleared == 0


def test_a_store_of_the_same_history_is_continued_although_its_last_batch_is_compacted(log, copy):
    store = caught_up(log)
    copy.put(0, 42)  # no lineage among them: compaction removes one when a later one is there
    copy.batch(42, 50, ("e1", 0), ("e2", 42))
    assert copy.restore(store) == 51
    assert (store.cleared, dict(store.items())) == (0, numbers(0, 40) | numbers(42, 50))


def test_a_store_that_ends_with_a_batch_that_the_changelog_has_lost_is_rebuilt(log, copy):
    """Of the same epoch: records that its owner sent and did not commit lie where the batch was."""
    store = caught_up(log)
    copy.batch(0, 20, ("e1", 0))
    copy.put(100, 140)
    assert copy.restore(store) == 61
    assert store.cleared == 1


def test_a_recovery_that_was_ended_within_another_owners_records_is_continued(log, monkeypatch):
    monkeypatch.setattr(changelog_reader, "_BATCH", 100)
    store = caught_up(log)
    log.batch(40, 1500, ("e1", 0), ("e2", 42))
    with pytest.raises(restore.Interrupted):
        log.restore(store, stop=lambda: store.written > 0)
    assert 42 < store.checkpoint(log.topic_id).offset < 1503
    assert log.restore(store) == 1503
    assert (store.cleared, dict(store.items())) == (0, numbers(0, 1500))


def test_the_lineage_is_found_behind_what_was_aborted(log, broker):
    if not broker.has_transactions:
        pytest.skip("the embedded broker shows what was aborted")
    store = caught_up(log)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": log.topic})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(300):
        producer.produce(log.topic, b"aborted", b"jd:1|a%d" % number, partition=1)
    producer.flush(30)
    producer.abort_transaction()
    for _ in range(2):
        assert log.restore(store) == 42 + 300 + 1
        assert (store.cleared, store.written, dict(store.items())) == (0, 1, numbers(0, 40))
        assert log.lineage.epochs == (Epoch("e1", 0),)
        store.written = 0


def test_a_store_and_a_changelog_of_before_there_were_lineages_go_together(log):
    store = WatchedStore()
    log.put(0, 20)
    log.restore(store)
    store.cleared = store.written = 0
    log.batch(20, 30, ("e1", 20))
    assert log.restore(store) == 31
    assert (store.cleared, len(dict(store.items()))) == (0, 30)


@pytest.mark.parametrize(
    ("age_ms", "cleared"),
    [(0, 0), (6 * DAY_MS - 1, 0), (6 * DAY_MS, 1), (60 * DAY_MS, 1), (-1, 1)],
    ids=["fresh", "within", "at six days", "long ago", "from the future"],
)
def test_a_store_unused_until_deletions_may_be_compacted_away_is_rebuilt(log, clock, age_ms, cleared):
    store = WatchedStore()
    log.put(0, 20)
    log.restore(store)
    store.cleared = 0
    clock(NOW + age_ms)
    assert log.restore(store) == 20
    assert store.cleared == cleared
    assert len(dict(store.items())) == 20


def test_recovery_stops_when_asked_and_goes_on_from_there(log):
    store = WatchedStore()
    log.put(0, 20)
    with pytest.raises(restore.Interrupted):
        log.restore(store, stop=lambda: True)
    assert log.restore(store) == 20


def test_a_store_at_the_end_needs_not_read_what_the_broker_left_without_an_end(log, broker):
    """As a broker does that is killed between the end of a transaction and its marker in the partition."""
    if not broker.has_transactions:
        pytest.skip("the embedded broker runs without transactions")
    store = WatchedStore()
    log.put(0, 20)
    assert log.restore(store) == 20
    assert not log.open_transaction
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": log.topic})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(log.topic, b"1", b"jd:1|hanging", partition=1)
    assert producer.flush(LONGEST_S) == 0
    assert log.restore(WatchedStore()) == 20  # who does not know it to be committed takes it for open
    store.write([(b"jd:1|hanging", b"1")], log.topic_id, 21)
    assert log.restore(store) == 21
    assert log.open_transaction
    assert store.cleared == 1
    producer.abort_transaction()
