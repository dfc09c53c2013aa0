"""What the events of one order say (RULEBOOK 2): the first of each type counts, every refund adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """The facts of one order of which a creation is known."""

    shop_id: str
    buyer_id: str
    order_id: str
    created_ts: int
    paid_ts: int | None
    cancelled_ts: int | None
    amount: int
    """Minor units."""
    quantity: int
    currency: str
    """Like ``quantity``: what ``paid`` does not say, ``created`` does."""
    refund_requested: int
    """Sum in minor units, like ``refund_completed``."""
    refund_completed: int
    product_ids: frozenset[str]


def order_of(events: list[Event]) -> Order | None:
    """Read the facts off all events of one order; None while no creation is known."""

    def first(kind: str) -> Event | None:
        found = sorted((e for e in events if e["type"] == kind), key=lambda e: (e["ts"], e["event_id"]))
        return found[0] if found else None

    def refunded(kind: str) -> int:
        return sum(e["amount"] for e in events if e["type"] == kind)

    created, paid, cancelled = first("created"), first("paid"), first("cancelled")
    naming = sorted(
        (e["ts"], e["event_id"], e["created_ts"]) for e in events if e["type"] == "paid" and "created_ts" in e
    )
    if created is not None:
        created_ts = created["ts"]
    elif naming:
        # Of several payments the first that names one, so that a creation once known stays known.
        created_ts = naming[0][2]
    else:
        return None
    leading = paid if paid is not None else created
    assert leading is not None
    sayings = [e for e in (paid, created) if e is not None]
    return Order(
        shop_id=leading["shop_id"],
        buyer_id=leading["buyer_id"],
        order_id=leading["order_id"],
        created_ts=created_ts,
        paid_ts=None if paid is None else paid["ts"],
        cancelled_ts=None if cancelled is None else cancelled["ts"],
        amount=leading["amount"],
        quantity=next((e["quantity"] for e in sayings if "quantity" in e), 1),
        currency=next((e["currency"] for e in sayings if "currency" in e), "CNY"),
        refund_requested=refunded("refund_requested"),
        refund_completed=refunded("refund_completed"),
        product_ids=frozenset(product for e in sayings for product in e.get("product_ids", [])),
    )
