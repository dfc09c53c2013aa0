"""Zendesk: the audits of a ticket. One audit is one update: what is in it has one time.

Who an author is, is not in an audit: users are asked for. A ticket's ``assignee_id`` is often older than the
answer, so that a message belongs to whoever answers next.
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
    mapping_or_none,
    mappings,
    root,
    text_or_none,
    word,
    word_or_none,
)
from stream_attr.adapters.signatures import Signature, signed_by_zendesk
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit

FIELDS: Final = Fields({"created_at": Unit.OFFSET})

_STAFF: Final = frozenset({"agent", "admin"})
_SCORES: Final = {"good": 5, "goodwithcomment": 5, "bad": 1, "badwithcomment": 1}
"""Zendesk knows two: what counts of a rating is whether it is at least 4."""


def read(payload: object, out: Collector) -> None:
    """Read a page of a ticket's audits, the oldest first."""
    body = root(payload)
    if "audits" not in body:
        raise SkippedError(Reason.UNKNOWN, "payload")
    requesters: dict[str, str] = {}
    assignees: dict[str, str | None] = {}
    for audit in mappings(body, "audits"):
        with out.part():
            _audit(audit, requesters, assignees, out)


def _audit(
    audit: Document, requesters: dict[str, str], assignees: dict[str, str | None], out: Collector
) -> None:
    ticket, ts = identifier(audit, "ticket_id"), FIELDS.time(audit, "created_at")
    events = mappings(audit, "events")
    for event in events:
        if word_or_none(event, "type") != "Create":
            continue
        if word_or_none(event, "field_name") == "requester_id":
            requesters[ticket] = identifier(event, "value")
        elif word_or_none(event, "field_name") == "assignee_id":
            assignees[ticket] = identifier_or_none(event, "value")
    if ticket not in requesters:
        found = out.connection.detail("ticket", ticket)
        requesters[ticket] = identifier(mapping_or_none(found, "ticket") or found, "requester_id")
    talk = _talk(ticket, requesters[ticket], out)
    by_rule = word_or_none(mapping_or_none(audit, "via") or {}, "channel") == "rule"
    for event in events:  # a comment comes before the handover of the same audit
        if word_or_none(event, "type") == "Comment":
            with out.part():
                _comment(event, ts, talk, requesters[ticket], assignees.get(ticket), by_rule, out)
    for event in events:
        if word_or_none(event, "type") == "Change":
            with out.part():
                _change(event, ts, talk, ticket, assignees, out)


def _user(user_id: str, out: Collector) -> Document:
    found = out.connection.detail("user", user_id)
    return mapping_or_none(found, "user") or found


def _talk(ticket: str, requester: str, out: Collector) -> Talk:
    connection = out.connection
    native = identifier_or_none(_user(requester, out), "external_id") or requester
    return Talk("zendesk", connection.shop(), connection.buyer(native), connection.with_text, ticket)


def _comment(
    event: Document, ts: int, talk: Talk, requester: str, assignee: str | None, by_rule: bool, out: Collector
) -> None:
    if event.get("public") is None:
        raise SkippedError(Reason.MISSING_FIELD, "public")
    if not flag(event, "public"):
        raise SkippedError(Reason.PRIVATE, "public")
    author, key = identifier(event, "author_id"), f"e{identifier(event, 'id')}"
    text = text_or_none(event, "plain_body")
    if text is None:
        text = text_or_none(event, "body")
    images = [
        one
        for one in mappings(event, "attachments")
        if (word_or_none(one, "content_type") or "").startswith("image/")
    ]
    if author == requester:
        out.message(
            talk, key, ts, sender="buyer", agent_id=assignee, text=text, kind="image" if images else "text"
        )
        return
    if by_rule or author.startswith("-"):
        out.message(talk, key, ts, sender="agent", agent_id="zendesk-automation", text=text, robot=True)
        return
    if word(_user(author, out), "role") not in _STAFF:
        raise SkippedError(Reason.IGNORED, "somebody else than the buyer")
    out.message(talk, key, ts, sender="agent", agent_id=author, text=text, kind="image" if images else "text")


def _change(
    event: Document, ts: int, talk: Talk, ticket: str, assignees: dict[str, str | None], out: Collector
) -> None:
    name, key = word_or_none(event, "field_name"), f"e{identifier(event, 'id')}"
    if name == "assignee_id":
        before, after = identifier_or_none(event, "previous_value"), identifier_or_none(event, "value")
        assignees[ticket] = after
        if before is not None and after is not None:
            out.transfer(talk, key, ts, before, after)
    elif name == "satisfaction_score":
        score, assignee = _SCORES.get(word_or_none(event, "value") or ""), assignees.get(ticket)
        if score is not None:
            if assignee is None:
                raise SkippedError(Reason.MISSING_FIELD, "assignee_id")
            out.rating(talk, key, ts, assignee, score)


ADAPTER: Final = Adapter(
    "zendesk",
    "Zendesk",
    frozenset({"chats"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    details=(
        ("user", "GET /api/v2/users/{id}.json: whether an author is an agent, and the buyer's external_id"),
        ("ticket", "GET /api/v2/tickets/{id}.json: whose a ticket is, for a page without its first audit"),
    ),
    signature=Signature(
        ("secret",),
        signed_by_zendesk,
        lambda request: request.header("X-Zendesk-Webhook-Signature-Timestamp"),
    ),
    shared_inbox=True,
)
