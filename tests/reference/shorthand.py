"""Records in few words, for the tests of the figures."""

from __future__ import annotations

from typing import Any

from tests.reference.days import HOUR_MS, MINUTE_MS

Json = dict[str, Any]

SECOND_MS = 1000
DAY_MS = 24 * HOUR_MS
MIDNIGHT = 1_793_462_400_000
"""2026-11-01 00:00 in Asia/Shanghai."""
NOON = MIDNIGHT + 12 * HOUR_MS
TODAY = "2026-11-01"


def message(ts: int, agent_id: str, sender: str, buyer_id: str = "b-1", **more: Any) -> Json:
    event_id = f"{ts}/{agent_id}/{sender}/{buyer_id}"
    owner = {"shop_id": "jd:1", "buyer_id": buyer_id}
    return {**owner, "event_id": event_id, "agent_id": agent_id, "ts": ts, "sender": sender, **more}


def chat_of(agent_id: str, start: int, buyer_id: str = "b-1") -> list[Json]:
    """A buyer asks, and the agent answers after a minute."""
    return [
        message(start, agent_id, "buyer", buyer_id),
        message(start + MINUTE_MS, agent_id, "agent", buyer_id),
    ]


def outreach_of(agent_id: str, start: int, buyer_id: str = "b-1") -> list[Json]:
    """An agent addresses a buyer, who answers after a minute."""
    return [
        message(start, agent_id, "agent", buyer_id),
        message(start + MINUTE_MS, agent_id, "buyer", buyer_id),
    ]


def transfer(ts: int, agent_id: str, to_agent_id: str, buyer_id: str = "b-1") -> Json:
    ids = {"shop_id": "jd:1", "buyer_id": buyer_id, "event_id": f"{ts}/{agent_id}/transfer/{buyer_id}"}
    return {**ids, "type": "transfer", "ts": ts, "agent_id": agent_id, "to_agent_id": to_agent_id}


def rating(score: int, ts: int, agent_id: str = "A", buyer_id: str = "b-1", **more: Any) -> Json:
    ids = {"shop_id": "jd:1", "buyer_id": buyer_id, "event_id": f"{ts}/{agent_id}/rating/{buyer_id}"}
    return {**ids, "type": "rating", "ts": ts, "agent_id": agent_id, "score": score, **more}


def order(kind: str, ts: int, order_id: str = "o-1", buyer_id: str = "b-1", **more: Any) -> Json:
    ids = {"shop_id": "jd:1", "buyer_id": buyer_id, "order_id": order_id}
    return {**ids, "event_id": f"{order_id}/{kind}/{ts}", "type": kind, "ts": ts, "amount": 100, **more}


def shop_settings(**given: Any) -> list[Json]:
    """One settings record, in force on all days."""
    return [{"shop_id": "jd:1", "effective_from": "2026-01-01", **given}]


CARRIED = shop_settings(carried_questions=True)
NOT_CARRIED = shop_settings(carried_questions=False)


def role(agent_id: str, name: str, effective_from: str = "2026-01-01") -> Json:
    return {"shop_id": "jd:1", "agent_id": agent_id, "role": name, "effective_from": effective_from}


def ruling(agent_id: str | None, ts: int, order_id: str = "o-1", **more: Any) -> Json:
    ids = {"shop_id": "jd:1", "buyer_id": "b-1", "order_id": order_id, "event_id": f"{order_id}/ruling/{ts}"}
    return {**ids, "type": "credit", "ts": ts, "agent_id": agent_id, "ruled_by": "the manager", **more}


def around(instant: int) -> tuple[int, int, int]:
    """One millisecond before, at, and one after."""
    return instant - 1, instant, instant + 1


def busy_day() -> tuple[list[Json], list[Json]]:
    """A places the order that B is credited with, loses another inquiry, and a third order is silent."""
    chat = [
        message(NOON, "A", "buyer"),
        message(NOON + MINUTE_MS, "A", "agent", text="ab"),
        *chat_of("A", NOON + 5 * MINUTE_MS, "b-2"),
        *chat_of("B", NOON + 90 * MINUTE_MS),
    ]
    orders = [
        order("created", NOON + HOUR_MS, amount=1000, quantity=2),
        order("paid", NOON + 2 * HOUR_MS, amount=1000),
        order("refund_requested", NOON + 3 * HOUR_MS, amount=200),
        order("refund_completed", NOON + DAY_MS, amount=150),
        order("created", NOON, "o-2", "b-3", amount=501),
        order("paid", NOON, "o-2", "b-3", amount=501),
    ]
    return chat, orders
