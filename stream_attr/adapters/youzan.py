"""Youzan (有赞): pushes of an order's state, and the order itself. Experimental.

Amounts are yuan as text, times in China's without saying so. ``TRADE_CLOSED`` is both, called off unpaid
and all refunded: whether it was paid decides. Refunds in an order have no time, and no event.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.reading import (
    Document,
    flag,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping,
    mapping_or_none,
    mappings,
    parse,
    root,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_youzan
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.adapters.youzan_api import API

FIELDS: Final = Fields(
    {
        "payment": Unit.MAJOR,
        "real_payment": Unit.MAJOR,
        "created": Unit.GMT8,
        "pay_time": Unit.GMT8,
        "update_time": Unit.GMT8,
    }
)

_CREATED, _CLOSED = "WAIT_BUYER_PAY", "TRADE_CLOSED"
_PAID: Final = frozenset(
    {"TRADE_PAID", "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_SUCCESS"}
)
_NOT_SURE: Final = "WAIT_CONFIRM"
"""Its group is not complete, or the shop has not accepted it."""


def read(payload: object, out: Collector) -> None:
    """Read a push, or the reply of ``youzan.trade.get``."""
    body = root(payload)
    if "msg" in body:
        _push(body, out)
    elif "data" in body or "full_order_info" in body:
        whole = _whole(body)
        facts = _facts(whole, None, out)
        _created(whole, facts, out)
        with out.part():
            _paid(whole, facts, out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _push(body: Document, out: Collector) -> None:
    if flag(body, "test"):
        raise SkippedError(Reason.IGNORED, "heartbeat")
    if word_or_none(body, "type") != "TRADE_ORDER_STATE":
        raise SkippedError(Reason.IGNORED, "type")
    message = root(parse(unquote(word(body, "msg"))))
    tid, status = identifier(message, "tid"), word(message, "status")
    if status == _NOT_SURE:
        raise SkippedError(Reason.NOT_YET, "status")
    if status not in {_CREATED, _CLOSED} | _PAID:
        raise SkippedError(Reason.UNKNOWN, "status")
    whole = _whole(out.connection.detail("order", tid))
    facts = _facts(whole, identifier_or_none(body, "kdt_id"), out)
    if facts.order_id != tid:
        raise SkippedError(Reason.BAD_ID, "tid")
    if status == _CREATED:
        _created(whole, facts, out)
    elif status in _PAID:
        _paid(whole, facts, out)
    elif FIELDS.time_or_none(mapping(whole, "order_info"), "pay_time") is not None:
        raise SkippedError(Reason.IGNORED, "closed by a refund")
    else:
        out.order(facts, "cancelled", FIELDS.time(message, "update_time"))


def _whole(body: Document) -> Document:
    return mapping(mapping_or_none(body, "data") or body, "full_order_info")


def _facts(whole: Document, shop: str | None, out: Collector) -> Order:
    info, items = mapping(whole, "order_info"), mappings(whole, "orders")
    tid = identifier(info, "tid")
    buyer = identifier_or_none(mapping_or_none(whole, "buyer_info") or {}, "yz_open_id")
    return Order(
        "youzan",
        out.connection.shop(shop),
        out.connection.buyer(buyer, tid),
        tid,
        created_ts=FIELDS.time(info, "created"),
        quantity=sum(integer_or_none(item, "num") or 0 for item in items),
        product_ids=products(identifier_or_none(item, "item_id") for item in items),
    )


def _created(whole: Document, facts: Order, out: Collector) -> None:
    price = FIELDS.amount(mapping(whole, "pay_info"), "payment")
    out.order(facts, "created", FIELDS.time(mapping(whole, "order_info"), "created"), price)


def _paid(whole: Document, facts: Order, out: Collector) -> None:
    info, pay = mapping(whole, "order_info"), mapping(whole, "pay_info")
    if word(info, "status") == _NOT_SURE:
        raise SkippedError(Reason.NOT_YET, "status")
    ts = FIELDS.time_or_none(info, "pay_time")
    if ts is None:
        raise SkippedError(Reason.NOT_YET, "pay_time")
    out.order(facts, "paid", ts, FIELDS.amount(pay, "real_payment"))


ADAPTER: Final = Adapter(
    "youzan",
    "Youzan 有赞",
    frozenset({"orders"}),
    Sureness.EXPERIMENTAL,
    read,
    FIELDS,
    api=API,
    details=(("order", "youzan.trade.get: buyer, products, times"),),
    signature=Signature(
        ("client_id", "client_secret"), signed_by_youzan, reply=b'{"code":0,"msg":"success"}'
    ),
)
