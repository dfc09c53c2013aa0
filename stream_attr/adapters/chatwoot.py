"""Chatwoot's webhooks of messages, of surveys that are answered, and of conversations that are handed over.

A conversation's ``messages`` may hold another message than the one of the event, and are not read. Its
``timestamp`` is that of its last message, not of the change.
"""

from __future__ import annotations

import re
from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.reading import (
    Document,
    flag,
    identifier,
    identifier_or_none,
    integer,
    mapping,
    mapping_or_none,
    mappings,
    root,
    text_or_none,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_chatwoot
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.rules.vocabulary import Entry, MessageKind

FIELDS: Final = Fields({"created_at": Unit.OFFSET, "updated_at": Unit.SECONDS, "timestamp": Unit.SECONDS})

_BY_NUMBER: Final = {"0": "incoming", "1": "outgoing", "2": "activity", "3": "template"}
_PRODUCT_PAGE: Final = re.compile(r"https?://[^/?#]+(?:/[^/?#]+)*?/products?/[^/?#]+", re.ASCII)
"""As Shopify and WooCommerce name the pages of products."""


def read(payload: object, out: Collector) -> None:
    """Read one webhook."""
    body = root(payload)
    event = word_or_none(body, "event")
    if event == "message_created":
        _message(body, out)
    elif event == "message_updated":
        _survey(body, out)
    elif event == "conversation_updated":
        _assignment(body, out)
    elif event is None:
        raise SkippedError(Reason.UNKNOWN, "event")
    else:
        raise SkippedError(Reason.IGNORED, "event")


def _talk(body: Document, conversation: Document, out: Collector) -> Talk:
    contact = mapping(mapping(conversation, "meta"), "sender")
    native = identifier_or_none(contact, "identifier") or identifier(contact, "id")
    account, number = identifier(mapping(body, "account"), "id"), identifier(conversation, "id")
    connection = out.connection
    return Talk(
        "chatwoot",
        connection.shop(identifier_or_none(conversation, "inbox_id")),
        connection.buyer(native),
        connection.with_text,
        f"{account}.{number}",
    )


def _assignee(conversation: Document) -> str | None:
    """Return the person whom a conversation is assigned to."""
    found = mapping_or_none(mapping(conversation, "meta"), "assignee")
    if found is None or word_or_none(found, "type") not in {None, "user"}:
        return None
    return identifier_or_none(found, "id")


def _message(body: Document, out: Collector) -> None:
    if flag(body, "private"):
        raise SkippedError(Reason.PRIVATE, "private")
    if word_or_none(body, "status") == "failed":
        raise SkippedError(Reason.NOT_SENT, "status")
    kind = word(body, "message_type")
    kind = _BY_NUMBER.get(kind, kind)
    if kind == "activity":
        raise SkippedError(Reason.IGNORED, "activity")
    conversation = mapping(body, "conversation")
    talk, ts = _talk(body, conversation, out), FIELDS.time(body, "created_at")
    key, text = f"m{identifier(body, 'id')}", text_or_none(body, "content")
    images = [one for one in mappings(body, "attachments") if word_or_none(one, "file_type") == "image"]
    shown: MessageKind = "image" if images else "text"
    if kind == "incoming":
        out.message(
            talk,
            key,
            ts,
            sender="buyer",
            agent_id=_assignee(conversation),
            text=text,
            kind=shown,
            entry=_entry(conversation),
        )
    elif kind in {"outgoing", "template"}:
        agent, robot = _speaker(mapping_or_none(body, "sender"), kind)
        sent_to_many = (mapping_or_none(body, "additional_attributes") or {}).get("campaign_id") is not None
        shown = "broadcast" if sent_to_many else shown
        out.message(talk, key, ts, sender="agent", agent_id=agent, text=text, kind=shown, robot=robot)
    else:
        raise SkippedError(Reason.UNKNOWN, "message_type")


def _speaker(sender: Document | None, kind: str) -> tuple[str, bool]:
    """Return who really wrote a message of the shop's side, and whether that is a robot."""
    if sender is None or kind == "template":
        return "chatwoot-automation", True
    if word_or_none(sender, "type") in {None, "user"}:
        return identifier(sender, "id"), False
    return f"chatwoot-robot-{identifier(sender, 'id')}", True


def _entry(conversation: Document) -> Entry | None:
    referer = text_or_none(mapping_or_none(conversation, "additional_attributes") or {}, "referer")
    return "product_page" if referer and _PRODUCT_PAGE.match(referer[:2000]) else None


def _survey(body: Document, out: Collector) -> None:
    """The buyer's answer to a survey. When it came is unknown; the survey came when the service ended."""
    attributes = mapping_or_none(body, "content_attributes") or {}
    submitted = mapping_or_none(attributes, "submitted_values")
    answer = mapping_or_none(submitted, "csat_survey_response") if submitted else None
    if answer is None:
        raise SkippedError(Reason.IGNORED, "message_updated")
    conversation = mapping(body, "conversation")
    agent = _assignee(conversation)
    if agent is None:
        raise SkippedError(Reason.MISSING_FIELD, "assignee")
    out.rating(
        _talk(body, conversation, out),
        f"m{identifier(body, 'id')}:rating",
        FIELDS.time(body, "created_at"),
        agent,
        integer(answer, "rating"),
    )


def _assignment(body: Document, out: Collector) -> None:
    for change in mappings(body, "changed_attributes"):
        assignee = mapping_or_none(change, "assignee_id")
        if assignee is None:
            continue
        before, after = (identifier_or_none(assignee, f"{one}_value") for one in ("previous", "current"))
        if before is None or after is None:
            raise SkippedError(Reason.IGNORED, "assigned, not handed over")
        changed = FIELDS.time_or_none(body, "updated_at")
        about = "conversation_updated"
        ts = out.arrival(about) if changed is None else out.just_now(changed, about)
        if changed is None:  # of older versions
            changed = FIELDS.time_or_none(body, "timestamp")
        talk = _talk(body, body, out)
        out.transfer(talk, f"c{talk.conversation}:{before}-{after}:{changed}", ts, before, after)
        return
    raise SkippedError(Reason.IGNORED, "conversation_updated")


ADAPTER: Final = Adapter(
    "chatwoot",
    "Chatwoot",
    frozenset({"chats"}),
    Sureness.FIXTURES,
    read,
    FIELDS,
    signature=Signature(
        ("secret",), signed_by_chatwoot, lambda request: request.header("X-Chatwoot-Timestamp")
    ),
    shared_inbox=True,
)
