"""Which days' reports a balance that can still be paid may change: their facts are kept for so long.

An order with a deposit may be paid for up to 40 days more, and its inquiry is final only then (RULEBOOK 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.rules.shop.shop import Shop

_LONGEST_MS: Final = 44 * DAY_MS
"""No balance can be paid longer than this after the last event of its order."""
_MARGIN_MS: Final = DAY_MS
"""Facts are kept so much longer: they are needed when the balance has just ended."""


def expect_balance(buyer: Buyer, order: Order) -> None:
    """Record that an order of the buyer, if it has a deposit, may be paid for long."""
    if order.deposit is not None:
        buyer.balances_until = max(buyer.balances_until, order.last_ts + _LONGEST_MS)


def kept_for_balance_until(order: Order, shop: Shop) -> int | None:
    """Return the watermark from which on no fact is kept for an order's balance; None: none ever is."""
    created_ts = order.created_ts
    if order.deposit is None or created_ts is None:
        return None
    zone = shop.zone
    hours = shop.settings_on(zone.day_of(created_ts)).payment_deadline_hours
    return zone.end_of_day(order.deadline(created_ts, hours)) + _MARGIN_MS


def first_day_kept(buyer: Buyer, watermark: int) -> int | None:
    """Return the first day whose facts are kept because a balance can still be paid; None: there is none."""
    if watermark >= buyer.balances_until:
        return None
    return min(_days_kept(buyer.orders.values(), buyer.shop, watermark), default=None)


def _days_kept(orders: Iterable[Order], shop: Shop, watermark: int) -> Iterable[int]:
    for order in orders:
        created_ts = order.created_ts
        kept_until = kept_for_balance_until(order, shop)
        if created_ts is not None and kept_until is not None and watermark < kept_until:
            yield shop.zone.day_of(created_ts) - 1  # an inquiry may lead to an order of the next day
