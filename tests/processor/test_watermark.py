"""The watermark of a partition, and what is due by it (RULEBOOK 6)."""

from __future__ import annotations

from stream_attr.processor.deadlines import Deadlines
from stream_attr.processor.records import CHAT, ORDERS
from stream_attr.processor.watermark import BEGINNING, END_OF_TIME, Watermark

LATENESS = 10


def watermark(latest=END_OF_TIME, **seen):
    mark = Watermark(LATENESS, latest)
    for topic, ts in seen.items():
        mark.see({"chat": CHAT, "orders": ORDERS}[topic], ts)
    return mark


def test_before_both_topics_have_spoken_there_is_none():
    assert watermark().advance() == BEGINNING
    assert watermark(chat=100).advance() < 0
    assert watermark(orders=100).advance() < 0


def test_it_is_the_lesser_of_the_two_topics_less_the_lateness():
    assert watermark(chat=100, orders=200).advance() == 90
    assert watermark(chat=200, orders=100).advance() == 90


def test_the_greatest_time_of_a_topic_counts_not_the_last():
    mark = watermark(chat=100, orders=200)
    mark.see(CHAT, 50)
    assert mark.advance() == 90


def test_a_topic_that_is_read_to_its_end_holds_nothing_back():
    mark = watermark(chat=100, orders=200)
    mark.end(frozenset({CHAT}))
    assert mark.advance() == 190
    only_chat = watermark(chat=100)
    only_chat.end(frozenset({ORDERS}))
    assert only_chat.advance() == 90
    both = watermark(chat=100, orders=200)
    both.end(frozenset({CHAT, ORDERS}))
    assert both.advance() == 190


def test_a_topic_that_goes_on_after_its_end_holds_back_again_but_it_never_falls():
    mark = watermark(chat=100, orders=200)
    mark.end(frozenset({CHAT}))
    assert mark.advance() == 190
    mark.end(frozenset())
    assert mark.advance() == 190
    mark.see(ORDERS, 300)
    assert mark.advance() == 190
    mark.see(CHAT, 250)
    assert mark.advance() == 240


def test_a_tick_says_what_time_it_is_lateness_allowed_for():
    mark = watermark(chat=100, orders=200)
    mark.tick(150)
    assert mark.advance() == 150
    mark.tick(149)
    assert mark.advance() == 150


def test_a_tick_needs_no_events():
    mark = watermark()
    mark.tick(5)
    assert mark.advance() == 5


def test_it_stops_where_it_is_told_whatever_comes():
    mark = watermark(latest=120, chat=1000, orders=1000)
    assert mark.advance() == 120
    mark.tick(END_OF_TIME)
    assert mark.advance() == 120


def test_what_is_due_is_taken_earliest_first_and_of_one_time_by_key():
    due = Deadlines()
    due.fill({b"c": 5, b"b": 3, b"a": 5})
    assert due.first == 3
    assert list(due.take(2)) == []
    assert list(due.take(5)) == [(3, b"b"), (5, b"a"), (5, b"c")]
    assert len(due) == 0
    assert due.first == END_OF_TIME


def test_a_deadline_is_due_at_its_own_time_not_a_moment_before():
    due = Deadlines()
    due.set(b"a", 5)
    assert [list(due.take(at)) for at in (4, 5, 6)] == [[], [(5, b"a")], []]


def test_a_deadline_set_anew_is_due_once():
    due = Deadlines()
    for at in (5, 3, 8, 5, 5):
        due.set(b"a", at)
    assert list(due.take(9)) == [(5, b"a")]


def test_what_is_never_due_is_forgotten():
    due = Deadlines()
    due.set(b"a", 5)
    due.set(b"a", None)
    due.set(b"b", None)
    assert (len(due), list(due.take(9))) == (0, [])


def test_what_is_set_while_it_is_taken_is_taken_in_its_turn():
    due = Deadlines()
    due.fill({b"a": 1, b"b": 6})
    taken = []
    for at, key in due.take(6):
        taken.append((at, key))
        if key == b"a" and at < 7:
            due.set(b"a", at + 4)
    assert taken == [(1, b"a"), (5, b"a"), (6, b"b")]
    assert list(due) == [b"a"]
    assert list(due.take(9)) == [(9, b"a")]


def test_first_follows_what_is_set_while_all_is_taken():
    due = Deadlines()
    due.set(b"a", 1)
    for _ in due.take(1):
        due.set(b"b", 7)
    assert due.first == 7
