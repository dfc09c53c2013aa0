"""Pinduoduo's API: orders and refunds by their last change, half an hour at most in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.adapters.calls import Api, Asked, Call, Listing, Problem, error_text, form
from stream_attr.adapters.reading import Document, integer, mapping_or_none, unwrapped
from stream_attr.adapters.signatures import Keys, md5_wrapped

_PAGE: Final = 100
_HALF_AN_HOUR_S: Final = 1800


def _signed(call: Call, keys: Keys, now_ms: int) -> Asked:
    fields = {
        "type": call.method,
        "client_id": keys["client_id"],
        "access_token": keys["access_token"],
        "timestamp": str(now_ms // 1000),
        "data_type": "JSON",
        **{name: str(value) for name, value in call.fields.items()},
    }
    return form({**fields, "sign": md5_wrapped(keys["client_secret"], fields)})


def _failed(reply: Document) -> Problem | None:
    error = mapping_or_none(reply, "error_response")
    return (
        None
        if error is None
        else Problem(error_text(error, "error_code", "sub_code", "error_msg", "sub_msg"))
    )


def _orders(begin_s: int, end_s: int, page: int) -> Call:
    everything = {"order_status": 5, "refund_status": 5, "is_lucky_flag": 0, "use_has_next": "false"}
    return _changed("pdd.order.number.list.increment.get", everything, begin_s, end_s, page)


def _refunds(begin_s: int, end_s: int, page: int) -> Call:
    everything = {"after_sales_status": 1, "after_sales_type": 1}
    return _changed("pdd.refund.list.increment.get", everything, begin_s, end_s, page)


def _changed(method: str, more: Mapping[str, object], begin_s: int, end_s: int, page: int) -> Call:
    window = {"start_updated_at": begin_s, "end_updated_at": end_s, "page": page, "page_size": _PAGE}
    return Call(method, {**window, **more})


def _total(reply: Document) -> int:
    return integer(unwrapped(reply), "total_count")


API: Final = Api(
    "https://gw-api.pinduoduo.com/api/router",
    ("client_id", "client_secret", "access_token"),
    _signed,
    _failed,
    {"order": lambda order: Call("pdd.order.information.get", {"order_sn": order})},
    (
        Listing("orders", _orders, _total, _PAGE, span_s=_HALF_AN_HOUR_S),
        Listing("refunds", _refunds, _total, _PAGE, span_s=_HALF_AN_HOUR_S),
    ),
)
