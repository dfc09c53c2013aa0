"""WeChat shop (微信小店): events of orders and refunds, the order and the refund themselves.

Amounts are fen, times seconds. ``cancel_type`` 3 and the status 200 are orders all of which was refunded,
and not called off. The buyer is the ``unionid``, which a customer-service account has too.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Order, products
from stream_attr.adapters.encryption import opened_by_wechat
from stream_attr.adapters.handshakes import verified_by_wechat
from stream_attr.adapters.reading import (
    Document,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping,
    mapping_or_none,
    mappings,
    root,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_wechat
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.adapters.wechat_api import SHOP_API

FIELDS: Final = Fields(
    {
        "order_price": Unit.MINOR,
        "amount": Unit.MINOR,
        "create_time": Unit.SECONDS,
        "pay_time": Unit.SECONDS,
        "update_time": Unit.SECONDS,
        "CreateTime": Unit.SECONDS,
    }
)

_ORDER_EVENTS: Final = frozenset({"new", "pay", "cancel"})
_ALL_REFUNDED: Final = "3"
_CALLED_OFF: Final = "250"
_AT_ONCE: Final = frozenset({None, "1"})
"""Of ``payment_method``: others are paid later, or with something else than money."""
_MONEY_WENT: Final = frozenset({"MERCHANT_REFUND_SUCCESS", "MERCHANT_RETURN_SUCCESS"})
_WITHDRAWN: Final = frozenset({"USER_CANCELD", "RETURN_CLOSED"})
_NO_MONEY: Final = frozenset({"EXCHANGE"})


def read(payload: object, out: Collector) -> None:
    """Read an event, decrypted, or the reply with an order or a refund."""
    body = root(payload)
    event = word_or_none(body, "Event")
    if event is not None:
        _event(event, body, out)
    elif "after_sale_order" in body:
        _refund(mapping(body, "after_sale_order"), None, None, out)
    elif "order" in body:
        _snapshot(mapping(body, "order"), out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _event(event: str, body: Document, out: Collector) -> None:
    shop, ts = identifier_or_none(body, "ToUserName"), FIELDS.time(body, "CreateTime")
    if event == "channels_ec_aftersale_update":
        status = mapping(body, "finder_shop_aftersale_status_update")
        refund_id = identifier(status, "after_sale_order_id")
        detail = out.connection.detail("aftersale", refund_id)
        refund = mapping_or_none(detail, "after_sale_order") or detail
        _refund({**refund, "status": word(status, "status")}, ts, shop, out)
        return
    known = event.removeprefix("channels_ec_order_")
    if known not in _ORDER_EVENTS:
        named = event.startswith("channels_ec_")
        raise SkippedError(Reason.IGNORED if named else Reason.UNKNOWN, "Event")
    info = mapping(body, "order_info")
    if known == "cancel" and word_or_none(info, "cancel_type") == _ALL_REFUNDED:
        raise SkippedError(Reason.IGNORED, "all refunded")
    order, facts = _asked(identifier(info, "order_id"), shop, out)
    if known == "new":
        out.order(facts, "created", FIELDS.time(order, "create_time"), _price(order))
    elif known == "pay":
        _check_paid_at_once(order)
        out.order(facts, "paid", FIELDS.time(info, "pay_time"), _price(order))
    else:
        out.order(facts, "cancelled", ts)


def _asked(order_id: str, shop: str | None, out: Collector) -> tuple[Document, Order]:
    detail = out.connection.detail("order", order_id)
    order = mapping_or_none(detail, "order") or detail
    facts = _facts(order, shop, out)
    if facts.order_id != order_id:
        raise SkippedError(Reason.BAD_ID, "order_id")
    return order, facts


def _facts(order: Document, shop: str | None, out: Collector) -> Order:
    order_id = identifier(order, "order_id")
    items = mappings(mapping(order, "order_detail"), "product_infos")
    native = identifier_or_none(order, "unionid") or identifier_or_none(order, "openid")
    return Order(
        "wechat_shop",
        out.connection.shop(shop),
        out.connection.buyer(native, order_id),
        order_id,
        created_ts=FIELDS.time(order, "create_time"),
        quantity=sum(integer_or_none(item, "sku_cnt") or 0 for item in items),
        product_ids=products(identifier_or_none(item, "product_id") for item in items),
    )


def _price(order: Document) -> int:
    return FIELDS.amount(mapping(mapping(order, "order_detail"), "price_info"), "order_price")


def _payment(order: Document) -> Document:
    return mapping_or_none(mapping(order, "order_detail"), "pay_info") or {}


def _check_paid_at_once(order: Document) -> None:
    if word_or_none(_payment(order), "payment_method") not in _AT_ONCE:
        raise SkippedError(Reason.NOT_YET, "payment_method")


def _snapshot(order: Document, out: Collector) -> None:
    facts = _facts(order, None, out)
    out.order(facts, "created", FIELDS.time(order, "create_time"), _price(order))
    with out.part():
        paid = FIELDS.time_or_none(_payment(order), "pay_time")
        if paid is not None:
            _check_paid_at_once(order)
            out.order(facts, "paid", paid, _price(order))
        elif word_or_none(order, "status") == _CALLED_OFF:
            modified = FIELDS.time_or_none(order, "update_time")
            out.order(facts, "cancelled", out.just_now(modified, "status"))


def _refund(refund: Document, ts: int | None, shop: str | None, out: Collector) -> None:
    """``ts``: when its status became what it is, by the event that says so; None: nobody says."""
    if word_or_none(refund, "type") in _NO_MONEY:
        raise SkippedError(Reason.NOT_MONEY, "type")
    refund_id = identifier(refund, "after_sale_order_id")
    _, facts = _asked(identifier(refund, "order_id"), shop, out)
    amount = FIELDS.amount(mapping(refund, "refund_info"), "amount")
    if not amount:
        raise SkippedError(Reason.NOT_MONEY, "amount")
    out.order(facts, "refund_requested", FIELDS.time(refund, "create_time"), amount, refund_id=refund_id)
    status = word(refund, "status")
    if status in _MONEY_WENT | _WITHDRAWN:
        if ts is None:
            ts = out.just_now(FIELDS.time_or_none(refund, "update_time"), status)
        if status in _MONEY_WENT:
            out.order(facts, "refund_completed", ts, amount, refund_id=refund_id)
        else:
            out.order(facts, "refund_closed", ts, refund_id=refund_id)


ADAPTER: Final = Adapter(
    "wechat_shop",
    "WeChat shop 微信小店",
    frozenset({"orders"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    api=SHOP_API,
    details=(
        ("order", "channels/ec/order/get: buyer, products and price, which an event lacks"),
        ("aftersale", "channels/ec/aftersale/getaftersaleorder: the amount of a refund"),
    ),
    signature=Signature(
        ("token", "aes_key", "receive_id"),
        signed_by_wechat,
        lambda request: request.query.get("timestamp", ""),
        opened_by_wechat,
        b"success",
        verified_by_wechat,
    ),
)
