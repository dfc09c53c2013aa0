"""Pinduoduo (拼多多): the order, pages of refunds, and messages of PMC.

No API tells whose an order is: ``bridge`` has to, called with the order's number. One platform, three forms
of money: an order in yuan as a number, a list of refunds in yuan as text, a message in fen.

An order is paid when its group is complete and it is confirmed; before, the money may go back.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.pinduoduo_api import API
from stream_attr.adapters.reading import (
    Document,
    embedded,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping,
    mapping_or_none,
    mappings,
    root,
    unwrapped,
    word,
    word_or_none,
)
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields(
    {
        "pay_amount": Unit.MAJOR,
        "refund_amount": Unit.MAJOR,
        "refund_fee": Unit.MINOR,
        "created_time": Unit.GMT8,
        "confirm_time": Unit.GMT8,
        "updated_at": Unit.GMT8,
        "updated_time": Unit.GMT8,
        "time": Unit.MILLISECONDS,
    }
)

_GROUPED, _GROUP_FAILED = "1", "2"
_CONFIRMED: Final = "1"
_PRESALE: Final = "1"
_WHOLE_PAID: Final = "2"
_REFUNDED: Final = "10"
_NO_MONEY: Final = frozenset({"4", "5"})
"""Of ``after_sales_type``: exchanges and parts sent afterwards."""


def read(payload: object, out: Collector) -> None:
    """Read a message, an order, or a page of orders or of refunds."""
    body = root(payload)
    if "commandType" in body:
        _message(body, out)
        return
    body = unwrapped(body)
    if "order_info" in body:
        _snapshot(mapping(body, "order_info"), None, out)
    elif "order_sn_list" in body:
        for order in mappings(body, "order_sn_list"):
            with out.part():
                _snapshot(order, None, out)
    elif "refund_list" in body:
        for refund in mappings(body, "refund_list"):
            with out.part():
                _polled_refund(refund, out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _message(frame: Document, out: Collector) -> None:
    if word(frame, "commandType") != "Common":
        raise SkippedError(Reason.IGNORED, "commandType")
    message = mapping(frame, "message")
    kind, shop = word(message, "type"), identifier_or_none(message, "mallID")
    content = embedded(message, "content")
    if kind == "pdd_trade_TradeConfirmed":
        _snapshot(_order(identifier(content, "tid"), out), shop, out)
        return
    if kind not in {"pdd_refund_RefundCreated", "pdd_refund_RefundSuccess", "pdd_refund_RefundClosed"}:
        named = kind.startswith(("pdd_trade_", "pdd_refund_", "pdd_goods_"))
        raise SkippedError(Reason.IGNORED if named else Reason.UNKNOWN, "type")
    refund_id, ts = identifier(content, "refund_id"), FIELDS.time(frame, "time")
    facts = _of_refund(identifier(content, "tid"), shop, out)
    if kind.endswith("Closed"):
        out.order(facts, "refund_closed", ts, refund_id=refund_id)
        return
    amount = _money(content, "refund_fee")
    out.order(
        facts,
        "refund_requested" if kind.endswith("Created") else "refund_completed",
        ts,
        amount,
        refund_id=refund_id,
    )


def _money(refund: Document, name: str) -> int:
    amount = FIELDS.amount(refund, name)
    if not amount:
        raise SkippedError(Reason.NOT_MONEY, name)
    return amount


def _of_refund(order_id: str, shop: str | None, out: Collector) -> Order:
    """Return what a refund needs of its order: whose it is."""
    connection = out.connection
    return Order("pinduoduo", connection.shop(shop), connection.buyer(None, order_id), order_id)


def _order(order_id: str, out: Collector) -> Document:
    body = unwrapped(out.connection.detail("order", order_id))
    return mapping_or_none(body, "order_info") or body


def _snapshot(order: Document, shop: str | None, out: Collector) -> None:
    items = mappings(order, "item_list")
    order_id, created = identifier(order, "order_sn"), FIELDS.time(order, "created_time")
    facts = Order(
        "pinduoduo",
        out.connection.shop(shop),
        out.connection.buyer(None, order_id),
        order_id,
        created_ts=created,
        quantity=sum(integer_or_none(item, "goods_count") or 0 for item in items),
        product_ids=products(identifier_or_none(item, "goods_id") for item in items),
    )
    amount = FIELDS.amount(order, "pay_amount")
    out.order(facts, "created", created, amount)
    with out.part():
        group = word_or_none(order, "group_status")
        if group == _GROUP_FAILED:
            modified = FIELDS.time_or_none(order, "updated_at")
            out.order(facts, "cancelled", out.just_now(modified, "group_status"))
            return
        confirmed = FIELDS.time_or_none(order, "confirm_time")
        if group != _GROUPED or word_or_none(order, "confirm_status") != _CONFIRMED or confirmed is None:
            raise SkippedError(Reason.NOT_YET, "group_status")
        if word_or_none(order, "risk_control_status") not in {None, "0"}:
            raise SkippedError(Reason.NOT_YET, "risk_control_status")
        if word_or_none(order, "trade_type") == _PRESALE:
            confirmed = _balance(order, out)
        out.order(facts, "paid", confirmed, amount)


def _balance(order: Document, out: Collector) -> int:
    """Return when the balance of a presale was paid; ``confirm_time`` may be that of its deposit."""
    step = mapping(order, "step_order_info")
    if word_or_none(step, "step_trade_status") != _WHOLE_PAID:
        raise SkippedError(Reason.NOT_YET, "step_trade_status")
    return out.just_now(FIELDS.time_or_none(order, "updated_at"), "step_trade_status")


def _polled_refund(refund: Document, out: Collector) -> None:
    if word_or_none(refund, "after_sales_type") in _NO_MONEY:
        raise SkippedError(Reason.NOT_MONEY, "after_sales_type")
    refund_id, amount = identifier(refund, "id"), _money(refund, "refund_amount")
    facts = _of_refund(identifier(refund, "order_sn"), None, out)
    out.order(facts, "refund_requested", FIELDS.time(refund, "created_time"), amount, refund_id=refund_id)
    if word_or_none(refund, "after_sales_status") == _REFUNDED:
        modified = FIELDS.time_or_none(refund, "updated_time")
        ts = out.just_now(modified, "after_sales_status")
        out.order(facts, "refund_completed", ts, amount, refund_id=refund_id)


ADAPTER: Final = Adapter(
    "pinduoduo",
    "Pinduoduo 拼多多",
    frozenset({"orders"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    api=API,
    details=(("order", "pdd.order.information.get: price, products and times, which a message lacks"),),
)
