"""Doudian's API: the order, and orders and refunds by their last change."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, Final
from urllib.parse import urlencode

from stream_attr.adapters.calls import Api, Asked, Call, Listing, Problem, error_text
from stream_attr.adapters.reading import Document, integer, mapping
from stream_attr.adapters.signatures import Keys

_PAGE: Final = 100
_HOUR_S: Final = 3600
_DONE: Final = "10000"


def _signed(call: Call, keys: Keys, now_ms: int) -> Asked:
    fields = json.dumps(dict(call.fields), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    key, secret, now_s = keys["app_key"], keys["app_secret"], str(now_ms // 1000)
    joined = f"{secret}app_key{key}method{call.method}param_json{fields}timestamp{now_s}v2{secret}"
    query = {
        "app_key": key,
        "method": call.method,
        "timestamp": now_s,
        "v": "2",
        "sign_method": "hmac-sha256",
        "sign": hmac.new(secret.encode(), joined.encode(), hashlib.sha256).hexdigest(),
        "access_token": keys["access_token"],
    }
    path = f"/{call.method.replace('.', '/')}?{urlencode(query)}"
    return Asked(path, fields.encode(), "application/json;charset=utf-8")


def _failed(reply: Document) -> Problem | None:
    if error_text(reply, "code") == _DONE:
        return None
    return Problem(error_text(reply, "code", "sub_code", "msg", "sub_msg"))


def _orders(begin_s: int, end_s: int, page: int) -> Call:
    window = {"update_time_start": begin_s, "update_time_end": end_s, **_page(page)}
    return Call("order.searchList", {**window, "order_by": "update_time", "order_asc": True})


def _refunds(begin_s: int, end_s: int, page: int) -> Call:
    window = {"update_start_time": begin_s, "update_end_time": end_s, **_page(page)}
    return Call("afterSale.List", {**window, "order_by": ["update_time asc"]})


def _page(page: int) -> dict[str, Any]:
    return {"page": page - 1, "size": _PAGE}


def _total(reply: Document) -> int:
    return integer(mapping(reply, "data"), "total")


API: Final = Api(
    "https://openapi-fxg.jinritemai.com",
    ("app_key", "app_secret", "access_token"),
    _signed,
    _failed,
    {"order": lambda order: Call("order.orderDetail", {"shop_order_id": order})},
    (
        Listing("orders", _orders, _total, _PAGE, span_s=_HOUR_S),
        Listing("refunds", _refunds, _total, _PAGE, span_s=_HOUR_S),
    ),
)
