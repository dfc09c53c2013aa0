"""JD's orders, refunds and chats, as its APIs give them to whoever polls.

All amounts but those of refund requests are yuan. A buyer is the ``xid_buyer`` of the order, which the chat
has too as ``xidBuyer``; ``pin`` is masked on orders.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.jd_api import API
from stream_attr.adapters.jd_chats import CHAT_UNITS, read_chats
from stream_attr.adapters.reading import (
    Document,
    identifier,
    identifier_or_none,
    integer_or_none,
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
        "actualPay": Unit.MAJOR,
        "shouldPay": Unit.MAJOR,
        "orderStartTime": Unit.GMT8,
        "orderEndTime": Unit.GMT8,
        "paymentConfirmTime": Unit.GMT8,
        "modified": Unit.GMT8,
        "applyRefundSum": Unit.MINOR,
        "applyTime": Unit.GMT8,
        "payBargainPlan": Unit.MAJOR,
        "payBargainReal": Unit.MAJOR,
        "payBalancePlan": Unit.MAJOR,
        "payBalanceReal": Unit.MAJOR,
        "bargainTime": Unit.GMT8,
        "balanceTime": Unit.GMT8,
        "createTime": Unit.GMT8,
        **CHAT_UNITS,
    }
)

_CASH_ON_DELIVERY: Final = "1"
"""How ``payType`` begins, before a dash: 货到付款."""
_CALLED_OFF: Final = frozenset({"TRADE_CANCELED", "DELIVERY_RETURN"})


def read(payload: object, out: Collector) -> None:
    """Read a reply of one of JD's APIs, with or without its outer wrapper."""
    body = unwrapped(root(payload))
    found = mapping_or_none(body, "searchorderinfo_result") or body
    if "orderInfoList" in found:
        for order in mappings(found, "orderInfoList"):
            with out.part():
                _order(order, out)
    elif "orderState" in body:
        _order(body, out)
    elif "queryResult" in body:
        for refund in mappings(root(body["queryResult"]), "result"):
            with out.part():
                _refund(refund, out)
    elif "PresaleOrderVO" in body:
        for presale in mappings(body, "PresaleOrderVO"):
            with out.part():
                _presale(presale, out)
    elif not read_chats(body, FIELDS, out):
        raise SkippedError(Reason.UNKNOWN, "payload")


def _facts(order: Document, out: Collector) -> Order:
    order_id = identifier(order, "orderId")
    items = mappings(order, "itemInfoList")
    native = identifier_or_none(order, "xid_buyer") or identifier_or_none(order, "open_id_buyer")
    return Order(
        "jd",
        out.connection.shop(identifier_or_none(order, "venderId")),
        out.connection.buyer(native, order_id),
        order_id,
        created_ts=FIELDS.time(order, "orderStartTime"),
        quantity=sum(integer_or_none(item, "itemTotal") or 0 for item in items),
        product_ids=products(identifier_or_none(item, "skuId") for item in items),
    )


def _order(order: Document, out: Collector) -> None:
    facts, state = _facts(order, out), word(order, "orderState")
    price = FIELDS.amount(order, "shouldPay")
    placed = FIELDS.time(order, "orderStartTime")
    out.order(facts, "created", placed, price)
    on_delivery = (word_or_none(order, "payType") or "").partition("-")[0] == _CASH_ON_DELIVERY
    with out.part():
        if on_delivery:
            out.order(facts, "paid", placed, price)
        else:
            paid = FIELDS.amount_or_none(order, "actualPay")
            confirmed = FIELDS.time_or_none(order, "paymentConfirmTime")
            if paid and confirmed is not None:
                out.order(facts, "paid", confirmed, paid)
    with out.part():
        if state == "TRADE_CANCELED" or (on_delivery and state in _CALLED_OFF):
            ended = FIELDS.time_or_none(order, "orderEndTime")
            if ended is None:
                ended = out.just_now(FIELDS.time_or_none(order, "modified"), state)
            out.order(facts, "cancelled", ended)
            if on_delivery:
                out.order(facts, "refund_completed", ended, price, refund_id=f"{facts.order_id}.cod")
    with out.part():
        parent = identifier_or_none(order, "parentOrderId")
        if parent not in {None, "0", facts.order_id}:
            _exclude(str(parent), facts, placed, out)


def _exclude(parent: str, child: Order, ts: int, out: Collector) -> None:
    """Of a split order the parts count, and not the whole as well, which may have come before the split."""
    whole = child._replace(order_id=parent)
    with out.part():
        order, whole = _asked(parent, out)
        placed, price = FIELDS.time(order, "orderStartTime"), FIELDS.amount(order, "shouldPay")
        out.order(whole, "created", placed, price)
    out.order(whole, "excluded", ts)


def _asked(order_id: str, out: Collector) -> tuple[Document, Order]:
    """Return an order, for what names only another id of its buyer: that would be a second buyer."""
    reply = unwrapped(out.connection.detail("order", order_id))
    inner = mapping_or_none(reply, "orderDetailInfo") or reply
    order = mapping_or_none(inner, "orderInfo") or inner
    facts = _facts(order, out)
    if facts.order_id != order_id:
        raise SkippedError(Reason.BAD_ID, "orderId")
    return order, facts


def _refund(refund: Document, out: Collector) -> None:
    """A request to cancel for money. Its ``status`` is that of an audit, which moves none."""
    _, facts = _asked(identifier(refund, "orderId"), out)
    amount = FIELDS.amount(refund, "applyRefundSum")
    out.order(
        facts,
        "refund_requested",
        FIELDS.time(refund, "applyTime"),
        amount,
        refund_id=identifier(refund, "id"),
    )


def _presale(presale: Document, out: Collector) -> None:
    _, facts = _asked(identifier(presale, "orderId"), out)
    created = FIELDS.time(presale, "createTime")
    planned = FIELDS.amount(presale, "payBargainPlan") + FIELDS.amount(presale, "payBalancePlan")
    out.order(facts, "created", created, planned)
    deposit = FIELDS.amount_or_none(presale, "payBargainReal")
    deposited = FIELDS.time_or_none(presale, "bargainTime")
    if not deposit or deposited is None:
        return
    out.order(facts, "deposit_paid", deposited, deposit)
    balance = FIELDS.amount_or_none(presale, "payBalanceReal")
    settled = FIELDS.time_or_none(presale, "balanceTime")
    if balance and settled is not None:
        out.order(facts, "paid", settled, deposit + balance)


ADAPTER: Final = Adapter(
    "jd",
    "JD 京东",
    frozenset({"chats", "orders"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    api=API,
    details=(
        (
            "order",
            "jingdong.pop.order.get: whose a refund or presale is; the whole of a split order",
        ),
    ),
)
