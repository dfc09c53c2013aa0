"""Reports follow instalments, deposits, refunds and exclusions, also weeks later and after a restart."""

from __future__ import annotations

import pytest

from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, INQUIRIES, ORDERS
from stream_attr.processor import Options
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import Driver

MIDNIGHT = zone("Asia/Shanghai").start_of(20_758)
"""2026-11-01 in Shanghai."""
NOON = MIDNIGHT + 12 * HOUR_MS
TODAY = "jd:1|{}|2026-11-01"


class Shop(Driver):
    """A shop with one buyer, whom agent A serves."""

    def __init__(self, retention: Retention | None = None, **settings: object) -> None:
        super().__init__(
            settings=[{"shop_id": "jd:1", "effective_from": "2026-01-01", **settings}],
            options=Options(allowed_lateness_ms=0, retention=retention or Retention()),
        )
        self._events = 0

    def serve(self, ts, agent_id="A"):
        for sender, at in (("buyer", ts), ("agent", ts + MINUTE_MS)):
            self._events += 1
            ids = {"shop_id": "jd:1", "buyer_id": "b-1", "agent_id": agent_id, "event_id": f"m{self._events}"}
            self.send(CHAT, {**ids, "ts": at, "sender": sender})

    def order(self, kind, ts, amount=None, order_id="o-1", **more):
        self._events += 1
        ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": order_id, "event_id": f"e{self._events}"}
        amounts = {} if amount is None else {"amount": amount}
        return self.send(ORDERS, {**ids, "ts": ts, "type": kind, **amounts, **more})

    def days(self, agent_id="A", day="2026-11-01"):
        return self.last(AGENT_DAILY)[f"jd:1|{agent_id}|{day}"]

    def sales(self, agent_id="A", day="2026-11-01"):
        return self.days(agent_id, day)["sales"]["amount"]

    def inquiry(self, day="2026-11-01"):
        return self.last(INQUIRIES)[f"jd:1|b-1|A|{day}"]

    def decision(self):
        return self.last(DECISIONS)["jd:1|o-1"]

    def pass_days(self, first, last):
        for day in range(first, last + 1):
            self.tick(MIDNIGHT + day * DAY_MS)


def test_instalments_are_sales_of_the_day_of_the_first():
    shop = Shop()
    shop.serve(NOON - HOUR_MS)
    shop.order("created", NOON, 100_000)
    shop.order("paid", NOON + MINUTE_MS, 10_000, payment_id="1")
    shop.pass_days(1, 2)
    assert shop.sales() == 10_000
    shop.order("paid", NOON + 2 * DAY_MS, 90_000, payment_id="2")
    shop.pass_days(3, 4)
    assert (shop.sales(), shop.sales("*"), shop.days()["sales"]["orders"]) == (100_000, 100_000, 1)
    assert "jd:1|A|2026-11-03" not in shop.last(AGENT_DAILY)


def test_an_earlier_payment_takes_the_sale_from_its_day():
    shop = Shop()
    shop.serve(NOON - HOUR_MS)
    shop.order("created", NOON, 900)
    shop.serve(NOON + DAY_MS)
    shop.order("paid", NOON + DAY_MS + HOUR_MS, 500, payment_id="2")
    shop.pass_days(3, 3)
    assert shop.sales("A", "2026-11-02") == 500
    shop.order("paid", NOON + MINUTE_MS, 400, payment_id="1")
    shop.pass_days(4, 5)
    assert (shop.sales(), shop.sales("A", "2026-11-02")) == (900, 0)


def test_a_closed_request_leaves_the_day_on_which_it_was_made():
    shop = Shop()
    shop.serve(NOON - HOUR_MS)
    shop.order("created", NOON, 900)
    shop.order("paid", NOON + MINUTE_MS, 900)
    shop.serve(NOON + DAY_MS)
    shop.order("refund_requested", NOON + DAY_MS + HOUR_MS, 300, refund_id="r-1")
    shop.pass_days(2, 3)
    assert shop.days("A", "2026-11-02")["refunds"]["requested"] == 300
    shop.order("refund_closed", NOON + 3 * DAY_MS, refund_id="r-1")
    shop.pass_days(4, 5)
    assert shop.days("A", "2026-11-02")["refunds"]["requested"] == 0
    assert shop.sales("*") == 900


