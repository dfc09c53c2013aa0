"""Decisions written by hand, to be explained and to be tampered with."""

from __future__ import annotations

from typing import Any

NOON = 1_793_505_600_000
"""2026-11-01 12:00:00 in Shanghai."""
MINUTE = 60_000
MIDNIGHT = NOON + 12 * 60 * MINUTE

Json = dict[str, Any]


def figures(messages: int, rounds: int, first_ts: int, last_ts: int, **more: object) -> Json:
    """What an agent's messages came to."""
    of_messages = {"messages": messages, "rounds": rounds, "first_ts": first_ts, "last_ts": last_ts}
    return {**of_messages, "product_page": False, "ordered_product": False, **more}


def candidate(agent_id: str, **intervals: Json) -> Json:
    """A candidate with its figures in the intervals named."""
    return {"agent_id": agent_id, "placing": None, "payment": None, "followup": None, **intervals}


def picked(agent_id: str, rule: str, of: Json) -> Json:
    """The agent that a rule picked, with the candidate's figures."""
    return {"agent_id": agent_id, "rule": rule, "last_ts": of["last_ts"], "rounds": of["rounds"]}


def decision(**changes: object) -> Json:
    """An order placed at noon after chats with A, then C; paid at 12:10 after B spoke; credit B."""
    a = figures(9, 4, NOON - 60 * MINUTE, NOON - 10 * MINUTE, product_page=True)
    c = figures(4, 1, NOON - 9 * MINUTE, NOON - 5 * MINUTE)
    b = figures(2, 1, NOON + 3 * MINUTE, NOON + 4 * MINUTE)
    whole: Json = {
        "decision_id": "jd:10086|o-1|official|3",
        "supersedes": "jd:10086|o-1|official|2",
        "shop_id": "jd:10086",
        "order_id": "o-1",
        "buyer_id": "b-7",
        "profile": "official",
        "preset": "jd_cloud",
        "settings_from": "2026-10-01",
        "status": "final",
        "revision": 3,
        "reason": "timer",
        "outcome": "credited",
        "silence": "none",
        "placing": picked("C", "last_chat", c),
        "payment": picked("B", "last_chat", b),
        "credit": {"agent_id": "B", "basis": "payment", "rule": "payment"},
        "assists": [{"agent_id": "A", "kind": "order"}],
        "amount": 129_000,
        "quantity": 2,
        "currency": "CNY",
        "refund_requested": 9_000,
        "refund_completed": 9_000,
        "net_amount": 120_000,
        "created_ts": NOON,
        "paid_ts": NOON + 10 * MINUTE,
        "cancelled_ts": None,
        "final_at": MIDNIGHT,
        "watermark": MIDNIGHT + 5,
        "candidates": [
            candidate("A", placing=a, payment=a),
            candidate("B", payment=b),
            candidate("C", placing=c, payment=c),
        ],
        "discarded": [{"agent_id": "D", "day": "2026-11-01", "reason": "monologue"}],
    }
    return {**whole, **changes}


def silent(**changes: object) -> Json:
    """The same order with nobody before it; B and E followed it up after the payment, E first."""
    paid = NOON + 10 * MINUTE
    first = {
        "placing": None,
        "payment": None,
        "silence": "full",
        "assists": [],
        "discarded": [],
        "credit": {"agent_id": "E", "basis": "followup", "rule": "order_first"},
        "candidates": [
            candidate("B", followup=figures(2, 1, paid + 2 * MINUTE, paid + 4 * MINUTE, initiator="buyer")),
            candidate("E", followup=figures(3, 1, paid + 1 * MINUTE, paid + 5 * MINUTE, initiator="buyer")),
        ],
    }
    return decision(**{**first, **changes})


def unpaid(**changes: object) -> Json:
    """The same order not yet paid, with A and C before it."""
    whole = decision()
    first = {
        "decision_id": "jd:10086|o-1|official|1",
        "supersedes": None,
        "revision": 1,
        "status": "pending",
        "outcome": "awaiting_payment",
        "reason": "created",
        "payment": None,
        "credit": None,
        "paid_ts": None,
        "refund_requested": 0,
        "refund_completed": 0,
        "net_amount": 129_000,
        "final_at": MIDNIGHT + 24 * 60 * MINUTE,
        "watermark": NOON - MINUTE,
        "candidates": [{**one, "payment": None} for one in whole["candidates"] if one["placing"]],
    }
    return decision(**{**first, **changes})
