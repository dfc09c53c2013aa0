"""What the events of one order say (RULEBOOK 2): which of several counts, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """The facts of one order of which a creation is known; epoch milliseconds and minor units."""

    shop_id: str
    buyer_id: str
    order_id: str
    created_ts: int
    deposit: Event | None
    paid_ts: int | None
    cancelled_ts: int | None
    amount: int
    quantity: int
    currency: str
    """Like ``quantity``: what ``paid`` does not say, ``created`` does."""
    refunds: list[Event]
    """Requests and completions that count, by time, then event id."""
    excluded: bool
    product_ids: frozenset[str]
    notices: list[str]
    ruling: Event | None
    """The one that holds."""
    events: list[Event]
    """All that are known, by time, then event id."""

    @property
    def refund_requested(self) -> int:
        return _total(self.refunds, "refund_requested")

    @property
    def refund_completed(self) -> int:
        return _total(self.refunds, "refund_completed")


def order_of(events: list[Event], rulings: Iterable[Event] = ()) -> Order | None:
    """Read the facts off all events and rulings of one order; None while no creation is known."""
    events = sorted(events, key=_by_time)

    def all_of(kind: str) -> list[Event]:
        return [e for e in events if e["type"] == kind]

    def first(kind: str) -> Event | None:
        return next(iter(all_of(kind)), None)

    created, deposit, cancelled = first("created"), first("deposit_paid"), first("cancelled")
    payments = payments_among(events)
    naming = [e for e in all_of("paid") if "created_ts" in e]
    if created is not None:
        created_ts = created["ts"]
    elif naming:
        created_ts = naming[0]["created_ts"]
    else:
        return None
    telling = [e for e in (*payments[:1], created) if e is not None]
    """What tells quantity and currency, the first payment before the creation."""
    amount = sum(e["amount"] for e in payments) if payments else telling[0]["amount"]
    currency = next((e["currency"] for e in telling if "currency" in e), "CNY")
    refunds = refunds_among(events)
    counting = [e for e in (created, deposit, cancelled, *payments, *refunds) if e is not None]
    exclusions = [e for e in events if e["type"] in {"excluded", "included"}]
    last_rulings = sorted(rulings, key=_by_time)[-1:]

    notices = set()
    if any(_is_another_payment(e, payments) for e in all_of("paid")):
        notices.add("several_payments")
    if _total(refunds, "refund_completed") > amount:
        notices.add("over_refunded")
    if payments and cancelled is not None and _total(refunds, "refund_completed") < amount:
        notices.add("paid_and_cancelled")
    if any(e.get("currency", currency) != currency for e in counting):
        notices.add("currency_differs")

    return Order(
        shop_id=events[0]["shop_id"],
        buyer_id=events[0]["buyer_id"],
        order_id=events[0]["order_id"],
        created_ts=created_ts,
        deposit=deposit,
        paid_ts=payments[0]["ts"] if payments else None,
        cancelled_ts=None if cancelled is None else cancelled["ts"],
        amount=amount,
        quantity=next((e["quantity"] for e in telling if "quantity" in e), 1),
        currency=currency,
        refunds=refunds,
        excluded=bool(exclusions) and exclusions[-1]["type"] == "excluded",
        product_ids=frozenset(
            product for e in (created, *payments) if e is not None for product in e.get("product_ids", [])
        ),
        notices=sorted(notices),
        ruling=next((e for e in last_rulings if e["type"] == "credit"), None),
        events=events,
    )


def payments_among(events: list[Event]) -> list[Event]:
    """Return the payments that count, in order: the first with each payment id, and the first without one."""
    counting: dict[str | None, Event] = {}
    for event in events:
        if event["type"] == "paid":
            counting.setdefault(event.get("payment_id"), event)
    return list(counting.values())


def _is_another_payment(paid: Event, payments: list[Event]) -> bool:
    """Say whether a payment is another than the one that counts in its place."""
    counting = next(e for e in payments if e.get("payment_id") == paid.get("payment_id"))
    return (paid["amount"], paid["ts"]) != (counting["amount"], counting["ts"])


def refunds_among(events: list[Event]) -> list[Event]:
    """Return the refunds that count, in order: one with an id once, and unless its request was closed."""
    closed = {e["refund_id"] for e in events if e["type"] == "refund_closed"}
    seen = set()
    counting = []
    for event in events:
        if event["type"] not in {"refund_requested", "refund_completed"}:
            continue
        refund_id = event.get("refund_id")
        if refund_id is None:
            counting.append(event)
            continue
        if (event["type"], refund_id) in seen:
            continue
        seen.add((event["type"], refund_id))
        if event["type"] == "refund_completed" or refund_id not in closed:
            counting.append(event)
    return counting


def _by_time(event: Event) -> tuple[int, str]:
    return event["ts"], event["event_id"]


def _total(refunds: list[Event], kind: str) -> int:
    return sum(e["amount"] for e in refunds if e["type"] == kind)
