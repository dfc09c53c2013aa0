"""A buyer with one of everything that state can hold, and its bytes in each version of the layout.

``python -m tests.codec.state_sample`` writes the sample of the present version. Once a version is released
its sample is never written again: it stands for the state that installations have on disk.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from msgspec import to_builtins
from msgspec.structs import asdict, astuple

from stream_attr.codec.state.buyer import VERSION, encode_buyer
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.emitted import EmittedTask, LastEmitted
from stream_attr.rules.buyer.reports import mark_dirty
from stream_attr.rules.buyer.retention import Retention, expire
from stream_attr.rules.buyer.timers import reschedule
from stream_attr.rules.buyer.verdicts import revise
from stream_attr.rules.chat.message import AGENT, BLANK, BROADCAST, BUYER, PRODUCT_PAGE, Message
from stream_attr.rules.chat.reception import Rating
from stream_attr.rules.order.facts import (
    Cancelled,
    Deposit,
    Exclusion,
    Placed,
    Refund,
    Reviewed,
    Ruling,
    Waiting,
)
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.rules.shop.settings import PRESETS
from stream_attr.rules.shop.shop import Shop

SAMPLES = Path(__file__).parent / "state_samples"
BUYER_ID = "买家-7"
NOON = zone("Asia/Shanghai").start_of(20_758) + 12 * HOUR_MS
"""2026-11-01 12:00 in Shanghai."""
MIDNIGHT = NOON + 12 * HOUR_MS


def sample_shop() -> Shop:
    """Return the shop of the sample, which judges every order under two profiles."""
    shop = Shop("jd:10086")
    rules = {"order-first": PRESETS["kefu_mofang"]}
    shop.add_settings(SettingsRecord(20_700, 20_700, PRESETS["jd_cloud"], rules), "Asia/Shanghai")
    return shop


def sample_buyer() -> Buyer:
    """Return a buyer: two agents, a transfer, orders sealed, paid, unpaid, created by payment, with
    rare facts, incomplete.
    """
    buyer = Buyer(sample_shop(), BUYER_ID)
    long_ago = NOON - 40 * DAY_MS
    for side, event_id in ((BUYER, "m8"), (AGENT, "m9")):
        buyer.add_message("A", Message(long_ago - 1, side, event_id, 0, 3, None), touched=[])
    sealed = buyer.add_order_event("o-sealed", "e8", long_ago)
    assert sealed is not None
    sealed.add_created(Placed(long_ago, "e8", 500, None, None, ()))
    buyer.add_order_event("o-sealed", "e9", long_ago)
    sealed.add_paid(Placed(long_ago, "e9", 500, None, None, ()))
    list(revise(buyer, sealed, NOON, "paid"))
    buyer.add_order_event("o-sealed", "e10", NOON)
    sealed.add_refund(Refund(NOON, "e10", 500, completed=False))
    expire(buyer, NOON, Retention())
    assert sealed.sealed

    for ts, side, event_id, agent_id, flags, product_id in (
        (NOON - 60 * MINUTE_MS, BUYER, "m1", "A", PRODUCT_PAGE, "p-1"),
        (NOON - 59 * MINUTE_MS, AGENT, "m2", "A", 0, None),
        (NOON - 30 * MINUTE_MS, BUYER, "m3", "客服-乙", 0, None),
        (NOON - 29 * MINUTE_MS, AGENT, "m4", "客服-乙", BROADCAST, None),
        (NOON - 28 * MINUTE_MS, AGENT, "m5", "客服-乙", 0, None),
        (NOON - 27 * MINUTE_MS, BUYER, "m6", "A", BLANK, None),
    ):
        buyer.add_message(agent_id, Message(ts, side, event_id, flags, 12, product_id), touched=[])
    buyer.add_transfer("客服-乙", "A", NOON - 10 * MINUTE_MS, "m7", touched=[])
    buyer.add_rating("A", Rating(NOON, "m10", 5, NOON - MINUTE_MS))
    [[_, reception]] = buyer.receptions["A"].items()
    reception.last_emitted_fact = LastEmitted(2, 2**63 - 1, final=False)
    reception.last_emitted_inquiry = LastEmitted(1, 7, final=True)
    reception.closed_ts = NOON - 27 * MINUTE_MS
    buyer.day_digests = {20_758: 2**63 - 2}
    mark_dirty(buyer, 20_758, "chat", late=True)
    buyer.reports_due = NOON + HOUR_MS

    order = buyer.add_order_event("o-paid", "e1", NOON)
    assert order is not None
    order.add_created(Placed(NOON, "e1", 12_900, 2, "CNY", ("p-1", "p-2")))
    list(revise(buyer, order, NOON - 5 * MINUTE_MS, "created"))
    buyer.add_order_event("o-paid", "e2", NOON + MINUTE_MS)
    order.add_paid(Placed(NOON + MINUTE_MS, "e2", 12_000, None, None, (), NOON))
    buyer.add_order_event("o-paid", "e3", NOON + HOUR_MS)
    order.add_refund(Refund(NOON + HOUR_MS, "e3", 300, completed=False))
    buyer.add_order_event("o-paid", "e4", NOON + HOUR_MS)
    order.add_refund(Refund(NOON + HOUR_MS, "e4", 200, completed=True, refund_id="r-1", currency="USD"))
    list(revise(buyer, order, MIDNIGHT, "refund"))
    buyer.add_order_event("o-paid", "|r1", NOON + 2 * HOUR_MS)
    order.add_ruling(Ruling(NOON + 2 * HOUR_MS, "r1", "客服-乙", "主管", withdrawn=False))
    list(revise(buyer, order, MIDNIGHT, "ruling"))

    unpaid = buyer.add_order_event("o-unpaid", "e5", NOON + DAY_MS)
    assert unpaid is not None
    unpaid.add_created(Placed(NOON + DAY_MS, "e5", 100, None, None, ()))
    buyer.add_order_event("o-unpaid", "e6", NOON + DAY_MS + 1)
    unpaid.add_cancelled(Cancelled(NOON + DAY_MS + 1, "e6", "CNY"))
    list(revise(buyer, unpaid, NOON + DAY_MS, "cancelled"))

    by_payment = buyer.add_order_event("o-told", "e11", NOON)
    assert by_payment is not None
    by_payment.add_paid(Placed(NOON, "e11", 100, None, None, ()))
    buyer.add_order_event("o-told", "e12", NOON + 1)
    by_payment.add_paid(Placed(NOON + 1, "e12", 100, None, None, (), NOON - 1))

    rare = buyer.add_order_event("o-rare", "e13", NOON)
    assert rare is not None
    rare.add_created(Placed(NOON, "e13", 1_000, None, None, ()))
    for number, event_id in enumerate(("e14", "e15", "e16", "e17", "e18", "e19", "e20", "e21", "e22"), 1):
        buyer.add_order_event("o-rare", event_id, NOON + number)
    rare.add_deposit(Deposit(NOON + 2, "e15", 100, NOON + 3 * DAY_MS, "CNY"))
    rare.add_paid(Placed(NOON + 1, "e14", 300, None, None, ()))
    rare.add_paid(Placed(NOON + 3, "e16", 700, None, "USD", ("p-3",), payment_id="2"))
    rare.add_paid(Placed(NOON + 4, "e17", 700, None, None, (), payment_id="2"))
    rare.close_refund("r-2")
    rare.add_exclusion(Exclusion(NOON + 6, "e19", excluded=True))
    rare.add_time("parcel_returned", NOON + 7)
    rare.add_time("parcel_inspected", NOON + 8)
    rare.add_review(Reviewed(NOON + 9, "e22", good=False))
    rare.record_task("parcel_inspection", EmittedTask(1, True, "客服-乙", NOON + HOUR_MS))
    list(revise(buyer, rare, NOON, "excluded"))

    waiting = buyer.add_order_event("o-waiting", "e7", NOON)
    assert waiting is not None
    waiting.add_paid(Placed(NOON, "e7", 0, None, None, ()))
    waiting.waiting.append(Waiting(3, 7, b"jd:10086|b", b'{"event_id": "e7"}'))
    waiting.waiting.append(Waiting(3, 8, None, b"{}"))
    waiting.waiting.append(Waiting(3, 9, None, b"{}", is_ruling=True))
    reschedule(buyer, NOON, Retention())
    return buyer


def contents_of(buyer: Buyer) -> dict[str, Any]:
    """Return all that state keeps of a buyer, as JSON holds it and in words that outlive its layout."""
    text = json.dumps(
        {
            "due": buyer.due,
            "reports_due": buyer.reports_due,
            "pending_changes": buyer.pending_changes and asdict(buyer.pending_changes),
            "day_digests": sorted(buyer.day_digests.items()),
            "told": {
                agent_id: {
                    day: [
                        one.closed_ts,
                        *[
                            last and astuple(last)
                            for last in (one.last_emitted_fact, one.last_emitted_inquiry)
                        ],
                    ]
                    for day, one in sorted(days.items())
                }
                for agent_id, days in buyer.receptions.items()
            },
            "chat": {
                agent_id: [one._asdict() for day in sorted(days) for one in days[day].messages]
                for agent_id, days in buyer.receptions.items()
            },
            "transfers": {
                agent_id: [transfer for day in sorted(days) for transfer in days[day].transfers]
                for agent_id, days in buyer.receptions.items()
            },
            **_chat_since_version_2(buyer),
            "orders": {
                order.order_id: {
                    "created": order.created and _fields(order.created),
                    "paid": order.paid and _fields(order.paid),
                    "created_by_payment": order.created_by_payment and _fields(order.created_by_payment),
                    "cancelled_ts": order.cancelled_ts,
                    "refunds": [[one.ts, one.amount, one.completed] for one in order.refunds],
                    "event_ids": order.event_ids,
                    "last_ts": order.last_ts,
                    "waiting": [
                        [one.partition, one.offset, one.key and one.key.decode(), one.value.decode()]
                        for one in order.waiting
                    ],
                    "waiting_rulings": [one.offset for one in order.waiting if one.is_ruling],
                    "ruling": order.ruling and order.ruling._asdict(),
                    "emitted": {
                        profile: {
                            "revision": last.revision,
                            "reason": last.reason,
                            "verdict": _fields(last.verdict),
                        }
                        for profile, last in order.emitted.items()
                    },
                    "sealed": {profile: _fields(one) for profile, one in order.judged.items()}
                    if order.sealed
                    else None,
                    **_since_version_2(order),
                }
                for order in buyer.orders.values()
            },
        }
    )
    contents: dict[str, Any] = json.loads(text)
    return contents


def _fields(value: Any) -> dict[str, Any]:
    """Return the fields of a named tuple; those of a later version only where they hold something."""
    return {
        name: one for name, one in value._asdict().items() if one or name not in value._field_defaults
    } | ({"created_ts": value.created_ts} if isinstance(value, Placed) else {})


def _since_version_2(order: Order) -> dict[str, Any]:
    """Return what version 2 added, where there is any."""
    added = {
        "cancelled": order.cancelled if order.cancelled and order.cancelled.event_id else None,
        "refund_events": [one._asdict() for one in order.refunds if one.event_id],
        "rare": order.rare and to_builtins(asdict(order.rare)),
        "tasks": {kind: task._asdict() for kind, task in order.tasks.items()},
    }
    return {name: value for name, value in added.items() if value}


def _chat_since_version_2(buyer: Buyer) -> dict[str, Any]:
    """Return what version 2 added, where there is any."""
    found: dict[str, dict[str, Any]] = {
        "handed_over": {
            agent_id: times
            for agent_id, days in buyer.receptions.items()
            if (times := [ts for day in sorted(days) for ts in days[day].handed_over])
        },
        "ratings": {
            agent_id: ratings
            for agent_id, days in buyer.receptions.items()
            if (ratings := [one for day in sorted(days) for one in days[day].ratings])
        },
    }
    return {name: facts for name, facts in found.items() if facts}


def write() -> None:
    """Write the sample of the present version."""
    SAMPLES.mkdir(exist_ok=True)
    buyer = sample_buyer()
    sample = {"state_base64": b64encode(encode_buyer(buyer)).decode(), "tells": contents_of(buyer)}
    text = json.dumps(sample, ensure_ascii=False, indent=2) + "\n"
    (SAMPLES / f"version-{VERSION}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
