"""Xiaohongshu (小红书): pushes, which come as a list, and the order itself. Experimental.

An order's amount is fen, freight and deposit included; a refund's is yuan, freight left out. Times are
milliseconds. A push says when the state that it tells of began. State 4 comes twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.reading import (
    Document,
    embedded,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping_or_none,
    mappings,
    root,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_xiaohongshu
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.adapters.xiaohongshu_api import API

FIELDS: Final = Fields(
    {
        "totalPayAmount": Unit.MINOR,
        "refundFee": Unit.MAJOR,
        "createdTime": Unit.MILLISECONDS,
        "paidTime": Unit.MILLISECONDS,
        "updateTime": Unit.MILLISECONDS,
    }
)

_WAITS, _CANCELLED = "1", "9"
_PAID: Final = frozenset({"2", "4"})
_SENT_AGAIN: Final = "5"
"""Of ``orderType``: goods sent once more in exchange."""
_EXCHANGE: Final = "2"


def read(payload: object, out: Collector) -> None:
    """Read a list of pushes, one of them, or the reply of ``order.getOrderDetail``."""
    if isinstance(payload, Sequence) and not isinstance(payload, (str, bytes)):
        for one in payload:
            with out.part():
                _push(root(one), out)
        return
    body = root(payload)
    if "msgTag" in body:
        _push(body, out)
    elif "data" in body:
        detail = _detail(body)
        facts = _facts(detail, None, out)
        _created(detail, facts, out)
        with out.part():
            _paid(detail, facts, out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _detail(body: Document) -> Document:
    return mapping_or_none(body, "data") or body


def _push(push: Document, out: Collector) -> None:
    tag, shop = word(push, "msgTag"), identifier_or_none(push, "sellerId")
    data = embedded(push, "data")
    if tag == "msg_fulfillment_status_change":
        _state(data, shop, out)
    elif tag in {"msg_after_sale_create", "msg_after_sale_refund_finished"}:
        _refund(tag, data, shop, out)
    else:
        named = tag.startswith(("msg_fulfillment_", "msg_after_sale_"))
        raise SkippedError(Reason.IGNORED if named else Reason.UNKNOWN, "msgTag")


def _asked(data: Document, shop: str | None, out: Collector) -> tuple[Document, Order]:
    order_id = identifier(data, "orderId")
    detail = _detail(out.connection.detail("order", order_id))
    facts = _facts(detail, shop, out)
    if facts.order_id != order_id:
        raise SkippedError(Reason.BAD_ID, "orderId")
    return detail, facts


def _facts(detail: Document, shop: str | None, out: Collector) -> Order:
    if word_or_none(detail, "orderType") == _SENT_AGAIN:
        raise SkippedError(Reason.NOT_A_SALE, "orderType")
    order_id, items = identifier(detail, "orderId"), mappings(detail, "skuList")
    return Order(
        "xiaohongshu",
        out.connection.shop(shop),
        out.connection.buyer(identifier_or_none(detail, "userId"), order_id),
        order_id,
        created_ts=FIELDS.time(detail, "createdTime"),
        quantity=sum(integer_or_none(item, "skuQuantity") or 0 for item in items),
        product_ids=products(identifier_or_none(item, "itemId") for item in items),
    )


def _created(detail: Document, facts: Order, out: Collector) -> None:
    out.order(facts, "created", FIELDS.time(detail, "createdTime"), FIELDS.amount(detail, "totalPayAmount"))


def _paid(detail: Document, facts: Order, out: Collector) -> None:
    ts = FIELDS.time_or_none(detail, "paidTime")
    if ts is None:
        raise SkippedError(Reason.NOT_YET, "paidTime")
    out.order(facts, "paid", ts, FIELDS.amount(detail, "totalPayAmount"))


def _state(data: Document, shop: str | None, out: Collector) -> None:
    state = word(data, "orderStatus")
    if state not in {_WAITS, _CANCELLED} | _PAID:
        raise SkippedError(Reason.IGNORED, "orderStatus")
    detail, facts = _asked(data, shop, out)
    if state == _WAITS:
        _created(detail, facts, out)
    elif state in _PAID:
        _paid(detail, facts, out)
    elif FIELDS.time_or_none(detail, "paidTime") is not None:
        raise SkippedError(Reason.IGNORED, "closed by a refund")
    else:
        out.order(facts, "cancelled", FIELDS.time(data, "updateTime"))


def _refund(tag: str, data: Document, shop: str | None, out: Collector) -> None:
    amount = FIELDS.amount(data, "refundFee")
    if word_or_none(data, "returnType") == _EXCHANGE or not amount:
        raise SkippedError(Reason.NOT_MONEY, "returnType")
    _, facts = _asked(data, shop, out)
    out.order(
        facts,
        "refund_requested" if tag == "msg_after_sale_create" else "refund_completed",
        FIELDS.time(data, "updateTime"),
        amount,
        refund_id=identifier(data, "returnsId"),
    )


ADAPTER: Final = Adapter(
    "xiaohongshu",
    "Xiaohongshu 小红书",
    frozenset({"orders"}),
    Sureness.EXPERIMENTAL,
    read,
    FIELDS,
    api=API,
    details=(("order", "order.getOrderDetail: buyer, products, price, times"),),
    signature=Signature(
        ("app_key", "app_secret"),
        signed_by_xiaohongshu,
        lambda request: request.header("timestamp"),
        reply=b'{"success":true,"error_code":0}',
    ),
)
