"""The watermark of a partition, and what is due by it (RULEBOOK 6)."""

from __future__ import annotations

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.processor.watermark import BEGINNING, Watermark
from stream_attr.rules.shop.days import END_OF_TIME

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
