"""Records that retention deletes as soon as they have come: warned of, and not over and over."""

from __future__ import annotations

import pytest

from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.worker.ops.retention import RetentionWatch

NOW = 1_793_498_400_000


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def of_age(*days: int) -> list[Record]:
    return [Record(CHAT, 3, offset, NOW - age * DAY_MS, None, None) for offset, age in enumerate(days)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> RetentionWatch:
    return RetentionWatch({CHAT: 90 * DAY_MS}, "eu.", lambda: NOW, clock)


def test_records_older_than_retention_are_warned_of_once_an_hour(
    watch: RetentionWatch, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        watch.check(CHAT, of_age(120, 100))
    [message] = caplog.messages
    assert message == (
        "topic eu.chat-events, partition 3: records arrive with timestamps of 100.0 days ago, and "
        "retention.ms is 90.0 days, so Kafka deletes them at once, judged or not; kafka-configs.sh --alter "
        "--topic eu.chat-events --add-config message.timestamp.type=LogAppendTime"
    )
    clock.now = 3600.0
    watch.check(CHAT, of_age(120, 100))
    assert len(caplog.messages) == 2


def test_what_is_kept_is_not_warned_of(watch: RetentionWatch, caplog: pytest.LogCaptureFixture) -> None:
    watch.check(CHAT, [])
    watch.check(CHAT, of_age(0, 1))
    watch.check(CHAT, of_age(100, 1))  # retention goes by the newest record of a file
    watch.check(ORDERS, of_age(100))  # whose retention is unlimited, or counts from the broker's time
    watch.check(CHAT, [Record(CHAT, 3, 0, -1, None, None)])  # without a timestamp
    assert caplog.messages == []
