"""What publish decides without a broker: keys, the order of the events, the pace."""

from __future__ import annotations

from typing import Any

import pytest

from stream_attr.files.jsonl import Line
from stream_attr.kafka.publish import Pace, Parsed, in_step, record_key


@pytest.mark.parametrize(
    ("topic", "document", "key"),
    [
        ("chat-events", {"shop_id": "jd:1", "buyer_id": "买家", "agent_id": "A"}, "jd:1|买家"),
        ("order-events", {"shop_id": "jd:1", "buyer_id": "b", "order_id": "o"}, "jd:1|b"),
        ("rulings", {"shop_id": "jd:1", "buyer_id": "b", "order_id": "o"}, "jd:1|b"),
        ("agent-roster", {"shop_id": "jd:1", "agent_id": "A"}, "jd:1|A"),
        ("shop-settings", {"shop_id": "jd:1"}, "jd:1"),
        ("chat-events", {"shop_id": "jd:1"}, None),
        ("chat-events", {"shop_id": "jd:1", "buyer_id": 7}, None),
        ("chat-events", {"shop_id": None, "buyer_id": "b"}, None),
        ("chat-events", ["jd:1", "b"], None),
        ("shop-settings", None, None),
    ],
)
def test_record_key(topic, document, key):
    assert record_key(topic, document) == key


def source(topic: str, *stamps: int | None):
    return ((topic, Parsed("f", Line(n, b""), None, ts)) for n, ts in enumerate(stamps, 1))


def order_of(*sources) -> list[tuple[str, int | None]]:
    return [(topic, parsed.ts) for topic, parsed in in_step(sources)]


def test_files_are_merged_by_time_the_first_named_before_at_equal_times():
    merged = order_of(source("chat", 10, 30, 50), source("orders", 20, 30, 60))
    assert merged == [
        ("chat", 10), ("orders", 20), ("chat", 30), ("orders", 30), ("chat", 50), ("orders", 60)
    ]  # fmt: skip


def test_each_file_keeps_its_own_order():
    merged = order_of(source("chat", 50, 10, 20), source("orders", 30))
    assert merged == [("orders", 30), ("chat", 50), ("chat", 10), ("chat", 20)]


def test_a_line_without_time_holds_up_nobody():
    assert order_of(source("chat", None, 10), source("orders", 5)) == [
        ("chat", None), ("orders", 5), ("chat", 10)
    ]  # fmt: skip


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def waits(pace: Pace, *stamps: int) -> list[Any]:
    return [pytest.approx(pace.wait_s(pace.due_at(ts))) for ts in stamps]


HOUR = 3_600_000
DAY = 24 * HOUR


def test_pace_spaces_events_as_they_happened_but_faster():
    clock = Clock()
    pace = Pace(60, clock)
    assert waits(pace, DAY, DAY + 60_000) == [0, 1.0]
    clock.now += 1.0
    assert waits(pace, DAY + 60_000, DAY + 120_000) == [0, 1.0]
    clock.now += 5.0
    assert waits(pace, DAY + 120_000) == [-4.0]


def test_pace_does_not_wait_for_a_late_event_and_keeps_its_step():
    pace = Pace(60, Clock())
    assert waits(pace, 10 * DAY, 9 * DAY + HOUR, 10 * DAY + 60_000) == [0, -23 * 60, 1.0]


def test_pace_leaps_over_a_gap_of_more_than_a_day():
    pace = Pace(1, Clock())
    assert waits(pace, 0, DAY, 2 * DAY + 1) == [0, 86_400, 0]


def test_pace_is_not_stopped_by_one_event_of_a_wrong_time():
    pace = Pace(60, Clock())
    assert waits(pace, 10 * DAY, 30_000 * DAY, 10 * DAY + 1000, 10 * DAY + 61_000) == [0, 0, 0, 1.0]
