"""What comes of an order that is kept no longer is too late, and says so at once (RULEBOOK 6)."""

from __future__ import annotations

from typing import Any

import pytest

from stream_attr.contract.topics import DEAD_LETTERS, DECISIONS, ORDERS, RULINGS
from stream_attr.processor.forgotten_orders import FORGOTTEN_DUE_MARK, FORGOTTEN_MARK
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.testing import Driver
from stream_attr.testing.driver import Emitted

PLACED = 1_793_500_000_000
BUYER = {"shop_id": "jd:1", "buyer_id": "b-1"}
MARKS = (FORGOTTEN_MARK, FORGOTTEN_DUE_MARK)


def event(kind: str, day: int, **fields: Any) -> dict[str, Any]:
    one = {"order_id": "o-1", "event_id": f"{kind}/{day}", "type": kind, "amount": 100}
    return {**BUYER, **one, "ts": PLACED + day * DAY_MS, **fields}


def ruling(day: int) -> dict[str, Any]:
    one = {"order_id": "o-1", "event_id": f"ruling/{day}", "type": "credit", "agent_id": None}
    return {**BUYER, **one, "ruled_by": "manager", "ts": PLACED + day * DAY_MS}


@pytest.fixture
def forgotten() -> Driver:
    """An order was placed and paid, and dropped after 45 days; o-2's creation never came."""
    driver = Driver()
    for one in (event("created", 0), event("paid", 0), event("paid", 0, order_id="o-2", event_id="e")):
        driver.send(ORDERS, one)
    days_pass(driver, 1, 60)
    return driver


def days_pass(driver: Driver, first: int, last: int) -> None:
    for day in range(first, last + 1):
        driver.tick(PLACED + day * DAY_MS)


def refusals(emitted: list[Emitted]) -> list[tuple[str, str]]:
    assert all(one.topic == DEAD_LETTERS for one in emitted)
    return [(one.value["code"], one.value["field"]) for one in emitted]


@pytest.mark.parametrize(
    "kind",
    ["paid", "cancelled", "refund_requested", "refund_completed", "excluded", "parcel_returned"],
)
def test_whatever_comes_of_it_is_too_late_at_once(forgotten: Driver, kind: str) -> None:
    forgotten.restart()
    found = forgotten.send(ORDERS, event(kind, 60))
    assert refusals(found) == [("too_late", "order_id")]
    assert "--order-retention-days" in found[0].value["message"]
    assert forgotten.finish() == []
    assert not forgotten.state


def test_a_ruling_is_too_late(forgotten: Driver) -> None:
    assert refusals(forgotten.send(RULINGS, ruling(60))) == [("too_late", "order_id")]


def test_an_id_that_is_used_once_more_is_a_new_order(forgotten: Driver) -> None:
    [decision] = forgotten.send(ORDERS, event("created", 60))
    assert (decision.topic, decision.value["revision"]) == (DECISIONS, 1)
    assert [one.topic for one in forgotten.send(ORDERS, event("paid", 60))] == [DECISIONS]


def test_other_orders_and_the_same_id_of_another_buyer_wait_for_their_creation(forgotten: Driver) -> None:
    refund = event("refund_completed", 60)
    for other in ({"order_id": "o-2"}, {"order_id": "o-3", "event_id": "another"}, {"buyer_id": "b-2"}):
        assert forgotten.send(ORDERS, {**refund, **other}) == []
    assert refusals(forgotten.finish()) == [("incomplete_order", "order_id")] * 3


def test_after_half_a_year_its_id_is_forgotten_too(forgotten: Driver) -> None:
    days_pass(forgotten, 61, 224)
    assert {key[:1] for key in forgotten.state if key[:1] in MARKS} == {FORGOTTEN_MARK}
    forgotten.restart()
    days_pass(forgotten, 225, 227)
    assert not [key for key in forgotten.state if key[:1] in MARKS]
    assert forgotten.send(ORDERS, event("refund_completed", 227)) == []
    assert refusals(forgotten.finish()) == [("incomplete_order", "order_id")]


def test_an_order_dropped_twice_is_remembered_from_the_second_time(forgotten: Driver) -> None:
    forgotten.send(ORDERS, event("created", 60))
    days_pass(forgotten, 61, 227)  # 180 days after it was dropped first
    assert refusals(forgotten.send(ORDERS, event("refund_completed", 227))) == [("too_late", "order_id")]
