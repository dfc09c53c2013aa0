"""A buyer's facts, inquiries and figures: what they are, and what has changed since they were emitted."""

from __future__ import annotations

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.emitted import PendingChanges
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.reports.inquiry import inquiry_of, is_recorded
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.reports.reception_fact import fact_of


def reception_fact(buyer: Buyer, agent_id: str, day: int, reception: Reception) -> Fact:
    """Return the figures of a reception that has messages (RULEBOOK 8)."""
    fact = reception.cached_fact(buyer.shop)
    if fact is None:
        fact = reception.fact = fact_of(reception, buyer.buyer_id, agent_id, day, buyer.shop)
    return fact


def reception_inquiry(
    buyer: Buyer, agent_id: str, day: int, reception: Reception, watermark: int
) -> Inquiry | None:
    """Return what became of a reception at a watermark; None where it is not an inquiry (RULEBOOK 7)."""
    fact = reception_fact(buyer, agent_id, day, reception)
    if not is_recorded(fact):
        return None
    days = buyer.receptions[agent_id]
    following = days.get(day + 1)
    after = (
        reception_fact(buyer, agent_id, day + 1, following)
        if following is not None and following.messages
        else None
    )
    soon = {order.order_id: order for one in (day, day + 1) for order in buyer.orders_on(one)}
    return inquiry_of(
        agent_id, day, fact, days, after, soon.values(), buyer.orders.values(), buyer.shop, watermark
    )


def waits_for_closing(buyer: Buyer, watermark: int) -> bool:
    """Whether a fact of a day that is over was emitted as pending: it waits for a closing."""
    return any(
        reception.last_emitted_fact is not None
        and not reception.last_emitted_fact.final
        and buyer.shop.zone.start_of(day + 1) <= watermark
        for days in buyer.receptions.values()
        for day, reception in days.items()
    )


def mark_dirty(buyer: Buyer, since: int, reason: str, *, late: bool = False, orders: bool = True) -> None:
    """Record a change that bears on a day and those after it, to be emitted; see `PendingChanges`."""
    pending = buyer.pending_changes
    if pending is None:
        buyer.pending_changes = PendingChanges(since, reason, late, orders)
    elif since < pending.since or reason != pending.reason or late > pending.late or orders > pending.orders:
        buyer.pending_changes = PendingChanges(
            min(since, pending.since), reason, late or pending.late, orders or pending.orders
        )
