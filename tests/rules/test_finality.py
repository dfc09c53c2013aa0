"""Outcome, status and the deadlines at which they change by themselves, in threes (RULEBOOK 6)."""

from __future__ import annotations

import pytest

from stream_attr.rules.order.attribution import judge
from stream_attr.rules.order.facts import Cancelled, Placed
from stream_attr.rules.order.finality import deadlines, outcome, verdict
from stream_attr.rules.order.intervals import Interval, Intervals
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.days import DAY_MS, END_OF_TIME, HOUR_MS, MINUTE_MS, day_number, zone
from stream_attr.rules.shop.settings import Settings, SilentFollowup, Validity
from stream_attr.rules.shop.shop import Shop

SHANGHAI = zone("Asia/Shanghai")
NOON = SHANGHAI.start_of(20_000) + 12 * HOUR_MS
MIDNIGHT = NOON + 12 * HOUR_MS
"""The end of the day of the order."""
DEADLINE = NOON + 24 * HOUR_MS


def order_with(paid=None, cancelled=None, created=NOON):
    order = Order("o-1")
    order.add_created(Placed(created, "e1", 100, None, None, ()))
    if paid is not None:
        order.add_paid(Placed(paid, "e2", 100, None, None, ()))
    if cancelled is not None:
        order.add_cancelled(Cancelled(cancelled, "e3", None))
    return order


def shop_with(settings=None, timezone="Asia/Shanghai"):
    shop = Shop("jd:1")
    if settings is not None:
        shop.add_settings(SettingsRecord(0, 0, settings, {}), timezone)
    return shop


def judged(order, settings=None):
    return judge(order, {}, "b-1", shop_with(settings), "official")


def state_of(order, watermark, settings=None):
    found = verdict(order, judged(order, settings), watermark)
    return found.status, found.outcome


@pytest.mark.parametrize(
    ("watermark", "expected"),
    [
        (-END_OF_TIME, ("pending", "awaiting_payment")),
        (DEADLINE - 1, ("pending", "awaiting_payment")),
        (DEADLINE, ("pending", "unpaid")),
        (DEADLINE + 1, ("pending", "unpaid")),
        (MIDNIGHT + DAY_MS - 1, ("pending", "unpaid")),
        (MIDNIGHT + DAY_MS, ("final", "unpaid")),
        (MIDNIGHT + DAY_MS + 1, ("final", "unpaid")),
    ],
)
def test_an_order_that_is_never_paid(watermark, expected):
    assert state_of(order_with(), watermark) == expected


@pytest.mark.parametrize(
    ("cancelled", "before_deadline", "final_at"),
    [
        (NOON - 1, "cancelled", MIDNIGHT),  # before its creation, from a platform of loose clocks
        (MIDNIGHT - 1, "cancelled", MIDNIGHT),
        (MIDNIGHT, "cancelled", MIDNIGHT + DAY_MS),
        (DEADLINE - 1, "cancelled", MIDNIGHT + DAY_MS),
        (DEADLINE, "awaiting_payment", MIDNIGHT + DAY_MS),
        (DEADLINE + 1, "awaiting_payment", MIDNIGHT + DAY_MS),
    ],
)
def test_a_cancellation_counts_before_the_deadline_only(cancelled, before_deadline, final_at):
    order = order_with(cancelled=cancelled)
    judgement = judged(order)
    assert outcome(order, judgement, DEADLINE - 1) == before_deadline
    assert outcome(order, judgement, END_OF_TIME) == ("cancelled" if cancelled < DEADLINE else "unpaid")
    assert judgement.final_at == final_at


