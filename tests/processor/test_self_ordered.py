"""Who ordered without an agent's help: `assist` and `self_ordered`; the sums of means (RULEBOOK 7, 8)."""

from __future__ import annotations

import pytest

from stream_attr.contract.topics import AGENT_DAILY, CHAT, INQUIRIES, ORDERS
from stream_attr.rules.shop.days import HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import Driver

NOON = zone("Asia/Shanghai").start_of(20_758) + 12 * HOUR_MS
"""2026-11-01 12:00."""
DAY = "2026-11-01"


class Day:
    """A shop's day: times are milliseconds after noon."""

    def __init__(self, **settings):
        self.driver = Driver(settings=[{"shop_id": "jd:1", "effective_from": "2026-10-01", **settings}])
        self.number = 0

    def _send(self, topic, ts, **fields):
        self.number += 1
        ids = {"shop_id": "jd:1", "buyer_id": "b", "event_id": f"e{self.number}", "ts": NOON + ts}
        self.driver.send(topic, {**ids, **fields})

    def say(self, ts, agent_id, sender="agent", **fields):
        self._send(CHAT, ts, agent_id=agent_id, sender=sender, **fields)

    def order(self, ts, order_id="o"):
        self._send(ORDERS, ts, order_id=order_id, type="created", amount=100)

    def inquiry(self, agent_id):
        return self.driver.last(INQUIRIES)[f"jd:1|b|{agent_id}|{DAY}"]

    def figures(self, agent_id):
        return self.driver.last(AGENT_DAILY)[f"jd:1|{agent_id}|{DAY}"]


@pytest.mark.parametrize(
    ("spoke", "kind"),
    [(9 * MINUTE_MS, "assist"), (10 * MINUTE_MS, "self_ordered"), (10 * MINUTE_MS + 1, "self_ordered")],
)
def test_an_assist_has_spoken_before_an_order_that_another_agent_placed(spoke, kind):
    day = Day(placing_rule="most_rounds")
    day.say(0, "A", "buyer")
    day.say(1 * MINUTE_MS, "B", "buyer")
    day.say(2 * MINUTE_MS, "B")
    day.say(3 * MINUTE_MS, "B", "buyer")
    day.say(4 * MINUTE_MS, "B")
    if spoke < 10 * MINUTE_MS:
        day.say(spoke, "A")
    day.order(10 * MINUTE_MS)
    if spoke >= 10 * MINUTE_MS:
        day.say(spoke, "A")
    day.driver.finish()
    inquiry = day.inquiry("A")
    assert (inquiry["kind"], inquiry["outcome"], inquiry["order_ids"]) == (kind, "not_counted", ["o"])
    assert day.inquiry("B")["kind"] == "inquiry"
    figures = day.figures("A")["inquiries"]
    assert (figures["assists"], figures["self_ordered"]) == ((1, 0) if kind == "assist" else (0, 1))
    shop = day.figures("*")["inquiries"]
    assert (shop["assists"], shop["self_ordered"], shop["inquiries"]) == (
        figures["assists"],
        figures["self_ordered"],
        1,
    )


def test_who_is_answered_only_after_a_silent_order_has_ordered_without_help():
    day = Day()
    day.say(0, "A", "buyer")
    day.order(MINUTE_MS)
    day.say(2 * MINUTE_MS, "A")
    day.driver.finish()
    assert day.inquiry("A")["kind"] == "self_ordered"


def test_what_is_not_effective_is_no_help():
    day = Day()
    day.say(0, "A", "buyer")
    day.say(1, "A", kind="broadcast")
    day.say(2, "A", text="\u200b")
    day.say(MINUTE_MS, "B", "buyer")
    day.say(2 * MINUTE_MS, "B")
    day.order(3 * MINUTE_MS)
    day.say(4 * MINUTE_MS, "A")
    day.driver.finish()
    assert day.inquiry("A")["kind"] == "self_ordered"


def test_one_of_several_orders_is_enough():
    day = Day(placing_rule="most_rounds")
    day.say(0, "A", "buyer")
    for minute in (1, 3, 5):
        day.say(minute * MINUTE_MS, "B", "buyer")
        day.say((minute + 1) * MINUTE_MS, "B")
    day.order(10 * MINUTE_MS, "o-1")
    day.say(11 * MINUTE_MS, "A")
    day.order(12 * MINUTE_MS, "o-2")
    day.driver.finish()
    assert (day.inquiry("A")["kind"], day.inquiry("A")["order_ids"]) == ("assist", ["o-1", "o-2"])


def test_means_stand_with_the_sums_and_counts_that_they_are_of():
    day = Day()
    for at, agent_id, waited in ((0, "A", 8_000), (MINUTE_MS, "A", 30_001), (2 * MINUTE_MS, "B", 5_000)):
        day.say(at, agent_id, "buyer")
        day.say(at + waited, agent_id)
    day.driver.finish()
    workload = day.figures("A")["workload"]
    assert (workload["first_response_ms_sum"], workload["first_responses"]) == (8_000, 1)
    assert (workload["response_ms_sum"], workload["responses"]) == (38_001, 2)
    assert (workload["first_response_ms"], workload["response_ms"]) == (8_000, 19_001)
    shop = day.figures("*")["workload"]
    assert (shop["first_response_ms_sum"], shop["first_responses"]) == (13_000, 2)
    assert (shop["response_ms_sum"], shop["responses"]) == (43_001, 3)
