"""How long the facts of a buyer are kept behind the watermark, and how they are dropped (RULEBOOK 6).

Facts are kept longer only where a living order's verdict rests on them: no verdict changes because its facts
are gone. A verdict that no acceptable chat can change any more is sealed: it is kept in place of its chat.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_attr.rules.buyer.balances import first_day_kept
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.reports import waits_for_closing
from stream_attr.rules.buyer.verdicts import horizon_of, judgements
from stream_attr.rules.order.facts import Waiting
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import ProductPriority

FORGET_EVERY_MS: Final = 5 * DAY_MS
"""How long chat may outlive its retention, so that many days of it are dropped at once."""

FORGOTTEN_KEPT_MS: Final = 180 * DAY_MS
"""How long the id of a dropped order is remembered, so that what still comes of it is refused as too late."""

DAYS_FOLLOWED_BACK: Final = 2
"""A day is kept for the sake of the day after it, where that follows on it over midnight: so far back. The
inquiry of the last day before the history is still emitted again."""


class Retention(NamedTuple):
    """How long facts are kept behind the watermark, milliseconds."""

    chat_ms: int = 35 * DAY_MS
    """Chat facts; an event older than that is too late."""
    order_ms: int = 45 * DAY_MS
    """Orders, after their last event."""


def orders_kept_ms(retention: Retention, shop: Shop) -> int:
    """Return how long a shop's orders are kept after their last event.

    An event as old as chat may be is still accepted, so until then it has to be known as a repeat.
    """
    return max(retention.order_ms, retention.chat_ms + 1, (shop.longest_after_sales_days + 2) * DAY_MS)


def expire(buyer: Buyer, watermark: int, retention: Retention, *, answered: bool = False) -> list[Order]:
    """Drop what is older than its retention; return the orders that are dropped.

    Nothing is dropped while something waits for a closing, which has to find everything as it was;
    ``answered``: one has come.
    """
    if (watermark < buyer.expires_at and not answered) or waits_for_closing(buyer, watermark):
        return []
    orders_until = watermark - orders_kept_ms(retention, buyer.shop)
    chat_until = watermark - retention.chat_ms
    kept_from = first_day_kept(buyer, watermark)
    if kept_from is not None:
        kept_from_ts = buyer.shop.zone.start_of(kept_from)
        orders_until = min(orders_until, kept_from_ts - 1)
        chat_until = min(chat_until, kept_from_ts)
    expired = _orders_quiet_since(buyer, orders_until)
    for order in expired:
        buyer.drop_order(order)
    if watermark >= buyer.chat_expires_at or answered:
        _drop_chat(buyer, chat_until)
    return expired


def expire_at_end(buyer: Buyer, watermark: int, retention: Retention) -> list[Waiting]:
    """Return the records whose order's creation never came, when no more events can come.

    From now on the buyer is due only while something is still to be emitted. The caller finds that out by
    ``reschedule``.
    """
    buyer.end_input()
    lost: list[Waiting] = []
    for order in _orders_quiet_since(buyer, watermark - orders_kept_ms(retention, buyer.shop)):
        if order.created_ts is None:
            lost += order.take_waiting()
    return lost


def _orders_quiet_since(buyer: Buyer, ts: int) -> list[Order]:
    """Return the orders whose last event is of ``ts`` or before; of many orders, each once."""
    index = buyer.order_index()
    if index is not None:
        return index.take_last_before(ts)
    return [order for order in buyer.orders.values() if order.last_ts <= ts]


def _drop_chat(buyer: Buyer, cutoff: int) -> None:
    """Drop the days of chat that end by ``cutoff`` and on which no order's verdict rests."""
    buyer.follow_zone()
    zone, oldest_day = buyer.shop.zone, buyer.oldest_day
    if oldest_day is None or zone.start_of(oldest_day + 1) > cutoff:
        return
    first_day = zone.day_of(_seal_orders(buyer, cutoff))
    for _ in range(DAYS_FOLLOWED_BACK):
        if _follows_on(buyer, first_day):
            first_day -= 1
    if oldest_day < first_day:
        buyer.drop_chat_before(first_day)


def _follows_on(buyer: Buyer, day: int) -> bool:
    """Whether the day before may leave a question to a day."""
    return any(day in days and days[day].follows_on(buyer.shop) for days in buyer.receptions.values())


def _seal_orders(buyer: Buyer, cutoff: int) -> int:
    """Seal the orders that chat from ``cutoff`` on cannot change.

    Returns from when on chat is still needed, ``cutoff`` at the latest.
    """
    needed_from = cutoff
    for order in buyer.orders.values():
        if order.created_ts is not None and not order.sealed:
            horizon = horizon_of(buyer, order)
            if horizon.interest_until <= cutoff and _can_be_sealed(order, buyer.shop):
                judgements(buyer, order)
                order.sealed = True
                buyer.reindex(order)
            else:
                needed_from = min(needed_from, horizon.interest_from)
    return needed_from


def _can_be_sealed(order: Order, shop: Shop) -> bool:
    # A creation known from the payment alone can still be corrected; one not paid can still be paid; and an
    # instalment may bring products.
    if order.paid is None or order.created is None:
        return False
    day = shop.zone.day_of(order.created.ts)
    return all(
        shop.settings_on(day, profile).product_priority is not ProductPriority.ORDERED_PRODUCT
        for profile in shop.profiles_on(day)
    )
