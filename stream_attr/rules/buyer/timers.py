"""When something of a buyer is due next: verdicts, service tasks, reports, and the end of retention."""

from __future__ import annotations

from stream_attr.rules.buyer.balances import kept_for_balance_until
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.order_index import DueOf
from stream_attr.rules.buyer.retention import FORGET_EVERY_MS, Retention, orders_kept_ms
from stream_attr.rules.buyer.verdicts import horizon_of
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.service_task import reminder_dues
from stream_attr.rules.shop.days import END_OF_TIME


def reschedule(buyer: Buyer, watermark: int, retention: Retention, *, tasks: bool = False) -> int | None:
    """Find the next watermark, past this one, at which something is due; None if nothing is.

    ``tasks``: whether service tasks are, too.
    """
    buyer.follow_zone()
    first = expires_at = END_OF_TIME
    oldest_day = buyer.oldest_day
    if oldest_day is not None and not buyer.input_ended:
        forget_at = buyer.shop.zone.start_of(oldest_day + 1) + retention.chat_ms + FORGET_EVERY_MS
        while forget_at <= watermark:  # an order still rests on that chat: try again later
            forget_at += FORGET_EVERY_MS
        first = expires_at = buyer.chat_expires_at = forget_at
    if buyer.orders:
        due_of = _due_of(buyer, retention, tasks=tasks)
        index = buyer.order_index()
        if index is None:
            last_ts = min([order.last_ts for order in buyer.orders.values()])
            due = min([due_of(order, watermark) for order in buyer.orders.values()])
        else:
            last_ts = index.first_last_ts()
            due = index.first_due(watermark, due_of)
        expires_at = min(expires_at, last_ts + orders_kept_ms(retention, buyer.shop))
        first = min(first, due)
    reports_due = buyer.reports_due
    if reports_due is not None and watermark < reports_due < first:
        first = reports_due
    buyer.expires_at = expires_at if expires_at < END_OF_TIME else 0
    buyer.due = first if first < END_OF_TIME else None
    return buyer.due


def due_orders(buyer: Buyer, watermark: int, retention: Retention, *, tasks: bool = False) -> list[Order]:
    """Return the orders of which something may be due at a watermark at which the buyer is due.

    Those that have changed since the last call are among them: their tasks may have changed.
    """
    index = buyer.order_index()
    if index is None:
        return list(buyer.orders.values())
    return index.take_due(watermark, _due_of(buyer, retention, tasks=tasks))


def _due_of(buyer: Buyer, retention: Retention, *, tasks: bool) -> DueOf:
    orders_ms = orders_kept_ms(retention, buyer.shop)

    def due_of(order: Order, watermark: int) -> int:
        """Return when something of an order is due next, past a watermark."""
        is_placed = order.created_ts is not None
        first = END_OF_TIME
        if not (is_placed and buyer.input_ended):
            due = order.last_ts + orders_ms
            if due > watermark:
                first = due
        if order.rare is not None and not buyer.input_ended:
            balance_due = kept_for_balance_until(order, buyer.shop)
            if balance_due is not None and watermark < balance_due < first:
                first = balance_due
        if is_placed and not order.sealed:
            for due in horizon_of(buyer, order).deadlines:
                if watermark < due < first:
                    first = due
        if tasks and not buyer.input_ended:
            for due in reminder_dues(order, buyer.shop):
                if watermark < due < first:
                    first = due
        return first

    return due_of
