"""Transactions that stay open on an input: how long, and what is said of them."""

from __future__ import annotations

import pytest

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.worker.task.input_merge import End
from stream_attr.worker.task.open_transactions import OpenTransactions


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def held(clock):
    return OpenTransactions(3, clock)


def end(stable, high_watermark):
    return End(0, stable, high_watermark, 0)


def test_where_all_can_be_read_none_is_open(held):
    assert (held.records(CHAT), held.seconds(CHAT)) == (0, 0.0)
    held.observe(CHAT, end(7, 7))
    assert (held.records(CHAT), held.seconds(CHAT)) == (0, 0.0)


def test_it_is_open_since_the_stable_offset_stands_still(held, clock):
    held.observe(CHAT, end(7, 9))
    clock.now += 30
    held.observe(CHAT, end(7, 12))
    assert (held.records(CHAT), held.seconds(CHAT)) == (5, 30.0)
    assert (held.records(ORDERS), held.seconds(ORDERS)) == (0, 0.0)
    held.observe(CHAT, end(12, 12))
    assert (held.records(CHAT), held.seconds(CHAT)) == (0, 0.0)


def test_transactions_that_follow_each_other_are_not_one(held, clock, caplog):
    for stable in range(10):
        held.observe(CHAT, end(stable, stable + 5))
        clock.now += 50
    assert held.seconds(CHAT) == 50.0
    assert not caplog.messages


def test_one_that_stays_open_is_logged_once_and_so_is_its_end(held, clock, caplog):
    for _ in range(10):
        held.observe(CHAT, end(7, 9))
        clock.now += 20
    [told] = caplog.messages
    place = "topic chat-events, partition 3"
    assert told.startswith(f"{place}: a producer's transaction has been open for 60 s, and 2 offsets from 7")
    held.observe(CHAT, end(9, 9))
    held.observe(CHAT, end(9, 9))
    assert caplog.messages[1:] == [
        "topic chat-events, partition 3: the open transaction has ended; reading continues"
    ]
