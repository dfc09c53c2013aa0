"""Chat, orders and rulings of a partition in step, ticks after them: what is taken, what has to wait."""

from __future__ import annotations

import itertools
import json

import pytest

from stream_attr.contract.topics import BUYER_DAYS, CHAT, CLOSINGS, ORDERS, RULINGS, TICKS
from stream_attr.processor.ports import Record
from stream_attr.worker.startup.topics_check import INPUTS
from stream_attr.worker.task.input_merge import End, Merge

BOTH = frozenset({CHAT, ORDERS})
NOON = 1_793_500_000_000
"""The times of these tests are milliseconds after it."""


def record(topic, offset, ts):
    value = ts if isinstance(ts, bytes) or ts is None else json.dumps({"ts": NOON + ts, "text": "…"}).encode()
    return Record(topic, 0, offset, 0, b"jd:1|b", value)


class Feed:
    """A merge and what a consumer would tell it.

    With each response for orders comes one for rulings, whose topic is empty unless a test says otherwise.
    """

    def __init__(self, **positions):
        self.merge = Merge(dict.fromkeys(INPUTS, 0) | positions)
        self.response = itertools.count()
        self.next = {CHAT: 0, ORDERS: 0, RULINGS: 0, TICKS: 0}
        self.follows = True

    def offer(self, topic, *tss):
        start = self.next[topic]
        self.merge.offer(topic, [record(topic, start + i, ts) for i, ts in enumerate(tss)])
        self.next[topic] = start + len(tss)

    def end(self, topic, further=0, unstable=0):
        """A fetch response: what was offered is what was fetched, so many more are there to be read, and so
        many behind them in a transaction that is open."""
        end = self.next[topic] + further
        self.merge.observe(topic, End(self.next[topic], end, end + unstable, next(self.response)))
        if topic == ORDERS and self.follows:
            self.end(RULINGS)

    def take(self, limit=100):
        take = self.merge.take(limit)
        return None if take is None else ([(r.topic, r.offset) for r in take.records], take.at_end)


@pytest.fixture
def feed():
    return Feed()


def chat(*offsets):
    return [(CHAT, offset) for offset in offsets]


def orders(*offsets):
    return [(ORDERS, offset) for offset in offsets]


def rulings(*offsets):
    return [(RULINGS, offset) for offset in offsets]


def test_the_older_head_goes_first_and_chat_before_an_order_of_the_same_time(feed):
    feed.offer(CHAT, 10, 20, 30)
    feed.offer(ORDERS, 5, 20, 25, 40)
    feed.end(CHAT)
    feed.end(ORDERS)
    assert feed.take() == (orders(0) + chat(0, 1) + orders(1, 2) + chat(2) + orders(3), BOTH)


def test_a_topic_keeps_its_own_order_however_late_its_records_are(feed):
    feed.offer(CHAT, 30, 10, 20)
    feed.offer(ORDERS, 15)
    feed.end(CHAT)
    feed.end(ORDERS)
    assert feed.take() == (orders(0) + chat(0, 1, 2), BOTH)


@pytest.mark.parametrize(
    "value", [None, b"", b"nonsense", b"[]", b"{}", b'{"ts":"1"}', b'{"ts":1}', b"\xff\xfe"]
)
def test_a_record_without_a_time_goes_at_once(feed, value):
    feed.offer(CHAT, 10, value)
    feed.offer(ORDERS, 20, value, 30)
    feed.end(CHAT)
    feed.end(ORDERS)
    assert feed.take() == (chat(0, 1) + orders(0, 1, 2), BOTH)


def test_nothing_is_taken_while_the_other_topic_may_have_older_records(feed):
    feed.offer(CHAT, 10)
    feed.end(CHAT)
    assert feed.take() is None  # no response for orders yet
    feed.end(ORDERS, further=1)
    assert feed.take() is None  # there is one that has not been fetched
    feed.offer(ORDERS, 5)
    feed.end(ORDERS)
    assert feed.take() == (orders(0) + chat(0), BOTH)


