"""WeChat's APIs: orders and refunds of the shop, and the messages of customer service by their cursor.

A call carries a token that is renewed every two hours, and no signature.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import urlencode

from stream_attr.adapters.calls import Api, Asked, Buyer, Call, Cursor, Problem, error_text
from stream_attr.adapters.reading import (
    Document,
    flag,
    identifier_or_none,
    integer_or_none,
    mappings,
    word_or_none,
)
from stream_attr.adapters.signatures import Keys

__all__ = ["KF_API", "SHOP_API"]

_MESSAGES: Final = 1000


def _with_token(call: Call, keys: Keys, _now_ms: int) -> Asked:
    path = f"/{call.method}?{urlencode({'access_token': keys['access_token']})}"
    return Asked(path, json.dumps(dict(call.fields)).encode(), "application/json")


def _failed(reply: Document) -> Problem | None:
    if not integer_or_none(reply, "errcode"):
        return None
    return Problem(error_text(reply, "errcode", "errmsg"))


def _messages(cursor: str) -> Call:
    begin = {"cursor": cursor} if cursor else {}
    return Call("cgi-bin/kf/sync_msg", {**begin, "limit": _MESSAGES})


def _next(reply: Document) -> tuple[str, bool]:
    return word_or_none(reply, "next_cursor") or "", flag(reply, "has_more")


def _unionid(reply: Document) -> str | None:
    return next((identifier_or_none(one, "unionid") for one in mappings(reply, "customer_list")), None)


SHOP_API: Final = Api(
    "https://api.weixin.qq.com",
    ("access_token",),
    _with_token,
    _failed,
    {
        "order": lambda order: Call("channels/ec/order/get", {"order_id": order}),
        "aftersale": lambda refund: Call(
            "channels/ec/aftersale/getaftersaleorder", {"after_sale_order_id": refund}
        ),
    },
)

KF_API: Final = Api(
    "https://qyapi.weixin.qq.com",
    ("access_token",),
    _with_token,
    _failed,
    {},
    cursor=Cursor("messages", _messages, _next, lambda reply: bool(mappings(reply, "msg_list"))),
    buyers={
        "unionid": Buyer(
            lambda user: Call("cgi-bin/kf/customer/batchget", {"external_userid_list": [user]}), _unionid
        )
    },
)
