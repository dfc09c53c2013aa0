"""Whether the broker answers: one line when it has been silent for too long, one when it is back."""

from __future__ import annotations

import logging

import pytest

from stream_attr.worker.ops.broker_health import BrokerHealth
from stream_attr.worker.ops.logs import WithoutRepeats


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def broker_health(clock):
    return BrokerHealth("b:9092", 10, clock)


def test_silence_longer_than_the_patience_is_logged_once(broker_health, clock, caplog):
    for now, lost in ((110.0, False), (110.5, True), (300.0, True)):
        clock.now = now
        broker_health.check()
        assert (broker_health.lost is not None) == lost
    [line] = caplog.records
    assert line.getMessage().startswith("broker b:9092 has been unreachable since ")
    assert broker_health.lost in line.getMessage()


def test_a_response_ends_it_and_that_is_logged_once(broker_health, clock, caplog):
    clock.now = 120.0
    broker_health.check()
    clock.now = 163.4
    broker_health.record_response()
    for _ in range(3):
        broker_health.check()
    assert broker_health.lost is None
    assert [record.getMessage() for record in caplog.records[1:]] == [
        "broker b:9092 is reachable again after 63 s"
    ]


def test_a_user_that_is_refused_is_named_as_soon_as_that_is_known(broker_health, clock, caplog):
    clock.now = 120.0
    broker_health.check()
    broker_health.login_refused("worker")
    for _ in range(3):
        broker_health.check()
    assert broker_health.lost.endswith(": it refuses user worker")
    assert [broker_health.lost in record.getMessage() for record in caplog.records] == [False, True]
    broker_health.record_response()
    broker_health.check()
    clock.now = 140.0
    broker_health.check()
    assert "refuses" not in broker_health.lost, "that was before"


def test_it_is_doubted_from_half_of_the_patience_on(broker_health, clock):
    clock.now = 105.0
    assert not broker_health.stale
    clock.now = 105.1
    assert broker_health.stale
    broker_health.record_response()
    assert not broker_health.stale


def record(name, message, *args):
    return logging.LogRecord(name, logging.ERROR, "", 0, message, args, None)


def test_each_kind_of_client_message_is_logged_once_in_ten_minutes(clock):
    hushed = WithoutRepeats(clock)
    said = [
        record("aiokafka", "Unable connect to node with id %s: %s", 1, "refused"),
        record("aiokafka.consumer.fetcher", "Failed fetch messages from %s: %s", 1, "gone"),
        record("rdkafka", "%s [%s] %s", "FAIL", "rdkafka#producer-1", "refused"),
        record("rdkafka", "%s [%s] %s", "TXNERR", "rdkafka#producer-1", "failed"),
    ]
    assert [hushed.filter(one) for one in said] == [True] * 4
    clock.now += 599
    again = [
        record("aiokafka", "Unable connect to node with id %s: %s", 2, "timed out"),
        record("rdkafka", "%s [%s] %s", "FAIL", "rdkafka#consumer-3", "timed out"),
    ]
    assert [hushed.filter(one) for one in again] == [False, False]
    clock.now += 1
    assert hushed.filter(again[0])


def test_messages_of_the_worker_itself_are_never_dropped(clock):
    hushed = WithoutRepeats(clock)
    ours = record("stream_attr.worker.task.stream_task", "partition %s has another owner now", 1)
    assert [hushed.filter(ours), hushed.filter(ours)] == [True, True]