def test_a_refund_that_was_known_is_counted_on_the_day_of_the_first():
    shop = Shop()
    shop.serve(NOON - HOUR_MS)
    shop.order("created", NOON, 900)
    shop.order("paid", NOON + MINUTE_MS, 900)
    shop.order("refund_completed", NOON + 2 * DAY_MS, 300, refund_id="r-1")
    shop.pass_days(3, 3)
    shop.order("refund_completed", NOON + DAY_MS, 200, refund_id="r-1")
    shop.pass_days(4, 5)
    assert shop.days("A", "2026-11-02")["refunds"]["completed"] == 200
    assert shop.days("A", "2026-11-03")["refunds"]["completed"] == 0


def test_an_excluded_order_is_in_no_figure_and_no_inquiry_until_it_is_included():
    shop = Shop()
    shop.serve(NOON - HOUR_MS)
    shop.order("created", NOON, 900)
    shop.order("paid", NOON + MINUTE_MS, 900)
    shop.order("refund_completed", NOON + HOUR_MS, 100)
    shop.pass_days(1, 3)
    day, inquiry = shop.days(), shop.inquiry()
    assert (inquiry["kind"], inquiry["outcome"], day["refunds"]["completed"]) == ("inquiry", "paid", 100)
    shop.order("excluded", NOON + 3 * DAY_MS)
    shop.pass_days(4, 5)
    excluded = shop.days()
    assert [excluded[group]["amount"] for group in ("placed", "paid", "sales")] == [0, 0, 0]
    assert (excluded["sales"]["orders"], excluded["refunds"]["completed"]) == (0, 0)
    assert (shop.inquiry()["outcome"], shop.inquiry()["order_ids"]) == ("lost", [])
    shop.order("included", NOON + 5 * DAY_MS)
    shop.pass_days(6, 7)
    again = shop.days()
    assert [again[group] for group in ("placed", "paid", "sales", "refunds")] == [
        day[group] for group in ("placed", "paid", "sales", "refunds")
    ]
    assert (shop.inquiry()["outcome"], shop.inquiry()["order_ids"]) == ("paid", ["o-1"])


def test_an_excluded_order_makes_nobody_a_follow_up_or_after_sales():
    shop = Shop()
    shop.order("created", NOON, 900)
    shop.order("paid", NOON + MINUTE_MS, 900)
    shop.serve(NOON + 4 * DAY_MS)
    shop.pass_days(5, 8)
    assert shop.inquiry("2026-11-05")["kind"] == "after_sales"
    shop.order("excluded", NOON + 8 * DAY_MS)
    shop.pass_days(9, 9)
    assert (shop.inquiry("2026-11-05")["kind"], shop.inquiry("2026-11-05")["outcome"]) == ("inquiry", "lost")


RETENTIONS = [None, Retention(33 * DAY_MS, DAY_MS)]


@pytest.mark.parametrize("retention", RETENTIONS, ids=["default", "shortest"])
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("wait", [3, 39])
@pytest.mark.parametrize("pays", [True, False])
def test_an_inquiry_waits_for_the_balance_of_its_order(pays, wait, restarted, retention):
    """Ordered with a deposit whose balance can be paid for 40 days; paid after so many days, or never."""
    shop = Shop(retention)
    shop.serve(NOON - HOUR_MS)
    shop.order("created", NOON, 900)
    shop.order("deposit_paid", NOON + MINUTE_MS, 100, balance_until=NOON + 40 * DAY_MS)
    shop.order("created", NOON, 50, order_id="o-2")
    shop.order("paid", NOON + MINUTE_MS, 50, order_id="o-2")
    for day in range(1, 41):
        if restarted:
            shop.restart()
        shop.tick(MIDNIGHT + day * DAY_MS)
        if day == wait and pays:
            shop.order("paid", MIDNIGHT + day * DAY_MS, 900)
            shop.order("excluded", MIDNIGHT + day * DAY_MS, order_id="o-2")
    if not pays:
        shop.order("excluded", MIDNIGHT + 40 * DAY_MS, order_id="o-2")
    shop.tick(MIDNIGHT + 41 * DAY_MS - 1)
    inquiry, daily = shop.inquiry(), shop.days()
    assert (inquiry["status"], inquiry["outcome"]) == ("pending", "paid" if pays else "ordered")
    assert inquiry["final_at"] == MIDNIGHT + 41 * DAY_MS
    assert (daily["payments"]["status"], daily["payments"]["final_from"]) == ("pending", "2026-12-12")
    assert (daily["placed"]["orders"], daily["placed"]["amount"]) == (1, 900)
    if restarted:
        shop.restart()
    shop.tick(MIDNIGHT + 41 * DAY_MS)
    inquiry, daily = shop.inquiry(), shop.days()
    assert (inquiry["status"], inquiry["outcome"]) == ("final", "paid" if pays else "payment_lost")
    assert (daily["status"], daily["payments"]["status"]) == ("final", "final")
    assert (daily["payments"]["paid"], daily["payments"]["payment_lost"]) == ((1, 0) if pays else (0, 1))
    assert (daily["placed"]["orders"], daily["workload"]["receptions"]) == (1, 1)
    # A's chat lies more than 20 days before the later payment: a placing agent, but no payment agent.
    assert shop.decision()["outcome"] == ("unpaid" if not pays else "credited" if wait == 3 else "silent")
    for day in [*range(42, 110), 300]:
        shop.tick(MIDNIGHT + day * DAY_MS)
    assert [key for key in shop.state if key[:1] != b"\x04" and not key.startswith(b"\x00")] == []
    assert shop.days() == daily