def test_a_topic_at_its_end_holds_nothing_back(feed):
    feed.end(ORDERS)
    feed.offer(CHAT, 10, 20)
    feed.end(CHAT, further=5)
    assert feed.take() == (chat(0, 1), frozenset({ORDERS}))


def test_a_topic_is_not_at_its_end_while_records_of_it_are_buffered(feed):
    feed.end(ORDERS)
    feed.offer(CHAT, 10, 20, 30)
    feed.end(CHAT)
    assert feed.take(limit=2) == (chat(0, 1), frozenset({ORDERS}))
    assert feed.take(limit=2) == (chat(2), BOTH)


def test_an_end_reached_without_records_is_reported_once(feed):
    feed.end(ORDERS)
    feed.offer(CHAT, 10)
    feed.end(CHAT, further=1)
    assert feed.take() == (chat(0), frozenset({ORDERS}))
    feed.next[CHAT] += 1  # what was there was the mark of an aborted transaction
    feed.end(CHAT)
    assert feed.take() == ([], BOTH)
    feed.end(CHAT)
    assert feed.take() is None


def assert_same_sequence_however_small_the_takes(
    times: list[tuple[str, tuple[int, ...]]], records: int, *, follows: bool
) -> None:
    sequences = []
    for limit in (1, 2, 3, 100):
        feed = Feed()
        feed.follows = follows
        for topic, tss in times:
            feed.offer(topic, *tss)
            feed.end(topic)
        sequence: list[tuple[str, int]] = []
        while (take := feed.take(limit)) is not None:
            assert len(take[0]) <= limit
            sequence += take[0]
        sequences.append(sequence)
    assert all(sequence == sequences[-1] for sequence in sequences)
    assert len(sequences[-1]) == records


def test_however_small_the_takes_their_sequence_is_the_same():
    times = [(CHAT, (1, 5, 5, 9, 2, 30)), (ORDERS, (3, 5, 4, 20, 31))]
    assert_same_sequence_however_small_the_takes(times, 11, follows=True)


def test_records_before_the_position_or_offered_twice_are_passed_over():
    feed = Feed(**{CHAT: 2})
    feed.end(ORDERS)
    feed.merge.offer(CHAT, [record(CHAT, offset, 10) for offset in (0, 1, 2, 3)])
    feed.merge.offer(CHAT, [record(CHAT, offset, 10) for offset in (2, 3, 4)])
    feed.next[CHAT] = 5
    feed.end(CHAT)
    assert feed.take() == (chat(2, 3, 4), BOTH)


def test_buffers_and_lag_follow_what_is_offered_and_taken(feed):
    assert feed.merge.lag(CHAT) is None
    feed.end(ORDERS)
    feed.offer(CHAT, 10, 20)
    feed.end(CHAT, further=3)
    size = 2 * (len(record(CHAT, 0, 10).value) + len(b"jd:1|b"))
    nothing = dict.fromkeys((ORDERS, RULINGS, TICKS, BUYER_DAYS, CLOSINGS), (0, 0))
    assert feed.merge.buffers() == {CHAT: (2, size), **nothing}
    assert feed.merge.lag(CHAT) == 5
    feed.take()
    assert feed.merge.buffers()[CHAT] == (0, 0)
    assert feed.merge.lag(CHAT) == 3
    assert not feed.merge.caught_up()
    feed.offer(CHAT, 30, 40, 50)
    feed.end(CHAT)
    assert feed.merge.caught_up()


def test_while_a_transaction_is_open_the_other_topic_goes_on_and_event_time_does_not(feed):
    feed.end(CHAT, unstable=3)
    feed.offer(ORDERS, 10)
    feed.end(ORDERS)
    assert feed.take() == (orders(0), frozenset({ORDERS}))
    feed.end(CHAT)
    assert feed.take() == ([], BOTH)


