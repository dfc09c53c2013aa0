"""JD's API: orders by their last change, orders that are not paid, requests for refunds by their coming."""

from __future__ import annotations

import json
from typing import Final

from stream_attr.adapters.calls import Api, Asked, Call, Listing, Problem, beijing, error_text, form
from stream_attr.adapters.reading import Document, integer, mapping, mapping_or_none, unwrapped
from stream_attr.adapters.signatures import Keys, md5_wrapped

_ORDER: Final = (
    "orderId,venderId,orderState,payType,actualPay,shouldPay,orderStartTime,orderEndTime,paymentConfirmTime,"
    "modified,open_id_buyer,xid_buyer,parentOrderId,directParentOrderId,itemInfoList"
)
"""No names, addresses or telephone numbers."""
_STATES: Final = (
    "WAIT_SELLER_STOCK_OUT,WAIT_SELLER_DELIVERY,WAIT_GOODS_RECEIVE_CONFIRM,FINISHED_L,TRADE_CANCELED,LOCKED,"
    "PAUSE,POP_ORDER_PAUSE,DELIVERY_RETURN"
)
_PAGE: Final = 50
_DAY_S: Final = 86_400


def _signed(call: Call, keys: Keys, now_ms: int) -> Asked:
    fields = {
        "360buy_param_json": json.dumps(dict(call.fields), ensure_ascii=False, separators=(",", ":")),
        "access_token": keys["access_token"],
        "app_key": keys["app_key"],
        "method": call.method,
        "timestamp": beijing(now_ms, digits="milliseconds"),
        "v": "2.0",
    }
    return form({**fields, "sign": md5_wrapped(keys["app_secret"], fields)})


def _failed(reply: Document) -> Problem | None:
    error = mapping_or_none(reply, "error_response")
    return None if error is None else Problem(error_text(error, "code", "en_desc", "zh_desc"))


def _orders(begin_s: int, end_s: int, page: int) -> Call:
    return Call(
        "jingdong.pop.order.search",
        {
            "start_date": beijing(begin_s * 1000),
            "end_date": beijing(end_s * 1000),
            "order_state": _STATES,
            "optional_fields": _ORDER,
            "page": str(page),
            "page_size": str(_PAGE),
            "sortType": "0",
            "dateType": "0",  # by the last change
        },
    )


def _unpaid(begin_s: int, end_s: int, page: int) -> Call:
    begin, end = beijing(begin_s * 1000), beijing(end_s * 1000)
    window = {"startDate": begin, "endDate": end, "page": str(page), "pageSize": str(_PAGE)}
    return Call("jingdong.pop.order.notPayOrderInfo", window)


def _refunds(begin_s: int, end_s: int, page: int) -> Call:
    begin, end = beijing(begin_s * 1000), beijing(end_s * 1000)
    window = {"applyTimeStart": begin, "applyTimeEnd": end, "pageIndex": str(page), "pageSize": str(_PAGE)}
    return Call("jingdong.pop.afs.soa.refundapply.queryPageList", window)


def _orders_total(reply: Document) -> int:
    return integer(mapping(unwrapped(reply), "searchorderinfo_result"), "orderTotal")


def _refunds_total(reply: Document) -> int:
    return integer(mapping(unwrapped(reply), "queryResult"), "totalCount")


API: Final = Api(
    "https://api.jd.com/routerjson",
    ("app_key", "app_secret", "access_token"),
    _signed,
    _failed,
    {
        "order": lambda order: Call(
            "jingdong.pop.order.get", {"order_id": order, "order_state": _STATES, "optional_fields": _ORDER}
        )
    },
    (
        Listing("orders", _orders, _orders_total, _PAGE, span_s=_DAY_S),
        Listing("unpaid", _unpaid, _orders_total, _PAGE, span_s=_DAY_S),
        Listing("refunds", _refunds, _refunds_total, _PAGE, span_s=_DAY_S),
    ),
)
