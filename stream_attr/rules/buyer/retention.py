"""How long the facts of a buyer are kept behind the watermark (RULEBOOK 6)."""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.rules.shop.shop import Shop

FORGET_EVERY_MS: Final = 5 * DAY_MS
"""How long chat may outlive its retention, so that many days of it go at once."""


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


def can_be_sealed(order: Order) -> bool:
    # A creation known from the payment alone can still be corrected; one not paid can still be paid.
    return order.paid is not None and order.created is not None
