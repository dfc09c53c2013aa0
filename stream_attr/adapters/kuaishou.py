"""Kuaishou (快手小店): pushes, decrypted, and the order itself. Experimental.

Amounts are fen, as one SDK's comments say; times are milliseconds. Only the push of a new order names its
buyer: for the others the order is asked for, and for a refund, whose push has no amount, the refund.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.encryption import opened_by_kuaishou
from stream_attr.adapters.reading import (
    Document,
    embedded,
    flag,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping,
    mapping_or_none,
    root,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, encrypted_by_kuaishou
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields(
    {
        "totalFee": Unit.MINOR,
        "refundFee": Unit.MINOR,
        "createTime": Unit.MILLISECONDS,
        "payTime": Unit.MILLISECONDS,
        "updateTime": Unit.MILLISECONDS,
    }
)

_ORDERS: Final = frozenset({"addOrder", "paySuccess", "orderFail"})
_REFUNDS: Final = frozenset({"addRefund", "updateRefund"})
_NO_MONEY: Final = frozenset({"3", "4", "5"})
"""Of ``handlingWay``: exchanged, sent afterwards, repaired."""
_REFUNDED: Final = "60"


def read(payload: object, out: Collector) -> None:
    """Read a push, or the reply of ``open.order.detail``."""
    body = root(payload)
    if "event" in body:
        _push(body, out)
        return
    base = _base(body)
    facts = _facts(body, base, None, out)
    out.order(facts, "created", FIELDS.time(base, "createTime"), FIELDS.amount(base, "totalFee"))
    with out.part():
        ts = FIELDS.time_or_none(base, "payTime")
        if ts is not None:
            out.order(facts, "paid", ts, FIELDS.amount(base, "totalFee"))


def _base(body: Document) -> Document:
    return mapping(_data(body), "orderBaseInfo")


def _data(body: Document) -> Document:
    return mapping_or_none(body, "data") or body


def _push(push: Document, out: Collector) -> None:
    if flag(push, "test"):
        raise SkippedError(Reason.NOT_A_SALE, "test")
    event = word(push, "event")
    known = event.rpartition("_")[2]
    if known not in _ORDERS | _REFUNDS:
        raise SkippedError(Reason.IGNORED if event.startswith("kwaishop_") else Reason.UNKNOWN, "event")
    info = embedded(push, "info")
    order_id = identifier(info, "oid" if known in _ORDERS else "orderId")
    body = out.connection.detail("order", order_id)
    base = _base(body)
    facts = _facts(body, base, identifier_or_none(push, "userId"), out)
    if facts.order_id != order_id:
        raise SkippedError(Reason.BAD_ID, "oid")
    if known == "addOrder":
        out.order(facts, "created", FIELDS.time(info, "createTime"), FIELDS.amount(base, "totalFee"))
    elif known == "paySuccess":
        paid = FIELDS.time_or_none(base, "payTime")
        ts = FIELDS.time(info, "updateTime") if paid is None else paid
        out.order(facts, "paid", ts, FIELDS.amount(base, "totalFee"))
    elif known == "orderFail":
        if FIELDS.time_or_none(base, "payTime") is not None:
            raise SkippedError(Reason.IGNORED, "closed by a refund")
        out.order(facts, "cancelled", FIELDS.time(info, "updateTime"))
    else:
        _refund(known, info, facts, out)


def _facts(body: Document, base: Document, shop: str | None, out: Collector) -> Order:
    order_id = identifier(base, "oid")
    item = mapping_or_none(_data(body), "orderItemInfo") or {}
    return Order(
        "kuaishou",
        out.connection.shop(shop),
        out.connection.buyer(identifier_or_none(base, "buyerOpenId"), order_id),
        order_id,
        created_ts=FIELDS.time(base, "createTime"),
        quantity=integer_or_none(item, "num"),
        product_ids=products([identifier_or_none(item, "itemId")]),
    )


def _refund(event: str, info: Document, facts: Order, out: Collector) -> None:
    if word_or_none(info, "handlingWay") in _NO_MONEY:
        raise SkippedError(Reason.NOT_MONEY, "handlingWay")
    if event == "updateRefund" and word_or_none(info, "status") != _REFUNDED:
        raise SkippedError(Reason.IGNORED, "status")
    refund_id = identifier(info, "refundId")
    amount = FIELDS.amount(_data(out.connection.detail("refund", refund_id)), "refundFee")
    if event == "addRefund":
        ts = FIELDS.time(info, "createTime")
        out.order(facts, "refund_requested", ts, amount, refund_id=refund_id)
    else:
        ts = FIELDS.time(info, "updateTime")
        out.order(facts, "refund_completed", ts, amount, refund_id=refund_id)


ADAPTER: Final = Adapter(
    "kuaishou",
    "Kuaishou 快手小店",
    frozenset({"orders"}),
    Sureness.EXPERIMENTAL,
    read,
    FIELDS,
    details=(
        ("order", "open.order.detail: buyer, products, price, when it was paid"),
        ("refund", "open.refund.detail: the amount of a refund (its field is a guess)"),
    ),
    signature=Signature(
        ("message_secret",), encrypted_by_kuaishou, opened=opened_by_kuaishou, reply=b'{"result":1}'
    ),
)
