"""Gorgias: messages of tickets. "Created" does not mean sent; what a rule wrote, nobody wrote.

Its HTTP integration is unsigned, and its body is written by the shop: use one message as its API gives it.
"""

from __future__ import annotations

from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.reading import (
    Document,
    flag,
    identifier,
    identifier_or_none,
    mapping,
    mapping_or_none,
    mappings,
    root,
    text_or_none,
    word_or_none,
)
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields({"created_datetime": Unit.OFFSET, "sent_datetime": Unit.OFFSET})


def read(payload: object, out: Collector) -> None:
    """Read a message, or a page of them."""
    body = root(payload)
    if "data" in body:
        for message in mappings(body, "data"):
            with out.part():
                _message(message, out)
    else:
        _message(body, out)


def _message(message: Document, out: Collector) -> None:
    for name in ("public", "from_agent"):
        if message.get(name) is None:
            raise SkippedError(Reason.MISSING_FIELD, name)
    if not flag(message, "public") or word_or_none(message, "channel") == "internal-note":
        raise SkippedError(Reason.PRIVATE, "public")
    by_agent, sent = flag(message, "from_agent"), FIELDS.time_or_none(message, "sent_datetime")
    if by_agent and (sent is None or message.get("failed_datetime") is not None):
        raise SkippedError(Reason.NOT_SENT, "sent_datetime")
    ts = FIELDS.time(message, "created_datetime") if sent is None else sent
    ticket, sender = identifier(message, "ticket_id"), mapping(message, "sender")
    customer = identifier_or_none(mapping_or_none(message, "receiver") or {}, "id") if by_agent else None
    if customer is None:
        customer = _customer(ticket, out) if by_agent else identifier(sender, "id")
    connection = out.connection
    talk = Talk("gorgias", connection.shop(), connection.buyer(customer), connection.with_text, ticket)
    rule = identifier_or_none(message, "rule_id") if by_agent else None
    agent = (f"gorgias-rule-{rule}" if rule else identifier(sender, "id")) if by_agent else None
    out.message(
        talk,
        f"m{identifier(message, 'id')}",
        ts,
        sender="agent" if by_agent else "buyer",
        agent_id=agent,
        text=text_or_none(message, "body_text"),
        robot=rule is not None,
    )


def _customer(ticket: str, out: Collector) -> str:
    found = out.connection.detail("ticket", ticket)
    return identifier(mapping(found, "customer"), "id")


ADAPTER: Final = Adapter(
    "gorgias",
    "Gorgias",
    frozenset({"chats"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    details=(("ticket", "GET /api/tickets/{id}: whose a ticket is, for an answer without a receiver"),),
    shared_inbox=True,
)
