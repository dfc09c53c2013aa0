"""Service tasks of parcels that came back and of reviews that are not good (RULEBOOK 9)."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from stream_attr.contract.topics import DECISIONS, ORDERS, RULINGS, SETTINGS
from stream_attr.processor import ShopRegistry
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from tests.processor.test_tasks import NOON, Shop, served

DUE = zone("Asia/Shanghai").start_of(20_758) + 17 * HOUR_MS + 30 * MINUTE_MS
"""2026-11-01 17:30."""
SUNDAY, MONDAY = 7, 1


def bought(**tasks):
    """A shop in which A served the buyer of o-1, which is paid; no other tasks."""
    off = {"enabled": False}
    shop = Shop(address_check=off, payment_reminder=off, payment_reminder_sms=off, **tasks)
    served(shop)
    shop.order("created", NOON)
    assert shop.order("paid", NOON) == []
    return shop


def happened(shop, type_, ts, **fields):
    """Let something happen to the order; return the tasks emitted: kind, status, agent, due, closed."""
    shop.now = max(shop.now, ts)
    ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "event_id": f"e{shop.offset}"}
    shop.send(ORDERS, **ids, ts=ts, type=type_, **fields)
    names = ("kind", "status", "agent_id", "due_ts", "closed_ts")
    return [tuple(task[name] for name in names) for task in shop.told]


def reviewed(shop, ts, review):
    return happened(shop, "reviewed", ts, review=review)


def shift(weekday, start, end, agent_id):
    return {"weekday": weekday, "from": start, "to": end, "agent_id": agent_id}


# Parcels


@pytest.mark.parametrize(("came", "due"), [(DUE - 1, DUE), (DUE, DUE), (DUE + 1, DUE + DAY_MS)])
def test_a_parcel_is_due_by_half_past_five_of_its_day_or_of_the_next(came, due):
    shop = bought(duty=[shift(SUNDAY, "12:00", "24:00", "D")])
    assert happened(shop, "parcel_returned", came) == [("parcel_inspection", "open", "D", due, None)]
    assert shop.told[0]["reason"] == "parcel"
    assert shop.tick(due + DAY_MS) == []
    closed = happened(shop, "parcel_inspected", due + DAY_MS)
    assert closed == [("parcel_inspection", "closed", "D", due, due + DAY_MS)]
    assert happened(shop, "parcel_inspected", due + DAY_MS + 1) == []
    assert happened(shop, "parcel_returned", due + DAY_MS + 2) == []


@pytest.mark.parametrize(("came", "agent"), [(DUE - 1, "early"), (DUE, "late"), (DUE + DAY_MS, None)])
def test_who_is_on_duty_when_the_parcel_comes_inspects_it(came, agent):
    shop = bought(duty=[shift(SUNDAY, "00:00", "17:30", "early"), shift(SUNDAY, "17:30", "24:00", "late")])
    [(_, _, agent_id, *_)] = happened(shop, "parcel_returned", came)
    assert agent_id == agent


def test_the_shop_says_by_when_or_that_nobody_need():
    shop = bought(parcel_inspection={"by": "13:00"})
    assert happened(shop, "parcel_returned", NOON)[0][3] == NOON + HOUR_MS
    assert happened(bought(parcel_inspection={"enabled": False}), "parcel_returned", NOON) == []


def test_a_parcel_that_was_inspected_is_not_and_one_before_its_return_does_not_count():
    shop = bought()
    assert happened(shop, "parcel_inspected", NOON + 1) == []
    assert happened(shop, "parcel_returned", NOON + 1) == []
    shop = bought()
    assert happened(shop, "parcel_inspected", NOON + 1) == []
    assert [one[1] for one in happened(shop, "parcel_returned", NOON + 2)] == ["open"]


def test_an_earlier_return_that_comes_later_makes_it_due_earlier():
    shop = bought(duty=[shift(SUNDAY, "00:00", "17:30", "early"), shift(SUNDAY, "17:30", "24:00", "late")])
    assert happened(shop, "parcel_returned", DUE + 1)[0][2:4] == ("late", DUE + DAY_MS)
    assert happened(shop, "parcel_returned", DUE) == [("parcel_inspection", "open", "late", DUE, None)]
    assert happened(shop, "parcel_returned", DUE - 1)[0][2:4] == ("early", DUE)
    assert shop.told[0]["revision"] == 3


@pytest.mark.parametrize(("late", "opens"), [(30 * MINUTE_MS, True), (30 * MINUTE_MS + 1, False)])
def test_of_a_parcel_long_due_nothing_is_told(late, opens):
    shop = bought()
    shop.now = DUE + late
    assert bool(happened(shop, "parcel_returned", NOON)) == opens


def test_half_past_two_on_a_day_on_which_the_clocks_jump_over_it():
    spring = int(datetime.fromisoformat("2026-03-08T00:00-05:00").timestamp()) * 1000
    record = {"shop_id": "jd:1", "effective_from": "2026-01-01", "timezone": "America/New_York"}
    shop = Shop()
    shop.registry = ShopRegistry()
    tasks = {"parcel_inspection": {"by": "02:30"}, "duty": [shift(SUNDAY, "03:00", "03:30", "D")]}
    value = shop_settings({**record, "tasks": tasks})
    assert shop.registry.apply(Record(SETTINGS, 0, 0, NOON, None, value)) is None
    shop.now = spring
    shop.start()
    shop.order("created", spring)
    shop.order("paid", spring)
    jump = spring + 2 * HOUR_MS
    assert happened(shop, "parcel_returned", jump)[0][1:4] == ("open", "D", jump)  # at 03:00, not 02:00


def shop_settings(record):
    return json.dumps(record).encode()


# Reviews


@pytest.mark.parametrize("review", ["neutral", "bad"])
def test_a_review_that_is_not_good_is_followed_up_in_a_day(review):
    shop = bought()
    due = NOON + HOUR_MS + DAY_MS
    assert reviewed(shop, NOON + HOUR_MS, review) == [("review_follow_up", "open", "A", due, None)]
    assert shop.told[0]["reason"] == "review"
    assert reviewed(shop, NOON + 2 * HOUR_MS, "bad") == []
    assert shop.tick(due + DAY_MS) == []
    at = due + DAY_MS
    assert reviewed(shop, at, "good") == [("review_follow_up", "closed", "A", due, at)]
    assert reviewed(shop, at + 1, "bad") == []


def test_a_good_review_needs_nothing_and_one_after_it_does():
    shop = bought()
    assert reviewed(shop, NOON + 1, "good") == []
    assert reviewed(shop, NOON + 2, "bad") == [("review_follow_up", "open", "A", NOON + 2 + DAY_MS, None)]


def test_reviews_count_in_the_order_of_their_times():
    shop = bought()
    assert reviewed(shop, NOON + 5, "good") == []
    assert reviewed(shop, NOON + 3, "bad") == []  # good since: nothing to be done
    assert reviewed(shop, NOON + 6, "bad") == []  # the first that is not good is followed by a good one


MIDNIGHT = NOON + 12 * HOUR_MS
"""With which the 2nd begins."""


@pytest.mark.parametrize(("first", "agent"), [(MIDNIGHT - 1, "odd"), (MIDNIGHT, "even")])
def test_who_has_the_day_of_the_first_review_follows_it_up(first, agent):
    names = {"odd": "odd", "even": "even"}
    shop = bought(review_follow_up=names)
    assert reviewed(shop, first, "bad")[0][2] == agent
    shop = bought(review_follow_up=names)
    assert reviewed(shop, first, "good") == []
    assert reviewed(shop, first + DAY_MS, "bad")[0][2] == agent


def test_the_day_of_a_review_is_the_clocks():
    names = {"odd": "odd", "even": "even"}
    shop = Shop()
    shop.registry = ShopRegistry()
    record = {"shop_id": "jd:1", "effective_from": "2026-10-01", "day_cut": "02:00"}
    value = shop_settings({**record, "tasks": {"review_follow_up": names}})
    assert shop.registry.apply(Record(SETTINGS, 0, 0, NOON, None, value)) is None
    shop.start()
    shop.order("created", NOON)
    shop.order("paid", NOON)
    assert reviewed(shop, MIDNIGHT + HOUR_MS, "bad")[0][2] == "even"


def test_else_the_credited_agent_follows_it_up_whoever_that_is_by_then():
    shop = bought(review_follow_up={"even": "E"})
    assert reviewed(shop, NOON + 1, "bad")[0][2] == "A"
    ruling = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "event_id": "r", "ts": NOON + 2}
    shop.send(RULINGS, **ruling, type="credit", agent_id="R", ruled_by="boss")
    told = [(task["agent_id"], task["revision"], task["reason"]) for task in shop.told]
    assert told == [("R", 2, "ruling")]


def test_where_nobody_is_named_or_credited_it_says_null():
    shop = Shop()
    shop.order("created", NOON)
    shop.order("paid", NOON)
    assert reviewed(shop, NOON + 1, "bad")[0][2] is None
    assert happened(shop, "parcel_returned", NOON + 1)[0][2] is None


def test_the_shop_can_leave_reviews_alone():
    assert reviewed(bought(review_follow_up={"enabled": False}), NOON + 1, "bad") == []


# Both


def test_of_an_excluded_order_nothing_is_to_be_done_until_it_is_included_again():
    shop = bought(duty=[shift(SUNDAY, "00:00", "24:00", "D")])
    reviewed(shop, NOON + 1, "bad")
    closed = happened(shop, "excluded", NOON + 2)
    assert closed == [("review_follow_up", "closed", "A", NOON + 1 + DAY_MS, NOON + 2)]
    assert happened(shop, "parcel_returned", NOON + 3) == []
    assert happened(shop, "included", NOON + 4) == [("parcel_inspection", "open", "D", DUE, None)]


def test_they_change_no_decision_and_survive_a_restart():
    shop = bought()
    before = shop.store
    for type_, fields in (("parcel_returned", {}), ("reviewed", {"review": "bad"})):
        shop.offset += 1
        ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "event_id": f"x{shop.offset}"}
        value = shop_settings({**ids, "ts": NOON + 1, "type": type_, **fields})
        record = Record(ORDERS, 0, shop.offset, NOON, b"jd:1|b-1", value)
        batch = shop.processor.process([record], frozenset())
        assert DECISIONS not in [output.topic for output in batch.outputs]
        before.apply(batch.changes)
    shop.start()
    assert reviewed(shop, NOON + 2, "good")[0][:2] == ("review_follow_up", "closed")
    assert happened(shop, "parcel_inspected", NOON + 3)[0][:2] == ("parcel_inspection", "closed")


def test_they_wait_for_the_creation_of_their_order():
    shop = Shop()
    assert reviewed(shop, NOON + 2, "bad") == []
    assert happened(shop, "parcel_returned", NOON + 2) == []
    shop.now = NOON + 2
    shop.order("created", NOON)
    kinds = [task["kind"] for task in shop.told]
    assert kinds == ["parcel_inspection", "review_follow_up"]
