"""Cases of real shops that are no scenario of a decision: dead letters and outcomes of inquiries.

Orders under two buyers, exports that restart their ids, and chat imported under new ids are told by ``check``
(tests/replay/test_audit.py); clock changes and day cuts are in day_cut.json, transfers in
carried_questions.json, deposits and instalments in money.json.
"""

from __future__ import annotations

from typing import Any

import pytest

from stream_attr.contract.topics import CHAT, DEAD_LETTERS, INQUIRIES, ORDERS
from stream_attr.rules.shop.days import DAY_MS, MINUTE_MS
from stream_attr.testing import Driver

PLACED = 1_793_500_000_000
BUYER = {"shop_id": "jd:1", "buyer_id": "b-1"}


def order_event(kind: str, ts: int) -> dict[str, Any]:
    ids = {**BUYER, "order_id": "o-1", "event_id": f"{kind}/{ts}"}
    return {**ids, "type": kind, "ts": ts, "amount": 100}


def message(agent_id: str, sender: str, ts: int) -> dict[str, Any]:
    return {**BUYER, "agent_id": agent_id, "event_id": f"{agent_id}/{sender}", "sender": sender, "ts": ts}


def sixty_days_later() -> Driver:
    """An order was placed and paid, and its retention is over."""
    driver = Driver()
    for kind in ("created", "paid"):
        driver.send(ORDERS, order_event(kind, PLACED))
    for days in range(1, 61):
        driver.tick(PLACED + days * DAY_MS)
    assert driver.last(INQUIRIES) == {}
    return driver


def test_a_reversal_that_is_told_after_the_retention_is_too_late() -> None:
    driver = sixty_days_later()
    [letter] = driver.send(ORDERS, order_event("refund_completed", PLACED + 20 * DAY_MS))
    assert (letter.topic, letter.value["code"], letter.value["field"]) == (DEAD_LETTERS, "too_late", "ts")


def test_a_reversal_of_an_order_that_is_kept_no_longer_is_too_late_at_once() -> None:
    driver = sixty_days_later()
    [letter] = driver.send(ORDERS, order_event("refund_completed", PLACED + 60 * DAY_MS))
    assert (letter.topic, letter.value["code"], letter.value["field"]) == (
        DEAD_LETTERS,
        "too_late",
        "order_id",
    )
    assert letter.value["message"].startswith("its order is kept no longer")
    assert driver.finish() == []


@pytest.mark.parametrize(("answers", "kind"), [(True, "assist"), (False, "self_ordered")])
def test_an_agent_who_never_replied_did_not_help_with_the_order(answers: bool, kind: str) -> None:
    driver = Driver()
    driver.send(CHAT, message("B", "buyer", PLACED - 60 * MINUTE_MS))
    if answers:
        driver.send(CHAT, message("B", "agent", PLACED - 59 * MINUTE_MS))
    for minutes, sender in ((30, "buyer"), (29, "agent")):
        driver.send(CHAT, message("A", sender, PLACED - minutes * MINUTE_MS))
    driver.send(CHAT, {**message("B", "agent", PLACED + MINUTE_MS), "buyer_id": "b-2"})  # B is not offline
    driver.send(ORDERS, order_event("created", PLACED))
    driver.finish()
    kinds = {key.split("|")[2]: one["kind"] for key, one in driver.last(INQUIRIES).items() if "b-1" in key}
    assert kinds == {"A": "inquiry", "B": kind}
