"""JD's chats (咚咚): messages and handovers of the open API, and messages of the older one."""

from __future__ import annotations

from typing import Final

import xxhash

from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.reading import (
    Document,
    flag,
    identifier,
    identifier_or_none,
    mapping,
    mapping_or_none,
    mappings,
    parse,
    root,
    text_or_none,
)
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

__all__ = ["CHAT_UNITS", "read_chats"]

CHAT_UNITS: Final = {
    "createdTime": Unit.MILLISECONDS,
    "transferTime": Unit.MILLISECONDS,
    "time": Unit.GMT8,
}


def read_chats(body: Document, fields: Fields, out: Collector) -> bool:
    """Read messages or sessions; return whether there are some."""
    page = mapping_or_none(body, "ChatLogPage") or body
    if "chatLogList" in page:
        older = page["chatLogList"]
        if not isinstance(older, list):
            raise SkippedError(Reason.BAD_TYPE, "chatLogList")
        for one in older:
            with out.part():
                _older_message(root(parse(one)), fields, out)
        return True
    name = "data" if "data" in body else "list"
    if name not in body:
        return False
    several = isinstance(body[name], list)
    for one in mappings(body, name) if several else [mapping(body, name)]:
        if "dongdongChatLogList" in one:
            with out.part():
                _details(one, fields, out)
        else:
            with out.part():
                (_message if "uuid" in one else _session)(one, fields, out)
    return True


def _details(one: Document, fields: Fields, out: Collector) -> None:
    """A session with its messages, which name no more than the account of the buyer."""
    session = mapping_or_none(one, "dongdongSession") or {}
    for message in mappings(one, "dongdongChatLogList"):
        with out.part():
            _message({"xidBuyer": session.get("xidBuyer"), **message}, fields, out)
    if session:
        _session(session, fields, out)


def _talk(one: Document, buyer: str, out: Collector) -> Talk:
    """Return what messages share. A masked account is of several buyers, and none: `bridge` may know it."""
    connection, account = out.connection, identifier_or_none(one, "customer")
    native = identifier_or_none(one, buyer)
    if native is not None and "*" in native:
        native = None
    return Talk("jd", connection.shop(), connection.buyer(native, account), connection.with_text)


def _product(one: Document) -> str | None:
    found = identifier_or_none(one, "skuId")
    return None if found == "0" else found


def _message(one: Document, fields: Fields, out: Collector) -> None:
    if flag(one, "revokeFlag"):
        raise SkippedError(Reason.NOT_SENT, "revokeFlag")
    if one.get("waiterSend") is None:
        raise SkippedError(Reason.MISSING_FIELD, "waiterSend")
    out.message(
        _talk(one, "xidBuyer", out),
        f"m{identifier(one, 'uuid')}",
        fields.time(one, "createdTime"),
        sender="agent" if flag(one, "waiterSend") else "buyer",
        agent_id=identifier(one, "waiter"),
        text=text_or_none(one, "content"),
        kind="image" if text_or_none(one, "imgUrl") else "text",
        product_id=_product(one),
    )


def _session(one: Document, fields: Fields, out: Collector) -> None:
    """A session says who took over; its messages come by themselves."""
    to_waiter = identifier_or_none(one, "toWaiter")
    if not flag(one, "transfer") or to_waiter is None:
        raise SkippedError(Reason.IGNORED, "session")
    out.transfer(
        _talk(one, "xidBuyer", out),
        f"s{identifier(one, 'sid')}:transfer",
        fields.time(one, "transferTime"),
        identifier(one, "waiter"),
        to_waiter,
    )


def _older_message(one: Document, fields: Fields, out: Collector) -> None:
    """The older API gives its messages no ids: text, time and sender make one."""
    if one.get("waiterSend") is None:
        raise SkippedError(Reason.MISSING_FIELD, "waiterSend")
    by_agent, ts, text = flag(one, "waiterSend"), fields.time(one, "time"), text_or_none(one, "content")
    digest = xxhash.xxh3_64_hexdigest((text or "").encode())
    side = "w" if by_agent else "c"
    out.message(
        _talk(one, "customer", out),
        f"s{identifier(one, 'sid')}:{ts}:{side}:{digest}",
        ts,
        sender="agent" if by_agent else "buyer",
        agent_id=identifier(one, "waiter"),
        text=text,
        product_id=_product(one),
    )
