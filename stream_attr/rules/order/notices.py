"""Notices: what a person should look at in an order (RULEBOOK 2)."""

from __future__ import annotations

from stream_attr.rules.order.order import Order
from stream_attr.rules.vocabulary import (
    CURRENCY_DIFFERS,
    OVER_REFUNDED,
    PAID_AND_CANCELLED,
    SEVERAL_PAYMENTS,
)


def notices_of(order: Order) -> tuple[str, ...]:
    """Return the notices on an order, sorted; they depend on its events alone."""
    if (
        order.rare is None
        and not order.refunds
        and order.cancelled is None
        and not _has_two_currencies(order)
    ):
        return ()
    found = []
    if _differs_in_currency(order):
        found.append(CURRENCY_DIFFERS)
    if order.refund_completed > order.amount:
        found.append(OVER_REFUNDED)
    if order.paid is not None and order.cancelled is not None and order.refund_completed < order.amount:
        found.append(PAID_AND_CANCELLED)
    if order.rare is not None and order.rare.several_payments:
        found.append(SEVERAL_PAYMENTS)
    return tuple(found)


def _has_two_currencies(order: Order) -> bool:
    """Whether creation and payment name different currencies."""
    created, paid = order.created, order.paid
    return (
        created is not None
        and paid is not None
        and None not in (created.currency, paid.currency)
        and (created.currency != paid.currency)
    )


def _differs_in_currency(order: Order) -> bool:
    """Whether an event that counts names another currency than the order's."""
    counted = [order.created, order.deposit, order.cancelled, *order.payments, *order.refunds]
    named = {event.currency for event in counted if event is not None and event.currency is not None}
    return bool(named - {order.currency})