class TestOffsetsWithoutRecords:
    """What transactions leave in a topic, and what compaction took: reading goes on behind it, for good."""

    def marker(self, feed, topic):
        """A fetch response without a record, behind what was offered."""
        feed.next[topic] += 1
        feed.end(topic)

    def test_they_are_passed_over_with_the_records_before_them(self, feed):
        feed.end(ORDERS)
        feed.offer(CHAT, 10, 20)
        self.marker(feed, CHAT)
        take = feed.merge.take(100)
        assert (len(take.records), take.positions) == (2, {CHAT: 3})

    def test_not_before_those_records_are_handed_out(self, feed):
        feed.end(ORDERS)
        feed.offer(CHAT, 10, 20)
        self.marker(feed, CHAT)
        assert feed.merge.take(1).positions == {}
        assert feed.merge.take(1).positions == {CHAT: 3}

    @pytest.mark.parametrize("topic", INPUTS)
    def test_alone_they_are_a_take_of_their_own_once(self, feed, topic):
        feed.next |= dict.fromkeys((BUYER_DAYS, CLOSINGS), 0)
        feed.end(CHAT)
        feed.end(ORDERS)
        assert feed.take() == ([], BOTH)
        self.marker(feed, topic)
        assert feed.merge.take(100).positions == {topic: 1}
        assert feed.merge.lag(topic) == 0
        feed.end(topic)
        assert feed.merge.take(100) is None

    def test_a_topic_that_was_never_read_before_is_noted_where_it_begins(self):
        merge = Merge({CHAT: 7})
        for topic, position in ((CHAT, 7), (ORDERS, 5), (RULINGS, 0)):
            merge.observe(topic, End(position, position, position, 1))
        taken = merge.take(100)
        assert taken is not None
        assert taken.positions == {ORDERS: 5, RULINGS: 0}
        assert merge.take(100) is None


class TestRulings:
    """They go in step with chat and orders, and move no watermark."""

    @pytest.fixture
    def feed(self):
        feed = Feed()
        feed.follows = False
        return feed

    def test_of_one_time_they_come_after_chat_and_orders(self, feed):
        feed.offer(CHAT, 10, 20, 40)
        feed.offer(ORDERS, 20, 30)
        feed.offer(RULINGS, 5, 20, 35, 50)
        for topic in (CHAT, ORDERS, RULINGS):
            feed.end(topic)
        expected = rulings(0) + chat(0, 1) + orders(0) + rulings(1) + orders(1) + rulings(2) + chat(2)
        assert feed.take() == (expected + rulings(3), BOTH)

    def test_events_wait_for_rulings_that_may_be_older(self, feed):
        feed.offer(CHAT, 10)
        feed.end(CHAT)
        feed.end(ORDERS)
        assert feed.take() == ([], frozenset({ORDERS}))  # no response for rulings yet
        feed.end(RULINGS, further=1)
        assert feed.take() is None
        feed.offer(RULINGS, 5)
        feed.end(RULINGS)
        assert feed.take() == (rulings(0) + chat(0), BOTH)

    def test_rulings_wait_for_events_that_may_be_older(self, feed):
        feed.offer(RULINGS, 10)
        feed.end(RULINGS)
        feed.end(CHAT)
        feed.end(ORDERS, further=1)
        assert feed.take() == ([], frozenset({CHAT}))
        feed.offer(ORDERS, 5)
        feed.end(ORDERS)
        assert feed.take() == (orders(0) + rulings(0), BOTH)

    def test_read_to_their_end_or_not_they_are_no_end_of_chat_or_orders(self, feed):
        feed.end(CHAT)
        feed.end(ORDERS)
        feed.end(RULINGS, further=1)
        assert feed.take() == ([], BOTH)
        assert not feed.merge.caught_up()
        feed.offer(RULINGS, 10)
        feed.end(RULINGS)
        assert feed.take() == (rulings(0), BOTH)
        assert feed.merge.caught_up()

    def test_a_ruling_that_lay_there_before_a_tick_goes_before_it(self, feed):
        for topic in (CHAT, ORDERS, RULINGS):
            feed.end(topic)
        feed.take()
        feed.offer(TICKS, 100)
        feed.take()
        for _ in range(2):
            feed.end(CHAT)
            feed.end(ORDERS)
        assert feed.take() is None
        for _ in range(2):
            feed.end(RULINGS, further=1)
        assert feed.take() is None
        feed.offer(RULINGS, 50)
        feed.end(RULINGS)
        assert feed.take() == ([*rulings(0), (TICKS, 0)], BOTH)

    def test_however_small_the_takes_the_sequence_of_three_topics_is_the_same(self):
        times = [(CHAT, (1, 5, 5, 9, 2)), (ORDERS, (3, 5, 4, 20)), (RULINGS, (5, 4, 9, 9, 40))]
        assert_same_sequence_however_small_the_takes(times, 14, follows=False)


