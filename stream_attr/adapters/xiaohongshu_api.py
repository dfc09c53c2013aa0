"""Xiaohongshu's API: the order. Several third parties agree on the form of a call; no vector is published."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from stream_attr.adapters.calls import Api, Asked, Call, Problem, error_text
from stream_attr.adapters.reading import Document, flag
from stream_attr.adapters.signatures import Keys

_VERSION: Final = "2.0"


def _signed(call: Call, keys: Keys, now_ms: int) -> Asked:
    now_s = str(now_ms // 1000)
    system = f"appId={keys['app_key']}&timestamp={now_s}&version={_VERSION}"
    joined = f"{call.method}?{system}{keys['app_secret']}".encode()
    body = {
        "method": call.method,
        "appId": keys["app_key"],
        "timestamp": now_s,
        "version": _VERSION,
        "accessToken": keys["access_token"],
        "sign": hashlib.md5(joined, usedforsecurity=False).hexdigest(),
        **call.fields,
    }
    return Asked("", json.dumps(body).encode(), "application/json;charset=utf-8")


def _failed(reply: Document) -> Problem | None:
    return None if flag(reply, "success") else Problem(error_text(reply, "error_code", "error_msg", "msg"))


API: Final = Api(
    "https://ark.xiaohongshu.com/ark/open_api/v3/common_controller",
    ("app_key", "app_secret", "access_token"),
    _signed,
    _failed,
    {"order": lambda order: Call("order.getOrderDetail", {"orderId": order})},
)
