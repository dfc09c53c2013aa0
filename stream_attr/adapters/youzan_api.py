"""Youzan's API: the order. A call carries a token and no signature."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import urlencode

from stream_attr.adapters.calls import Api, Asked, Call, Problem, error_text
from stream_attr.adapters.reading import Document, mapping_or_none
from stream_attr.adapters.signatures import Keys


def _with_token(call: Call, keys: Keys, _now_ms: int) -> Asked:
    path = f"/api/{call.method}?{urlencode({'access_token': keys['access_token']})}"
    return Asked(path, json.dumps(dict(call.fields)).encode(), "application/json")


def _failed(reply: Document) -> Problem | None:
    error = mapping_or_none(reply, "gw_err_resp")
    if error is not None:
        return Problem(error_text(error, "err_code", "err_msg"))
    return (
        None if mapping_or_none(reply, "data") is not None else Problem(error_text(reply, "code", "message"))
    )


API: Final = Api(
    "https://open.youzanyun.com",
    ("access_token",),
    _with_token,
    _failed,
    {"order": lambda tid: Call("youzan.trade.get/4.0.2", {"tid": tid})},
)
