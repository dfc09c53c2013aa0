"""Taobao and Tmall: messages of TMC, the trade and the refund themselves.

Amounts are yuan with two places, times in China's without saying so. A message has no time of what it tells
of but that of its publication, no product and no quantity. ``TRADE_CLOSED`` is closed by a refund after
payment; only ``TRADE_CLOSED_BY_TAOBAO`` is called off unpaid.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
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
from stream_attr.adapters.taobao_api import API
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields(
    {
        "payment": Unit.MAJOR,
        "step_paid_fee": Unit.MAJOR,
        "refund_fee": Unit.MAJOR,
        "created": Unit.GMT8,
        "pay_time": Unit.GMT8,
        "end_time": Unit.GMT8,
        "modified": Unit.GMT8,
        "pub_time": Unit.GMT8,
    }
)

_PAID: Final = frozenset(
    {
        "WAIT_SELLER_SEND_GOODS",
        "SELLER_CONSIGNED_PART",
        "WAIT_BUYER_CONFIRM_GOODS",
        "TRADE_BUYER_SIGNED",
        "TRADE_FINISHED",
        "TRADE_CLOSED",
    }
)
_UNPAID: Final = frozenset(
    {
        "TRADE_NO_CREATE_PAY",
        "WAIT_BUYER_PAY",
        "PAY_PENDING",
        "WAIT_PRE_AUTH_CONFIRM",
        "TRADE_CLOSED_BY_TAOBAO",
    }
)
_HELD: Final = "PAID_FORBID_CONSIGN"
"""Paid, but its group is not complete or it is held: the money may go back."""
_MONEY: Final = frozenset({"REFUND", "REFUND_AND_RETURN"})
_NO_MONEY: Final = frozenset({"TMALL_EXCHANGE", "TAOBAO_EXCHANGE", "REPAIR", "RESHIPPING"})


def read(payload: object, out: Collector) -> None:
    """Read a message of TMC or several, a trade, or a page of trades or of refunds."""
    body = root(payload)
    if "topic" in body:
        _message(body, out)
        return
    body = unwrapped(body)
    if "trade" in body:
        _snapshot(mapping(body, "trade"), out)
    elif "trades" in body:
        for trade in mappings(mapping(body, "trades"), "trade"):
            with out.part():
                _snapshot(trade, out)
    elif "messages" in body:
        for message in mappings(mapping(body, "messages"), "tmc_message"):
            with out.part():
                _message(message, out)
    elif "refunds" in body:
        for refund in mappings(mapping(body, "refunds"), "refund"):
            with out.part():
                _polled_refund(refund, out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _message(message: Document, out: Collector) -> None:
    topic = word(message, "topic")
    known = topic.rpartition("_")[2]
    if known not in {
        *("TradeCreate", "TradeBuyerPay", "TradeBuyerStepPay", "TradeClose"),
        *("RefundCreated", "RefundSuccess", "RefundClosed"),
    }:
        named = topic.startswith(("taobao_trade_", "taobao_refund_"))
        raise SkippedError(Reason.IGNORED if named else Reason.UNKNOWN, "topic")
    content = embedded(message, "content")
    tid = identifier(content, "tid")
    published = FIELDS.time(message, "pub_time")
    trade = _trade(out.connection.detail("trade", tid))
    if identifier(trade, "tid") != tid:
        raise SkippedError(Reason.BAD_ID, "tid")
    facts = _facts(trade, out, identifier_or_none(message, "user_id"))
    if known.startswith("Refund"):
        _refund(known, content, facts, published, out)
    elif known == "TradeCreate":
        out.order(facts, "created", FIELDS.time(trade, "created"), FIELDS.amount(content, "payment"))
    elif known == "TradeBuyerPay":
        paid = FIELDS.time_or_none(trade, "pay_time")
        ts = published if paid is None else paid
        if word_or_none(content, "status") == _HELD:
            raise SkippedError(Reason.NOT_YET, "status")
        out.order(facts, "paid", ts, FIELDS.amount(content, "payment"))
    elif known == "TradeBuyerStepPay":
        out.order(facts, "deposit_paid", published, FIELDS.amount(trade, "step_paid_fee"))
    elif word_or_none(content, "status") == "TRADE_CLOSED_BY_TAOBAO":
        ended = FIELDS.time_or_none(trade, "end_time")
        out.order(facts, "cancelled", published if ended is None else ended)
    else:
        raise SkippedError(Reason.IGNORED, "closed by a refund")


def _trade(body: Document) -> Document:
    body = unwrapped(body)
    return mapping_or_none(body, "trade") or body


def _facts(trade: Document, out: Collector, seller: str | None = None) -> Order:
    tid = identifier(trade, "tid")
    orders = mappings(mapping_or_none(trade, "orders") or {}, "order")
    return Order(
        "taobao",
        out.connection.shop(seller),
        out.connection.buyer(identifier_or_none(trade, "buyer_open_uid"), tid),
        tid,
        created_ts=FIELDS.time(trade, "created"),
        quantity=sum(integer_or_none(one, "num") or 0 for one in orders),
        product_ids=products(identifier_or_none(one, "num_iid") for one in orders),
    )


def _snapshot(trade: Document, out: Collector) -> None:
    facts, status = _facts(trade, out), word(trade, "status")
    out.order(facts, "created", FIELDS.time(trade, "created"), FIELDS.amount(trade, "payment"))
    with out.part():
        paid = FIELDS.time_or_none(trade, "pay_time")
        if status == _HELD:
            raise SkippedError(Reason.NOT_YET, "status")
        if status in _PAID and paid is not None:
            _check_nothing_refunded(trade)
            out.order(facts, "paid", paid, FIELDS.amount(trade, "payment"))
        elif status not in _PAID | _UNPAID:
            raise SkippedError(Reason.UNKNOWN, "status")
    with out.part():
        if status == "TRADE_CLOSED_BY_TAOBAO":
            ended = FIELDS.time_or_none(trade, "end_time")
            if ended is None:
                ended = out.just_now(FIELDS.time_or_none(trade, "modified"), "status")
            out.order(facts, "cancelled", ended)
    with out.part():
        if word_or_none(trade, "step_trade_status") in {"FRONT_PAID_FINAL_NOPAID", "FRONT_PAID_FINAL_PAID"}:
            raise SkippedError(Reason.NO_TIME, "deposit")


def _check_nothing_refunded(trade: Document) -> None:
    """Raise if ``payment`` may be less than was paid: a refund lowers it."""
    for one in mappings(mapping_or_none(trade, "orders") or {}, "order"):
        if word_or_none(one, "refund_status") not in {None, "NO_REFUND", "CLOSED"}:
            raise SkippedError(Reason.BAD_AMOUNT, "payment after a refund")


def _refund(topic: str, content: Document, facts: Order, published: int, out: Collector) -> None:
    refund_id = identifier(content, "refund_id")
    if topic == "RefundClosed":
        out.order(facts, "refund_closed", published, refund_id=refund_id)
        return
    amount = FIELDS.amount(content, "refund_fee")
    if not amount:
        raise SkippedError(Reason.NOT_MONEY, "refund_fee")
    if topic == "RefundCreated":
        out.order(facts, "refund_requested", published, amount, refund_id=refund_id)
        return
    detail = out.connection.detail("refund", refund_id)
    _check_money(mapping_or_none(detail, "refund") or detail)
    out.order(facts, "refund_completed", published, amount, refund_id=refund_id)


def _check_money(refund: Document) -> None:
    kind = word_or_none(refund, "dispute_type")
    if kind in _NO_MONEY:
        raise SkippedError(Reason.NOT_MONEY, "dispute_type")
    if kind not in _MONEY:
        raise SkippedError(Reason.UNKNOWN, "dispute_type")


def _polled_refund(refund: Document, out: Collector) -> None:
    """A refund that is asked for does not say when the money went; a message of TMC does."""
    _check_money(refund)
    amount = FIELDS.amount(refund, "refund_fee")
    if not amount:
        raise SkippedError(Reason.NOT_MONEY, "refund_fee")
    refund_id, tid = identifier(refund, "refund_id"), identifier(refund, "tid")
    facts = _facts(_trade(out.connection.detail("trade", tid)), out)
    out.order(facts, "refund_requested", FIELDS.time(refund, "created"), amount, refund_id=refund_id)
    status = word(refund, "status")
    if status in {"SUCCESS", "CLOSED"}:
        ts = out.just_now(FIELDS.time_or_none(refund, "modified"), status)
        if status == "SUCCESS":
            out.order(facts, "refund_completed", ts, amount, refund_id=refund_id)
        else:
            out.order(facts, "refund_closed", ts, refund_id=refund_id)


ADAPTER: Final = Adapter(
    "taobao",
    "Taobao, Tmall 淘宝 天猫",
    frozenset({"orders"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    api=API,
    details=(
        ("trade", "taobao.trade.fullinfo.get: buyer, products, times"),
        ("refund", "taobao.refund.get: whether a refund that succeeded is money"),
    ),
)