def test_the_worked_example_of_a_deposit():
    shop = Shop(validity={"natural_days": 1})
    begin = zone("Asia/Shanghai").start_of(20_750)  # 2026-10-24
    shop.serve(begin + 19 * HOUR_MS)
    shop.order("created", begin + 20 * HOUR_MS, 100_000)
    shop.order("deposit_paid", begin + 20 * HOUR_MS + 1, 10_000, balance_until=begin + 19 * DAY_MS - 1)
    outcomes = []
    for day in range(1, 19):
        shop.tick(begin + day * DAY_MS)
        outcomes.append((shop.decision()["outcome"], shop.inquiry("2026-10-24")["outcome"]))
    assert set(outcomes) == {("awaiting_payment", "ordered")}
    shop.serve(begin + 18 * DAY_MS + 19 * HOUR_MS, "B")
    shop.order("paid", begin + 18 * DAY_MS + 20 * HOUR_MS, 100_000)
    shop.tick(begin + 19 * DAY_MS)
    decision, inquiry = shop.decision(), shop.inquiry("2026-10-24")
    # The payment interval begins with the validity, so B is in it: from 23 October to the payment.
    assert (decision["placing"]["agent_id"], decision["credit"]["agent_id"]) == ("A", "B")
    assert (inquiry["status"], inquiry["outcome"]) == ("final", "paid")
    assert (shop.sales("B", "2026-11-11"), decision["amount"]) == (100_000, 100_000)


@pytest.mark.parametrize("kind", ["paid", "refund_requested", "refund_completed"])
def test_what_would_exceed_the_greatest_amount_together_is_refused(kind):
    """A sum that not every JSON reader holds exactly; the same payment or refund again adds nothing."""
    name = "payment_id" if kind == "paid" else "refund_id"
    shop = Shop()
    shop.order("created", NOON, 1)
    shop.order(kind, NOON + 3, MAX_AMOUNT - 1, **{name: "1"})
    (refused,) = [one for one in shop.order(kind, NOON + 4, 2, **{name: "2"}) if one.topic == DEAD_LETTERS]
    assert (refused.value["code"], refused.value["field"]) == ("bad_value", "amount")
    assert "come to more than 9007199254740991" in refused.value["message"]
    accepted = [
        *shop.order(kind, NOON + 4, 1, **{name: "2"}),
        *shop.order(kind, NOON + 2, MAX_AMOUNT - 1, **{name: "1"}),
    ]
    assert [one.topic for one in accepted if one.topic == DEAD_LETTERS] == []
    sums = {"paid": "amount"}.get(kind, kind)
    assert shop.decision()[sums] == MAX_AMOUNT


def test_figures_of_which_all_was_taken_back_before_a_restart_are_emitted_after_it():
    shop = Driver(
        settings=[{"shop_id": "jd:1", "effective_from": "2026-01-01"}],
        options=Options(allowed_lateness_ms=0, caught_up_every_ms=None),
    )
    ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1"}
    shop.send(
        ORDERS, {**ids, "event_id": "e1", "type": "paid", "ts": NOON, "created_ts": NOON, "amount": 12_900}
    )
    shop.tick(NOON + 15 * MINUTE_MS)
    assert shop.last(AGENT_DAILY)[TODAY.format("*")]["sales"]["amount"] == 12_900
    shop.send(ORDERS, {**ids, "event_id": "e2", "type": "excluded", "ts": NOON + 16 * MINUTE_MS})
    shop.tick(NOON + 27 * MINUTE_MS)  # the day has it, and emits it at half past
    shop.restart()
    shop.finish()
    last = shop.last(AGENT_DAILY)[TODAY.format("*")]
    assert (last["sales"]["amount"], last["status"]) == (0, "final")
