"""WooCommerce's webhooks of orders.

Only the fields that end in ``_gmt`` are read: the others are in the site's zone, which they do not say.
A status is no payment: ``processing`` of a bank transfer need not mean money; ``date_paid_gmt`` does. Cash on
delivery counts as paid when it is placed, and as refunded if it is cancelled then (RULEBOOK 2).
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.handshakes import pinged_by_woocommerce
from stream_attr.adapters.reading import (
    Document,
    currency_of,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping_or_none,
    mappings,
    root,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_woocommerce
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields(
    {
        "total": Unit.MAJOR,
        "amount": Unit.MAJOR,
        "date_created_gmt": Unit.UTC,
        "date_paid_gmt": Unit.UTC,
        "date_modified_gmt": Unit.UTC,
    }
)

_NOT_PLACED: Final = frozenset({"checkout-draft", "auto-draft", "draft", "trash"})
_NOT_YET: Final = frozenset({"pending", "on-hold", "failed"})


def read(payload: object, out: Collector) -> None:
    """Read an order as it stands."""
    order = root(payload)
    if identifier_or_none(order, "id") is None:
        raise SkippedError(Reason.IGNORED, "ping")
    status = word(order, "status")
    if status in _NOT_PLACED:
        raise SkippedError(Reason.IGNORED, "status")
    facts = _facts(order, out)
    total = FIELDS.amount(order, "total", facts.currency)
    out.order(facts, "created", FIELDS.time(order, "date_created_gmt"), total)
    on_delivery = word_or_none(order, "payment_method") == "cod"
    with out.part():
        paid = FIELDS.time_or_none(order, "date_paid_gmt")
        if on_delivery and status not in _NOT_YET:
            paid = facts.created_ts
        if paid is not None:
            out.order(facts, "paid", paid, total)
    with out.part():
        if status == "cancelled":
            ts = out.just_now(FIELDS.time_or_none(order, "date_modified_gmt"), status)
            out.order(facts, "cancelled", ts)
            if on_delivery and not mappings(order, "refunds"):
                out.order(facts, "refund_completed", ts, total, refund_id=f"{facts.order_id}.cod")
    with out.part():
        for refund in mappings(order, "refunds"):
            with out.part():
                _refund(identifier(refund, "id"), facts, out)


def _facts(order: Document, out: Collector) -> Order:
    order_id = identifier(order, "id")
    customer = identifier_or_none(order, "customer_id")
    items = mappings(order, "line_items")
    return Order(
        "woocommerce",
        out.connection.shop(),
        out.connection.buyer(None if customer == "0" else customer, order_id),
        order_id,
        currency_of(order, "currency"),
        FIELDS.time(order, "date_created_gmt"),
        sum(integer_or_none(item, "quantity") or 0 for item in items),
        products(None if (one := identifier_or_none(item, "product_id")) == "0" else one for item in items),
    )


def _refund(refund_id: str, facts: Order, out: Collector) -> None:
    """An order names its refunds without their times: the refund itself is asked for."""
    found = out.connection.detail("refund", f"{facts.order_id}/{refund_id}")
    refund = mapping_or_none(found, "refund") or found
    out.order(
        facts,
        "refund_completed",
        FIELDS.time(refund, "date_created_gmt"),
        FIELDS.amount(refund, "amount", facts.currency),
        refund_id=refund_id,
    )


ADAPTER: Final = Adapter(
    "woocommerce",
    "WooCommerce",
    frozenset({"orders"}),
    Sureness.FIXTURES,
    read,
    FIELDS,
    details=(("refund", "GET /wp-json/wc/v3/orders/{order}/refunds/{refund}: when it was, and how much"),),
    signature=Signature(("secret",), signed_by_woocommerce, handshake=pinged_by_woocommerce),
)
