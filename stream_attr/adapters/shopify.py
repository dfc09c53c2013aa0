"""Shopify's webhooks of orders and refunds, and an order's transactions.

An order does not say when it was paid: its transactions do. Each that takes money is a payment of its own, so
that a part paid now and a part paid later are added up.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.reading import (
    Document,
    currency_of,
    flag,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping_or_none,
    mappings,
    root,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_shopify
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields(
    {
        "total_price": Unit.MAJOR,
        "amount": Unit.MAJOR,
        "created_at": Unit.OFFSET,
        "processed_at": Unit.OFFSET,
        "cancelled_at": Unit.OFFSET,
    }
)

_PAID: Final = frozenset({"paid", "partially_paid", "partially_refunded", "refunded"})
_UNPAID: Final = frozenset({"pending", "authorized", "voided", "expired", "unpaid"})
_TAKES_MONEY: Final = frozenset({"sale", "capture"})


def read(payload: object, out: Collector) -> None:
    """Read an order, a refund, or the list of an order's transactions."""
    body = root(payload)
    if "line_items" in body or "financial_status" in body:
        _order(body, out)
    elif "refund_line_items" in body or ("order_id" in body and "transactions" in body):
        order = _named(out.connection.detail("order", identifier(body, "order_id")), "order")
        _refund(body, _facts(order, out), out)
    elif "transactions" in body:
        for transaction in mappings(body, "transactions"):
            with out.part():
                detail = out.connection.detail("order", identifier(transaction, "order_id"))
                _payment(transaction, _facts(_named(detail, "order"), out), out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _named(document: Document, name: str) -> Document:
    """Return a document, also where it stands under its name."""
    return mapping_or_none(document, name) or document


def _facts(order: Document, out: Collector) -> Order:
    if flag(order, "test"):
        raise SkippedError(Reason.NOT_A_SALE, "test")
    order_id = identifier(order, "id")
    customer = mapping_or_none(order, "customer")
    items = mappings(order, "line_items")
    return Order(
        "shopify",
        out.connection.shop(),
        out.connection.buyer(identifier_or_none(customer, "id") if customer else None, order_id),
        order_id,
        currency_of(order, "currency"),
        FIELDS.time(order, "created_at"),
        sum(integer_or_none(item, "quantity") or 0 for item in items),
        products(identifier_or_none(item, "product_id") for item in items),
    )


def _order(order: Document, out: Collector) -> None:
    facts = _facts(order, out)
    total = FIELDS.amount(order, "total_price", facts.currency)
    out.order(facts, "created", FIELDS.time(order, "created_at"), total)
    with out.part():
        _payments(order, facts, total, out)
    with out.part():
        cancelled = FIELDS.time_or_none(order, "cancelled_at")
        if cancelled is not None:
            out.order(facts, "cancelled", cancelled)
    with out.part():
        for refund in mappings(order, "refunds"):
            with out.part():
                _refund(refund, facts, out)


def _payments(order: Document, facts: Order, total: int, out: Collector) -> None:
    status = word_or_none(order, "financial_status")
    if status in _UNPAID or status is None:
        return
    if status not in _PAID:
        raise SkippedError(Reason.UNKNOWN, "financial_status")
    if not total:
        out.order(facts, "paid", FIELDS.time(order, "created_at"), 0)
        return
    given = order if "transactions" in order else out.connection.detail("transactions", facts.order_id)
    for transaction in mappings(given, "transactions"):
        with out.part():
            _payment(transaction, facts, out)


def _payment(transaction: Document, facts: Order, out: Collector) -> None:
    kind = word_or_none(transaction, "kind")
    if kind not in _TAKES_MONEY:
        raise SkippedError(Reason.IGNORED, "transaction")
    _check_done(transaction)
    currency = currency_of(transaction, "currency")
    ts = FIELDS.time_or_none(transaction, "processed_at")
    out.order(
        facts,
        "paid",
        FIELDS.time(transaction, "created_at") if ts is None else ts,
        FIELDS.amount(transaction, "amount", currency),
        payment_id=identifier(transaction, "id"),
        currency=currency,
    )


def _refund(refund: Document, facts: Order, out: Collector) -> None:
    """Every transaction of a refund is one of its own: they may go to several cards, at several times."""
    refund_id = identifier(refund, "id")
    money = [one for one in mappings(refund, "transactions") if word_or_none(one, "kind") == "refund"]
    if not money:
        raise SkippedError(Reason.NOT_MONEY, "refund")
    for transaction in money:
        with out.part():
            _check_done(transaction)
            currency = currency_of(transaction, "currency")
            ts = FIELDS.time_or_none(transaction, "processed_at")
            out.order(
                facts,
                "refund_completed",
                FIELDS.time(transaction, "created_at") if ts is None else ts,
                FIELDS.amount(transaction, "amount", currency),
                refund_id=f"{refund_id}.{identifier(transaction, 'id')}",
                currency=currency,
            )


def _check_done(transaction: Document) -> None:
    if flag(transaction, "test"):
        raise SkippedError(Reason.NOT_A_SALE, "test")
    status = word_or_none(transaction, "status")
    if status != "success":
        raise SkippedError(Reason.NOT_YET if status == "pending" else Reason.NOT_MONEY, "status")


ADAPTER: Final = Adapter(
    "shopify",
    "Shopify",
    frozenset({"orders"}),
    Sureness.FIXTURES,
    read,
    FIELDS,
    details=(
        ("order", "GET /admin/api/…/orders/{id}.json: the buyer of a refund"),
        ("transactions", "GET /admin/api/…/orders/{id}/transactions.json: when and how much was paid"),
    ),
    signature=Signature(("secret",), signed_by_shopify),
)
