"""The fact of every reception, recomputed from scratch from all that is known (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.reference.days import MINUTE_MS, day_of, end_after, passed
from tests.reference.intervals import rounds_of
from tests.reference.offline import settled_receptions
from tests.reference.receptions import Event, Reception
from tests.reference.settings import OFFICIAL, Rules
from tests.reference.shops import Shop, shops_of

Fact = dict[str, Any]

EFFECTIVE_CONVERSATION_MS = 30_000

PRESENCE_MS = 2 * MINUTE_MS
"""How long before and after each message the buyer is present."""


def facts(
    chat: list[Event],
    orders: list[Event],
    settings: list[dict[str, Any]],
    roster: list[dict[str, Any]],
    watermark: int | None,
    _rulings: Sequence[Event] = (),
) -> dict[tuple[str, str, str, str], Fact]:
    """Return the fact per (shop_id, buyer_id, agent_id, day) when the watermark stands at ``watermark``.

    All records are valid and accepted. Facts lack what distinguishes emissions: revision, reason,
    watermark.
    """
    found = [
        fact_of(reception, shop, watermark)
        for shop in shops_of(chat, orders, settings, roster)
        for reception in settled_receptions(shop, watermark)
    ]
    return {(f["shop_id"], f["buyer_id"], f["agent_id"], f["day"]): f for f in found}


def fact_of(reception: Reception, shop: Shop, watermark: int | None) -> Fact:
    """Say what is recorded of one reception."""
    rules = shop.settings.rules_on(reception.day, OFFICIAL)
    of_buyer = [m for m in reception.counted if m["sender"] == "buyer"]
    of_agent = [m for m in reception.counted if m["sender"] == "agent"]
    responses = [r for r in responses_of(reception.turns) if response_counts(r, rules)]
    duration_ms = reception.last_ts - reception.first_ts
    final_at = end_after(reception.day, 0, shop.settings.days)
    return {
        "shop_id": shop.shop_id,
        "buyer_id": reception.buyer_id,
        "agent_id": reception.agent_id,
        "day": reception.day.isoformat(),
        "status": "final" if passed(watermark, final_at) else "pending",
        "first_ts": reception.first_ts,
        "last_ts": reception.last_ts,
        "initiator": reception.initiator,
        "buyer_messages": len(of_buyer),
        "agent_messages": len(of_agent),
        "agent_characters": sum(characters_of(m) for m in of_agent),
        "rounds": rounds_of(reception.turns),
        "replied": is_replied(reception.turns),
        "first_response_ms": responses[0] if responses else None,
        "response_ms_sum": sum(responses),
        "response_count": len(responses),
        "slow": is_slow(responses, rules),
        "duration_ms": duration_ms,
        "effective_conversation": duration_ms >= EFFECTIVE_CONVERSATION_MS,
        "product_page": any(m.get("entry") == "product_page" for m in of_buyer),
        "transferred": bool(reception.transfers),
        "handed_over": bool(reception.handed_over),
        "rating": rating_of(reception, shop),
        "presence": presence_of([m["ts"] for m in reception.messages]),
        "filtered": reception.filtered,
        "role": reception.role,
        "final_at": final_at,
    }


def characters_of(message: Event) -> int:
    """Count a message's characters: its text by code points, without a text what the integrator says."""
    if "text" in message:
        return len(message["text"])
    return int(message.get("text_length", 0))


def is_replied(turns: list[Event]) -> bool:
    """Say whether an effective agent message comes after the first message, or question, of the buyer."""
    senders = [turn["sender"] for turn in turns]
    return "buyer" in senders and "agent" in senders[senders.index("buyer") :]


def responses_of(turns: list[Event]) -> list[int]:
    """Return each time from the first of the buyer not yet answered to the next effective agent message."""
    responses = []
    waiting_since = None
    for turn in turns:
        if turn["sender"] == "buyer":
            waiting_since = turn["ts"] if waiting_since is None else waiting_since
        elif waiting_since is not None:
            responses.append(turn["ts"] - waiting_since)
            waiting_since = None
    return responses


def response_counts(response_ms: int, rules: Rules) -> bool:
    """Say whether a response time counts: it does not from the longest wait on, unless that is off."""
    longest: int | None = rules["max_wait_minutes"]
    return longest is None or response_ms < longest * MINUTE_MS


def is_slow(responses: list[int], rules: Rules) -> bool:
    """Say whether so many of the responses that count are so long that the reception is a slow one."""
    seconds, times = (int(rules["slow_response"][name]) for name in ("seconds", "times"))
    return len([r for r in responses if r > seconds * 1000]) >= times


def rating_of(reception: Reception, shop: Shop) -> int | None:
    """Return the score of the last rating that belongs to a pair and its day; None without one."""
    ratings = [
        e
        for e in shop.chat
        if e.get("type") == "rating"
        and (e["buyer_id"], e["agent_id"]) == (reception.buyer_id, reception.agent_id)
        and day_of(e["rated_ts"] if "rated_ts" in e else e["ts"], shop.settings.days) == reception.day
    ]
    last = max(ratings, key=lambda e: (e["ts"], e["event_id"]), default=None)
    return None if last is None else int(last["score"])


def presence_of(times: list[int]) -> list[list[int]]:
    """Return when the buyer was there, by the times of all messages: closed intervals, merged."""
    intervals: list[list[int]] = []
    for ts in sorted(times):
        begin, end = ts - PRESENCE_MS, ts + PRESENCE_MS
        if intervals and begin <= intervals[-1][1]:
            intervals[-1][1] = end
        else:
            intervals.append([begin, end])
    return intervals