@pytest.mark.parametrize(
    ("paid", "final_at"),
    [
        (NOON - 1, MIDNIGHT),
        (MIDNIGHT - 1, MIDNIGHT),
        (MIDNIGHT, MIDNIGHT + DAY_MS),
        (NOON + 30 * DAY_MS, MIDNIGHT + 30 * DAY_MS),
    ],
)
@pytest.mark.parametrize("cancelled", [None, NOON, NOON + 40 * DAY_MS])
def test_a_paid_order_is_final_with_the_later_of_its_days_whatever_was_cancelled(paid, final_at, cancelled):
    order = order_with(paid, cancelled)
    assert [state_of(order, final_at + ms) for ms in (-1, 0, 1)] == [
        ("pending", "silent"), ("final", "silent"), ("final", "silent"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("paid", "final_at"),
    [
        (MIDNIGHT - 10 * MINUTE_MS - 1, MIDNIGHT),
        (MIDNIGHT - 10 * MINUTE_MS, MIDNIGHT + DAY_MS),  # the window's last millisecond is tomorrow's first
        (MIDNIGHT - 10 * MINUTE_MS + 1, MIDNIGHT + DAY_MS),
    ],
)
def test_a_full_silent_order_waits_for_its_followup(paid, final_at):
    followup = Settings(silent_followup=SilentFollowup(buyer_initiated=True))
    assert judged(order_with(paid), followup).final_at == final_at
    assert judged(order_with(paid)).final_at == MIDNIGHT


@pytest.mark.parametrize(
    "order",
    [
        order_with(),
        order_with(paid=NOON + HOUR_MS),
        order_with(paid=NOON + 3 * DAY_MS),
        order_with(cancelled=NOON + HOUR_MS),
        order_with(cancelled=NOON + 3 * DAY_MS),
    ],
    ids=["unpaid", "paid", "paid after the deadline", "cancelled", "cancelled after the deadline"],
)
def test_a_verdict_changes_by_itself_at_its_deadlines_and_only_there(order):
    judgement = judged(order)
    due = set(deadlines(order, judgement))
    for at in {NOON, DEADLINE, MIDNIGHT, MIDNIGHT + DAY_MS, MIDNIGHT + 3 * DAY_MS, *due}:
        before, after = (verdict(order, judgement, at + ms) for ms in (-1, 0))
        assert (before != after) is (at in due)
        assert verdict(order, judgement, at + 1) == after


# The intervals


def spans(order, settings, timezone="Asia/Shanghai"):
    return Intervals.of(order, order.created_ts, settings, shop_with(settings, timezone))


@pytest.mark.parametrize("hours", [24, 48, 360])
def test_rolling_validity_counts_hours_through_any_change_of_clocks(hours):
    created = zone("Europe/Berlin").start_of(day_number("2026-10-26"))
    settings = Settings(validity=Validity(hours=hours))
    assert spans(order_with(created=created), settings, "Europe/Berlin").placing == Interval(
        created - hours * HOUR_MS, created
    )


@pytest.mark.parametrize(("days", "hours"), [(0, 0), (1, 25), (2, 49), (15, 15 * 24 + 1)])
def test_natural_days_begin_with_a_midnight_of_the_shop(days, hours):
    created = zone("Europe/Berlin").start_of(day_number("2026-10-26"))  # the day before had 25 hours
    settings = Settings(validity=Validity(natural_days=days))
    for later in (0, 1, DAY_MS - 1):
        found = spans(order_with(created=created + later), settings, "Europe/Berlin").placing
        assert found == Interval(created - hours * HOUR_MS, created + later)


@pytest.mark.parametrize(
    ("delay", "from_start"),
    [(5 * DAY_MS - 1, True), (5 * DAY_MS, True), (5 * DAY_MS + 1, False)],
)
def test_a_payment_looks_back_20_days_at_most(delay, from_start):
    found = spans(order_with(NOON + delay), Settings(validity=Validity(hours=360)))
    start = found.placing.start if from_start else NOON + delay - 20 * DAY_MS
    assert found.payment == Interval(start, NOON + delay)


def test_the_followup_window_leaves_the_payment_out_and_takes_its_last_millisecond_in():
    settings = Settings(silent_followup=SilentFollowup(agent_initiated=True, minutes=3))
    assert spans(order_with(NOON), settings).followup == Interval(NOON + 1, NOON + 3 * MINUTE_MS + 1)
    assert spans(order_with(), settings).followup == Interval(0, 0)
    assert spans(order_with(NOON), Settings()).followup == Interval(0, 0)


@pytest.mark.parametrize(
    ("paid", "cancelled", "end"),
    [
        (None, None, DEADLINE),
        (None, DEADLINE - 1, DEADLINE - 1),
        (None, DEADLINE + 1, DEADLINE),
        (DEADLINE + 5, None, DEADLINE + 5),
        (DEADLINE + 5, NOON + 1, DEADLINE + 5),
    ],
)
def test_assists_are_given_until_the_payment_or_the_end_of_waiting_for_it(paid, cancelled, end):
    assert spans(order_with(paid, cancelled), Settings()).assist == Interval(NOON, end)


@pytest.mark.parametrize("hours", [1, 24, 168])
def test_the_payment_deadline_is_the_settings(hours):
    assert spans(order_with(), Settings(payment_deadline_hours=hours)).deadline == NOON + hours * HOUR_MS
