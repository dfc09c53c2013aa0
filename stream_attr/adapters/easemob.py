"""Easemob (环信): its callback of messages, and the webhook of closed sessions. Experimental.

Messages come by the older callback of its IM: who is whom follows from ``ext.weichat``, as real payloads of
third parties show. An agent's message has no id of the agent, only a name, and that may be empty. The newer
webhook has messages, too, but no form of them could be read.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.reading import (
    Document,
    embedded,
    identifier,
    identifier_or_none,
    integer_or_none,
    mapping,
    mapping_or_none,
    mappings,
    root,
    text_or_none,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, sent_by_easemob_at, signed_by_easemob
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.rules.vocabulary import MessageKind

FIELDS: Final = Fields({"timestamp": Unit.MILLISECONDS, "stop": Unit.MILLISECONDS})

_KINDS: Final[dict[str, MessageKind]] = {"txt": "text", "img": "image"}


def read(payload: object, out: Collector) -> None:
    """Read a message, or a session that was closed."""
    body = root(payload)
    if "event" in body:
        if word(body, "event") != "ServiceSessionClosedEvent":
            raise SkippedError(Reason.IGNORED, "event")
        _closed(mapping(embedded(body, "payload"), "serviceSession"), out)
    elif "eventType" in body:
        if word(body, "eventType") != "chat":  # chat_offline tells of the same message again
            raise SkippedError(Reason.IGNORED, "eventType")
        _message(body, out)
    else:
        raise SkippedError(Reason.UNKNOWN, "payload")


def _talk(buyer: str, out: Collector) -> Talk:
    connection = out.connection
    return Talk("easemob", connection.shop(), connection.buyer(buyer), connection.with_text, buyer)


def _closed(session: Document, out: Collector) -> None:
    """A closed session says how the buyer rated whom; its messages come by themselves."""
    score = integer_or_none(mapping_or_none(session, "enquiry") or {}, "score")
    if not score:
        raise SkippedError(Reason.IGNORED, "not rated")
    agent = mapping(session, "agent")
    if word(agent, "type").lower() == "robot":
        raise SkippedError(Reason.IGNORED, "a robot was rated")
    user = mapping(mapping(session, "visitor"), "channel_user")
    session_id, ts = identifier(session, "id"), FIELDS.time(mapping(session, "timestamp"), "stop")
    talk = _talk(identifier(user, "im_id"), out)
    out.rating(talk, f"s{session_id}:rating", ts, identifier(agent, "name"), score)


def _message(body: Document, out: Collector) -> None:
    inner = embedded(body, "payload")
    about = mapping_or_none(mapping_or_none(inner, "ext") or {}, "weichat")
    if about is None:
        raise SkippedError(Reason.IGNORED, "no message of customer service")
    if about.get("event") is not None:
        raise SkippedError(Reason.IGNORED, "event of a session")
    agent = mapping_or_none(about, "agent")
    buyer = identifier_or_none(mapping_or_none(about, "visitor") or {}, "openid")
    talk = _talk(buyer or identifier(body, "from" if agent is None else "to"), out)
    bodies = mappings(inner, "bodies")
    if not bodies:
        raise SkippedError(Reason.MISSING_FIELD, "bodies")
    texts = [text for one in bodies if (text := text_or_none(one, "msg"))]
    by_agent = agent is not None
    out.message(
        talk,
        f"m{identifier(body, 'msg_id')}",
        FIELDS.time(body, "timestamp"),
        sender="agent" if by_agent else "buyer",
        agent_id=None if agent is None else _agent_of(about, agent),
        text="\n".join(texts) or None,
        kind=_KINDS.get(word_or_none(bodies[0], "type") or "", "card"),
    )


def _agent_of(about: Document, agent: Document) -> str:
    """Return who wrote: by the name that closed sessions say, too, where the account is not given."""
    return identifier_or_none(about, "agentUsername") or identifier(agent, "userNickname")


ADAPTER: Final = Adapter(
    "easemob",
    "Easemob 环信",
    frozenset({"chats"}),
    Sureness.EXPERIMENTAL,
    read,
    FIELDS,
    signature=Signature(("secret",), signed_by_easemob, sent_at=sent_by_easemob_at),
    shared_inbox=True,
)
