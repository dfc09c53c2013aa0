"""WeChat customer service (微信客服): what ``kf/sync_msg`` gives; its callback says only that there is news.

Messages that were sent by the API, by robots and other helpdesks, are not in it.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.encryption import opened_by_wechat
from stream_attr.adapters.handshakes import verified_by_wecom
from stream_attr.adapters.reading import (
    Document,
    identifier,
    identifier_or_none,
    mapping,
    mapping_or_none,
    mappings,
    root,
    text_or_none,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_wechat
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.adapters.wechat_api import KF_API
from stream_attr.rules.vocabulary import MessageKind

FIELDS: Final = Fields({"send_time": Unit.SECONDS})

_CUSTOMER, _SYSTEM, _AGENT = "3", "4", "5"
_CARDS: Final = frozenset(
    {"channels_shop_product", "channels_shop_order", "miniprogram", "link", "business_card", "location"}
)
_HANDED_OVER: Final = "2"


def read(payload: object, out: Collector) -> None:
    """Read a page of ``kf/sync_msg``."""
    body = root(payload)
    if "msg_list" not in body:
        raise SkippedError(Reason.UNKNOWN, "payload")
    served: dict[str | None, str | None] = {}
    for message in mappings(body, "msg_list"):
        with out.part():
            origin = word(message, "origin")
            if origin in {_CUSTOMER, _AGENT}:
                _message(message, origin, served, out)
            elif origin == _SYSTEM and word_or_none(message, "msgtype") == "event":
                _event(message, served, out)
            else:
                raise SkippedError(Reason.UNKNOWN, "origin")


def _talk(named: Document, out: Collector) -> Talk:
    account, customer = identifier(named, "open_kfid"), identifier(named, "external_userid")
    connection = out.connection
    return Talk(
        "wechat_kf",
        connection.shop(account),
        connection.buyer(customer),
        connection.with_text,
        f"{account}.{customer}",
    )


def _message(message: Document, origin: str, served: dict[str | None, str | None], out: Collector) -> None:
    kind = word(message, "msgtype")
    if kind == "event":
        raise SkippedError(Reason.UNKNOWN, "msgtype")
    shown: MessageKind = "card" if kind in _CARDS else "text" if kind == "text" else "image"
    product = mapping_or_none(message, "channels_shop_product")
    talk = _talk(message, out)
    if origin == _AGENT:
        served[talk.conversation] = identifier(message, "servicer_userid")
    out.message(
        talk,
        f"m{identifier(message, 'msgid')}",
        FIELDS.time(message, "send_time"),
        sender="buyer" if origin == _CUSTOMER else "agent",
        agent_id=served.get(talk.conversation),
        text=text_or_none(mapping_or_none(message, "text") or {}, "content"),
        kind=shown,
        product_id=identifier_or_none(product, "product_id") if product else None,
    )


def _event(message: Document, served: dict[str | None, str | None], out: Collector) -> None:
    """``served``: by conversation, who serves it as far as this page tells."""
    event = mapping(message, "event")
    if word(event, "event_type") != "session_status_change":
        raise SkippedError(Reason.IGNORED, "event_type")
    talk = _talk(event, out)
    served[talk.conversation] = identifier_or_none(event, "new_servicer_userid")
    if word_or_none(event, "change_type") != _HANDED_OVER:
        raise SkippedError(Reason.IGNORED, "change_type")
    out.transfer(
        talk,
        f"m{identifier(message, 'msgid')}",
        FIELDS.time(message, "send_time"),
        identifier(event, "old_servicer_userid"),
        identifier(event, "new_servicer_userid"),
    )


ADAPTER: Final = Adapter(
    "wechat_kf",
    "WeChat customer service 微信客服",
    frozenset({"chats"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    api=KF_API,
    signature=Signature(
        ("token", "aes_key", "receive_id"),
        signed_by_wechat,
        lambda request: request.query.get("timestamp", ""),
        opened_by_wechat,
        b"success",
        verified_by_wecom,
    ),
    shared_inbox=True,
)
