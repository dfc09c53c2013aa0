"""Doudian (抖店, Douyin's shops): its pushes, which come as a list, and the order itself.

Amounts are fen, times seconds. A push names no buyer: the order is asked for. Ids exceed 2^53; a part of an
order of one part has the same id as the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.doudian_api import API
from stream_attr.adapters.reading import (
    Document,
    embedded,
    identifier,
    identifier_or_none,
    integer,
    integer_or_none,
    mapping,
    mapping_or_none,
    mappings,
    root,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_doudian
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields(
    {
        "pay_amount": Unit.MINOR,
        "promotion_pay_amount": Unit.MINOR,
        "phase_pay_amount": Unit.MINOR,
        "refund_amount": Unit.MINOR,
        "create_time": Unit.SECONDS,
        "pay_time": Unit.SECONDS,
        "phase_pay_time": Unit.SECONDS,
        "cancel_time": Unit.SECONDS,
        "apply_time": Unit.SECONDS,
        "success_time": Unit.SECONDS,
        "update_time": Unit.SECONDS,
    }
)

_TOLD_OTHERWISE: Final = frozenset({"102", "103", "104", "105", "107", "108", "109", "110", "111", "201"})
"""Pushes of parcels, of changed amounts, of steps of a refund that move no money."""
_CANCELLED: Final = "4"
"""Of ``order_status``: called off unpaid. 21, 22 and 39 are closed by a refund."""
_REFUNDED: Final = "3"
"""Of ``refund_status``: the money has gone back."""
_REFUND_FAILED: Final = "28"
"""Of ``aftersale_status``."""
_NO_MONEY: Final = frozenset({"3", "7"})
"""Of ``aftersale_type``: exchanges, and parts sent afterwards."""


def read(payload: object, out: Collector) -> None:
    """Read a list of pushes, one of them, an order, or a page of orders or of refunds."""
    if isinstance(payload, Sequence) and not isinstance(payload, (str, bytes)):
        for one in payload:
            with out.part():
                _push(root(one), out)
        return
    body = root(payload)
    found = mapping_or_none(body, "data") or body
    if "tag" in body:
        _push(body, out)
    elif "shop_order_list" in found:
        for order in mappings(found, "shop_order_list"):
            with out.part():
                _snapshot(order, out)
    elif "items" in found:
        for one in mappings(found, "items"):
            with out.part():
                _polled_refund(one, out)
    else:
        _snapshot(_detail(body), out)


def _detail(body: Document) -> Document:
    return mapping(mapping_or_none(body, "data") or body, "shop_order_detail")


def _push(push: Document, out: Collector) -> None:
    tag = word(push, "tag")
    if tag in _TOLD_OTHERWISE or tag == "0":
        raise SkippedError(Reason.IGNORED, f"tag {tag}")
    if tag not in {"100", "101", "106", "200", "206", "207"}:
        raise SkippedError(Reason.UNKNOWN, "tag")
    data = embedded(push, "data")
    order_id = identifier(data, "p_id")
    detail = _detail(out.connection.detail("order", order_id))
    facts = _facts(detail, out)
    if facts.order_id != order_id:
        raise SkippedError(Reason.BAD_ID, "order_id")
    if tag == "100":
        created = FIELDS.time(data, "create_time")
        out.order(facts, "created", created, FIELDS.amount(detail, "pay_amount"))
    elif tag == "101":
        _payments(detail, facts, FIELDS.time(data, "pay_time"), out)
    elif tag == "106":
        out.order(facts, "cancelled", FIELDS.time(data, "cancel_time"))
    else:
        _refund(tag, data, facts, out)


def _refund(tag: str, data: Document, facts: Order, out: Collector) -> None:
    refund_id = identifier(data, "aftersale_id")
    if tag == "207":
        out.order(facts, "refund_closed", out.arrival("tag 207"), refund_id=refund_id)
        return
    amount = FIELDS.amount(data, "refund_amount")
    if not amount:
        raise SkippedError(Reason.NOT_MONEY, "refund_amount")
    if tag == "200":
        out.order(facts, "refund_requested", FIELDS.time(data, "apply_time"), amount, refund_id=refund_id)
    else:
        out.order(facts, "refund_completed", FIELDS.time(data, "success_time"), amount, refund_id=refund_id)


def _polled_refund(one: Document, out: Collector) -> None:
    """A refund of a list says when it was asked for, and not when the money went."""
    refund = mapping(one, "aftersale_info")
    if word_or_none(refund, "aftersale_type") in _NO_MONEY:
        raise SkippedError(Reason.NOT_MONEY, "aftersale_type")
    order_id = identifier(mapping(one, "order_info"), "shop_order_id")
    facts = _facts(_detail(out.connection.detail("order", order_id)), out)
    if facts.order_id != order_id:
        raise SkippedError(Reason.BAD_ID, "order_id")
    refund_id, amount = identifier(refund, "aftersale_id"), FIELDS.amount(refund, "refund_amount")
    if not amount:
        raise SkippedError(Reason.NOT_MONEY, "refund_amount")
    out.order(facts, "refund_requested", FIELDS.time(refund, "apply_time"), amount, refund_id=refund_id)
    modified = FIELDS.time_or_none(refund, "update_time")
    if word_or_none(refund, "refund_status") == _REFUNDED:
        out.order(
            facts, "refund_completed", out.just_now(modified, "refund_status"), amount, refund_id=refund_id
        )
    elif word_or_none(refund, "aftersale_status") == _REFUND_FAILED:
        out.order(facts, "refund_closed", out.just_now(modified, "aftersale_status"), refund_id=refund_id)


def _facts(detail: Document, out: Collector) -> Order:
    order_id = identifier(detail, "order_id")
    items = mappings(detail, "sku_order_list")
    return Order(
        "doudian",
        out.connection.shop(identifier_or_none(detail, "shop_id")),
        out.connection.buyer(identifier_or_none(detail, "doudian_open_id"), order_id),
        order_id,
        created_ts=FIELDS.time(detail, "create_time"),
        quantity=sum(integer_or_none(item, "item_num") or 0 for item in items),
        product_ids=products(
            identifier_or_none(item, "product_id_str") or identifier_or_none(item, "product_id")
            for item in items
        ),
    )


def _snapshot(detail: Document, out: Collector) -> None:
    facts = _facts(detail, out)
    out.order(facts, "created", FIELDS.time(detail, "create_time"), FIELDS.amount(detail, "pay_amount"))
    with out.part():
        _payments(detail, facts, FIELDS.time_or_none(detail, "pay_time"), out)
    with out.part():
        if word_or_none(detail, "order_status") == _CANCELLED:
            modified = FIELDS.time_or_none(detail, "update_time")
            out.order(facts, "cancelled", out.just_now(modified, "order_status"))


def _payments(detail: Document, facts: Order, pay_time: int | None, out: Collector) -> None:
    """Add the payment, or what is paid by now of a presale: its first phase is the deposit."""
    phases = mappings(detail, "order_phase_list")
    if not phases:
        if pay_time is not None:
            out.order(facts, "paid", pay_time, _cash(detail))
        return
    phases.sort(key=lambda phase: integer(phase, "current_phase"))
    numbers = [integer(phase, "current_phase") for phase in phases]
    if numbers != list(range(1, integer(phases[0], "total_phase") + 1)):
        raise SkippedError(Reason.BAD_VALUE, "order_phase_list")
    times = [FIELDS.time_or_none(phase, "phase_pay_time") for phase in phases]
    if times[0] is not None and len(phases) > 1:
        out.order(facts, "deposit_paid", times[0], FIELDS.amount(phases[0], "phase_pay_amount"))
    if times[-1] is not None:
        whole = sum(FIELDS.amount(phase, "phase_pay_amount") for phase in phases)
        out.order(facts, "paid", times[-1], whole)


def _cash(detail: Document) -> int:
    """Return what the buyer paid: less what the platform paid for the buyer."""
    given = FIELDS.amount_or_none(detail, "promotion_pay_amount") or 0
    paid = FIELDS.amount(detail, "pay_amount")
    if given > paid:
        raise SkippedError(Reason.BAD_AMOUNT, "promotion_pay_amount")
    return paid - given


ADAPTER: Final = Adapter(
    "doudian",
    "Doudian 抖店",
    frozenset({"orders"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    api=API,
    details=(("order", "order.orderDetail: buyer, products and price of what a push only names"),),
    signature=Signature(("app_key", "app_secret"), signed_by_doudian, reply=b'{"code":0,"msg":"success"}'),
)
