"""When buyers are due: in order, whether it is remembered in memory or lies in the store."""

from __future__ import annotations

import random
from itertools import groupby

import pytest

from stream_attr.processor.timer_queue import Deadlines
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.testing import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture(params=[0, 3, END_OF_TIME], ids=["all-stored", "some-stored", "all-in-memory"])
def due(request, store):
    return Deadlines(store, request.param)


def test_what_is_due_is_taken_earliest_first_and_of_one_time_by_key(due):
    for key, at in ((b"c", 5), (b"b", 2), (b"a", 5)):
        due.set(key, at)
    assert due.first == 2
    assert list(due.take(1)) == []
    assert list(due.take(5)) == [(2, b"b"), (5, b"a"), (5, b"c")]
    assert due.first > END_OF_TIME
    assert list(due.take(END_OF_TIME)) == []


def test_a_deadline_is_due_at_its_own_time_not_a_moment_before(due):
    due.set(b"a", 5)
    assert [list(due.take(at)) for at in (4, 5, 6)] == [[], [(5, b"a")], []]


def test_each_time_that_was_set_comes_once(due):
    for at in (5, 3, 8, 5, 5):
        due.set(b"a", at)
    assert list(due.take(9)) == [(3, b"a"), (5, b"a"), (8, b"a")]


def test_what_is_due_soon_is_found_without_being_taken(due):
    for key, at in ((b"c", 5), (b"b", 2), (b"a", 6)):
        due.set(key, at)
    assert [due.soon(until) for until in (1, 5, 6)] == [[], [b"b", b"c"], [b"a", b"b", b"c"]]
    assert list(due.take(6)) == [(2, b"b"), (5, b"c"), (6, b"a")]
    assert due.soon(END_OF_TIME) == []


def test_what_is_set_while_it_is_taken_is_taken_in_its_turn(due):
    due.set(b"a", 1)
    due.set(b"b", 6)
    taken = []
    for at, key in due.take(6):
        taken.append((at, key))
        if key == b"a" and at < 7:
            due.set(b"a", at + 4)
    assert taken == [(1, b"a"), (5, b"a"), (6, b"b")]
    assert due.first == 9
    assert list(due.take(9)) == [(9, b"a")]


def test_what_lies_in_the_store_and_in_memory_for_one_time_is_taken_by_key(store):
    due = Deadlines(store, 10)
    for key in (b"b", b"d"):
        due.set(key, 12)
    assert list(due.take(5)) == []  # what is due by 15 is soon now
    for key in (b"a", b"c", b"d", b"e"):
        due.set(key, 12)
    assert [key for _, key in due.take(12)] == [b"a", b"b", b"c", b"d", b"d", b"e"]


class CountingStore(MemoryStore):
    def __init__(self):
        super().__init__()
        self.searched = self.written = 0

    def items(self, begin=b"", end=None):
        self.searched += 1
        return super().items(begin, end)

    def write_derived(self, rows):
        self.written += 1
        super().write_derived(rows)


def test_the_store_is_asked_once_for_all_that_is_due_soon():
    store = CountingStore()
    due = Deadlines(store, 10)
    for at in range(20, 40):
        due.set(b"a", at)
    assert list(due.take(20)) == [(20, b"a")]
    assert (store.searched, store.written) == (1, 2)  # twenty rows written, those of 20 to 29 deleted
    assert len(store) == 10
    assert due.first == 21
    assert [at for now in range(21, 30) for at, _ in due.take(now)] == list(range(21, 30))
    assert (store.searched, store.written) == (1, 2)
    assert [at for at, _ in due.take(39)] == list(range(30, 40))
    assert len(store) == 0


def test_of_more_than_are_written_together_none_is_moved_into_memory(store):
    due = Deadlines(store, 10)
    due.set(b"first", 20)
    for number in range(12_000):
        due.set(b"%05d" % number, 21)
    due.set(b"last", 22)
    assert list(due.take(20)) == [(20, b"first")]
    assert len(store) == 12_001
    due.set(b"00007+", 21)
    keys = sorted([b"00007+", *[b"%05d" % number for number in range(12_000)]])
    assert list(due.take(21)) == [(21, key) for key in keys]
    assert list(due.take(22)) == [(22, b"last")]
    assert len(store) == 0


@pytest.mark.parametrize("soon_ms", [0, 1, 7, 50])
def test_it_takes_what_a_sorted_list_would(soon_ms, store):
    chance = random.Random(soon_ms)
    due = Deadlines(store, soon_ms)
    expected = set()
    watermark = 0
    for _ in range(500):
        for _ in range(chance.randrange(6)):
            entry = watermark + chance.randrange(1, 100), b"%d" % chance.randrange(20)
            due.set(entry[1], entry[0])
            expected.add(entry)
        watermark += chance.randrange(5)
        taken = [entry for entry, _ in groupby(due.take(watermark))]
        assert taken == sorted(entry for entry in expected if entry[0] <= watermark)
        expected -= set(taken)
        assert due.first == min((at for at, _ in expected), default=due.first)


def test_what_was_taken_is_no_longer_stored(store):
    due = Deadlines(store, 0)
    for number in range(25_000):
        due.set(b"%d" % number, number)
    assert len(store) >= 20_000
    assert len(list(due.take(24_990))) == 24_991
    assert len(store) == 9


def test_what_an_earlier_judge_left_behind_is_deleted(store):
    earlier = Deadlines(store, 0)
    for number in range(5):
        earlier.set(b"a", number)
    list(earlier.take(1))
    due = Deadlines(store, 0)
    due.forget_until(3)
    assert len(store) == 1
    due.set(b"b", 4)
    assert list(due.take(9)) == [(4, b"a"), (4, b"b")]
    assert len(store) == 0


def test_first_follows_what_is_set_while_all_is_taken(due):
    due.set(b"a", 1)
    for at, key in due.take(5):
        assert at == 1
        due.set(key, 7)
    assert due.first == 7