class TestTicks:
    """A tick waits for the ends that were seen after it was fetched."""

    def test_it_waits_for_the_second_response_of_both_topics(self, feed):
        feed.end(CHAT)
        feed.end(ORDERS)
        assert feed.take() == ([], BOTH)
        feed.offer(TICKS, 100)
        assert feed.take() is None
        for _ in range(2):
            feed.end(CHAT)
            assert feed.take() is None
        feed.end(ORDERS)
        assert feed.take() is None
        feed.end(ORDERS)
        assert feed.take() == ([(TICKS, 0)], BOTH)

    def test_the_same_response_seen_again_counts_once(self, feed):
        feed.offer(TICKS, 100)
        assert feed.take() is None
        end = End(0, 0, 0, 7)
        for _ in range(5):
            for topic in (CHAT, ORDERS, RULINGS):
                feed.merge.observe(topic, end)
        taken = feed.take()
        assert taken == ([], BOTH)  # the ends are said, the tick stays

    def test_events_below_the_ends_go_before_it(self, feed):
        feed.end(CHAT)
        feed.end(ORDERS)
        feed.take()
        feed.offer(TICKS, 100)
        feed.take()
        for _ in range(2):
            feed.end(CHAT, further=2)
            feed.end(ORDERS)
        assert feed.take() is None
        feed.offer(CHAT, 50, 60)
        feed.end(CHAT, further=9)  # later ones do not hold it up
        assert feed.take() == ([*chat(0, 1), (TICKS, 0)], frozenset({ORDERS}))

    def test_what_a_transaction_holds_back_goes_before_it(self, feed):
        feed.end(CHAT)
        feed.end(ORDERS)
        feed.take()
        feed.offer(TICKS, 100)
        feed.take()
        for _ in range(3):
            feed.end(CHAT, unstable=2)
            feed.end(ORDERS)
            assert feed.take() is None
        feed.offer(CHAT, 50)
        feed.next[CHAT] += 1  # its marker
        feed.end(CHAT)
        assert feed.take() == ([*chat(0), (TICKS, 0)], BOTH)

    def test_a_tick_fetched_later_waits_for_later_ends(self, feed):
        feed.offer(TICKS, 100)
        feed.take()
        for _ in range(2):
            feed.end(CHAT)
            feed.end(ORDERS)
        feed.offer(TICKS, 200)
        assert feed.take() == ([(TICKS, 0)], BOTH)
        assert feed.take() is None
        for _ in range(2):
            feed.end(CHAT)
            feed.end(ORDERS)
        assert feed.take() == ([(TICKS, 1)], BOTH)


def test_internal_topics_go_first_and_wait_for_nothing(feed):
    feed.offer(CHAT, 10)
    feed.merge.offer(BUYER_DAYS, [Record(BUYER_DAYS, 0, 0, 0, b"jd:1", b"told")])
    feed.merge.offer(CLOSINGS, [Record(CLOSINGS, 0, 0, 0, b"jd:1|b", b"closing")])
    take = feed.merge.take(10)
    assert [taken.topic for taken in take.records] == [
        BUYER_DAYS,
        CLOSINGS,
    ]  # orders are still to be looked at
