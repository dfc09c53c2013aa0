"""LiveChat (Text): its webhooks of messages and handovers.

An agent's id is an e-mail address. A webhook does not say which other participant is the buyer where there
are several, such as a robot: the chat is asked for.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.reading import (
    Document,
    checked_id,
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
from stream_attr.adapters.signatures import Signature, signed_by_livechat
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields({"created_at": Unit.OFFSET})


def read(payload: object, out: Collector) -> None:
    """Read one webhook."""
    body = root(payload)
    action, inner = word(body, "action"), mapping(body, "payload")
    shop = identifier_or_none(body, "organization_id")
    if action == "incoming_chat":
        chat = mapping(inner, "chat")
        talk, buyer = _talk(identifier(chat, "id"), _customer_of(chat), shop, out)
        for event in mappings(mapping(chat, "thread"), "events"):
            with out.part():
                _event(event, talk, buyer, out)
    elif action == "incoming_event":
        talk, buyer = _talk(identifier(inner, "chat_id"), _buyer(body, out), shop, out)
        _event(mapping(inner, "event"), talk, buyer, out)
    elif action == "chat_transferred":
        talk, _ = _talk(identifier(inner, "chat_id"), _buyer(body, out), shop, out)
        _transfer(inner, talk, out)
    else:
        raise SkippedError(Reason.IGNORED, "action")


def _is_agent(user: str) -> bool:
    return "@" in user


def _buyer(body: Document, out: Collector) -> str:
    present = (mapping_or_none(body, "additional_data") or {}).get("chat_presence_user_ids")
    others = present if isinstance(present, list) else []
    others = [one for one in others if isinstance(one, str) and not _is_agent(one)]
    if len(others) == 1:
        return checked_id(others[0], "chat_presence_user_ids")
    chat = out.connection.detail("chat", identifier(mapping(body, "payload"), "chat_id"))
    return _customer_of(chat)


def _customer_of(chat: Document) -> str:
    for user in mappings(chat, "users"):
        if word_or_none(user, "type") == "customer":
            return identifier(user, "id")
    raise SkippedError(Reason.NO_BUYER, "users")


def _talk(chat: str, buyer: str, shop: str | None, out: Collector) -> tuple[Talk, str]:
    """Return what a chat's messages share, and the buyer by the platform's own id."""
    connection = out.connection
    talk = Talk("livechat", connection.shop(shop), connection.buyer(buyer), connection.with_text, chat)
    return talk, buyer


def _event(event: Document, talk: Talk, buyer: str, out: Collector) -> None:
    if word_or_none(event, "recipients") == "agents":
        raise SkippedError(Reason.PRIVATE, "recipients")
    kind = word(event, "type")
    if kind not in {"message", "file"}:
        raise SkippedError(Reason.IGNORED, "type")
    author = identifier(event, "author_id")
    by_robot = author != buyer and not _is_agent(author)
    out.message(
        talk,
        f"e{identifier(event, 'id')}",
        FIELDS.time(event, "created_at"),
        sender="buyer" if author == buyer else "agent",
        agent_id=None if author == buyer else f"livechat-robot-{author}" if by_robot else author,
        text=text_or_none(event, "text"),
        kind="image" if kind == "file" else "text",
        robot=by_robot,
    )


def _transfer(payload: Document, talk: Talk, out: Collector) -> None:
    """A handover has no time: when the first webhook of it came counts."""
    agents = mapping(payload, "transferred_to").get("agent_ids")
    if not isinstance(agents, list) or not agents:
        raise SkippedError(Reason.IGNORED, "handed over to a group")
    before, after = identifier(payload, "requester_id"), identifier({"agent": agents[0]}, "agent")
    key = f"t{identifier(payload, 'thread_id')}:{before}:{after}"
    out.transfer(talk, key, out.arrival("chat_transferred"), before, after)


ADAPTER: Final = Adapter(
    "livechat",
    "LiveChat, Text",
    frozenset({"chats"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    details=(("chat", "get_chat: which participant is the buyer, where there are several"),),
    signature=Signature(("secret",), signed_by_livechat),
    shared_inbox=True,
)
