"""A buyer's facts, inquiries and figures: what they are, and what has changed since they were emitted."""

from __future__ import annotations

from stream_attr.rules.buyer.buyer import Buyer, OpenReception
from stream_attr.rules.buyer.emitted import PendingChanges
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.reports.inquiry import inquiry_of, is_recorded
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.reports.reception_fact import fact_of


def reception_fact(buyer: Buyer, agent_id: str, day: int, reception: Reception) -> Fact:
    """Return the figures of a reception (RULEBOOK 8)."""
    fact = reception.cached_fact(buyer.shop)
    if fact is None:
        fact = reception.fact = fact_of(reception, buyer.buyer_id, agent_id, day, buyer.shop)
    return fact


def reception_inquiry(
    buyer: Buyer, agent_id: str, day: int, reception: Reception, watermark: int
) -> Inquiry | None:
    """Return what became of a reception at a watermark; None where it is not an inquiry (RULEBOOK 7)."""
    if not reception.has_reception(day, buyer.shop):
        return None
    fact = reception_fact(buyer, agent_id, day, reception)
    if not is_recorded(fact):
        return None
    days = buyer.receptions[agent_id]
    following = days.get(day + 1)
    after = (
        reception_fact(buyer, agent_id, day + 1, following)
        if following is not None and following.has_reception(day + 1, buyer.shop)
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


def add_closing(buyer: Buyer, agent_id: str, day: int, last_ts: int) -> bool:
    """Record when an agent spoke last on a day that is over; return whether a reception has news by it."""
    reception = buyer.receptions.get(agent_id, {}).get(day)
    if reception is None or not reception.close(last_ts):
        return False
    mark_dirty(buyer, day, "timer", orders=False)
    return True


def mark_dirty(buyer: Buyer, since: int, reason: str, *, late: bool = False, orders: bool = True) -> None:
    """Record a change that bears on a day and those after it, to be emitted; see `PendingChanges`."""
    pending = buyer.pending_changes
    if pending is None:
        buyer.pending_changes = PendingChanges(since, reason, late, orders)
    elif since < pending.since or reason != pending.reason or late > pending.late or orders > pending.orders:
        buyer.pending_changes = PendingChanges(
            min(since, pending.since), reason, late or pending.late, orders or pending.orders
        )


def schedule_reports(buyer: Buyer, ts: int, watermark: int, every_ms: int) -> bool:
    """Let reports be due ``every_ms`` after a change at ``ts``, or when its day ends if that is sooner.

    Returns whether they are due earlier than before.
    """
    reports_due = buyer.reports_due
    if reports_due is not None and reports_due <= ts + every_ms:
        return False
    due = max(ts, watermark) + every_ms
    end_of_day = buyer.shop.zone.end_of_day(ts) if ts > 0 else due
    if watermark < end_of_day < due:
        due = end_of_day
    if reports_due is not None and reports_due <= due:
        return False
    buyer.reports_due = due
    return True


def take_changes(buyer: Buyer) -> PendingChanges | None:
    """Return what has changed since reports were last emitted, and start collecting again."""
    changes, buyer.pending_changes = buyer.pending_changes, None
    return changes


def all_receptions(buyer: Buyer) -> list[OpenReception]:
    """Return all receptions, open or not."""
    return [
        (agent_id, day, reception)
        for agent_id, days in buyer.receptions.items()
        for day, reception in days.items()
    ]


def finish_reports(buyer: Buyer, still_open: list[OpenReception], reports_due: int | None) -> None:
    """Record that reports are emitted: which receptions are still open, and when reports are due next."""
    buyer.open_receptions = still_open
    buyer.open_version = buyer.shop.version
    buyer.touched_agents.clear()
    buyer.reports_due = reports_due


def record_contribution(buyer: Buyer, day: int, digest: int) -> bool:
    """Record the digest of a buyer's contribution to a day; return whether it differs from the last one."""
    if buyer.day_digests.get(day) == digest:
        return False
    buyer.day_digests[day] = digest
    return True


def drop_contributions_before(buyer: Buyer, day: int) -> None:
    """Drop the digests of days before ``day``: their figures stay as they are."""
    for dropped in [one for one in buyer.day_digests if one < day]:
        del buyer.day_digests[dropped]
