"""Taobao's API (TOP): trades, refunds, and the messages of TMC that wait to be confirmed.

Pages of a list are asked for from the last to the first, as the platform demands, or orders are missed that
are changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stream_attr.adapters.calls import (
    Api,
    Asked,
    Call,
    Listing,
    Problem,
    Queue,
    beijing,
    error_text,
    form,
)
from stream_attr.adapters.reading import (
    Document,
    identifier,
    integer,
    mapping_or_none,
    mappings,
    unwrapped,
)
from stream_attr.adapters.signatures import Keys, md5_wrapped

_TRADE: Final = (
    "tid,type,status,buyer_open_uid,payment,created,pay_time,end_time,modified,step_trade_status,step_paid_fee,"
    "orders"
)
"""No names, addresses or telephone numbers."""
_REFUND: Final = "refund_id,tid,oid,status,created,modified,refund_fee,refund_phase,dispute_type"
_PAGE: Final = 50
_OF_BUSINESS: Final = frozenset({"15", "40", "41"})
"""Codes under which a ``sub_code`` says what is wrong; others are of the application and its limits."""


def _signed(call: Call, keys: Keys, now_ms: int) -> Asked:
    fields = {
        "method": call.method,
        "app_key": keys["app_key"],
        "session": keys["access_token"],
        "timestamp": beijing(now_ms),
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
        **{name: str(value) for name, value in call.fields.items()},
    }
    return form({**fields, "sign": md5_wrapped(keys["app_secret"], fields)})


def _failed(reply: Document) -> Problem | None:
    error = mapping_or_none(reply, "error_response")
    if error is None:
        return None
    code, of_business = error_text(error, "code"), error_text(error, "sub_code")
    absent = code in _OF_BUSINESS and of_business.startswith("isv.") and "permission" not in of_business
    return Problem(error_text(error, "code", "sub_code", "msg", "sub_msg"), absent)


def _trades(begin_s: int, end_s: int, page: int) -> Call:
    return _changed("taobao.trades.sold.increment.get", _TRADE, begin_s, end_s, page)


def _refunds(begin_s: int, end_s: int, page: int) -> Call:
    return _changed("taobao.refunds.receive.get", _REFUND, begin_s, end_s, page)


def _changed(method: str, fields: str, begin_s: int, end_s: int, page: int) -> Call:
    return Call(
        method,
        {
            "fields": fields,
            "start_modified": beijing(begin_s * 1000),
            "end_modified": beijing(end_s * 1000),
            "page_no": page,
            "page_size": _PAGE,
            "use_has_next": "false",
        },
    )


def _total(reply: Document) -> int:
    return integer(unwrapped(reply), "total_results")


def _ids(reply: Document) -> Sequence[str]:
    messages = mapping_or_none(unwrapped(reply), "messages") or {}
    return [identifier(one, "id") for one in mappings(messages, "tmc_message")]


API: Final = Api(
    "https://eco.taobao.com/router/rest",
    ("app_key", "app_secret", "access_token"),
    _signed,
    _failed,
    {
        "trade": lambda tid: Call("taobao.trade.fullinfo.get", {"tid": tid, "fields": _TRADE}),
        "refund": lambda refund: Call("taobao.refund.get", {"refund_id": refund, "fields": _REFUND}),
    },
    (
        Listing("orders", _trades, _total, _PAGE, span_s=1800),
        Listing("refunds", _refunds, _total, _PAGE, span_s=1800),
    ),
    Queue(
        "messages",
        Call("taobao.tmc.messages.consume", {"quantity": 100}),
        _ids,
        lambda ids: Call("taobao.tmc.messages.confirm", {"s_message_ids": ",".join(ids)}),
    ),
)
