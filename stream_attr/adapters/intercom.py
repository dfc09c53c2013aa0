"""Intercom's webhooks of conversations. Times are seconds; what was written is HTML.

The first message of a conversation is its ``source``, and not among its parts.
"""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from stream_attr.adapters.adapter import Adapter, Sureness
from stream_attr.adapters.collector import Collector, Talk
from stream_attr.adapters.reading import (
    Document,
    flag,
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
from stream_attr.adapters.signatures import Signature, signed_by_intercom
from stream_attr.adapters.skips import Reason, SkippedError
from stream_attr.adapters.units import Fields, Unit
from stream_attr.rules.vocabulary import MessageKind

FIELDS: Final = Fields({"created_at": Unit.SECONDS})

_BUYERS: Final = frozenset({"user", "lead", "contact"})
_STARTS: Final = frozenset({"conversation.user.created", "conversation.contact.created"})
_HANDED: Final = frozenset({"assignment", "assign_and_reopen"})


def read(payload: object, out: Collector) -> None:
    """Read one notification."""
    body = root(payload)
    topic = word_or_none(body, "topic") or ""
    if not topic.startswith("conversation."):
        raise SkippedError(Reason.IGNORED if topic else Reason.UNKNOWN, "topic")
    item = mapping(mapping(body, "data"), "item")
    conversation = identifier(item, "id")
    contacts = mappings(mapping_or_none(item, "contacts") or {}, "contacts")
    if not contacts:
        raise SkippedError(Reason.NO_BUYER, "contacts")
    connection = out.connection
    native = identifier_or_none(contacts[0], "external_id") or identifier(contacts[0], "id")
    talk = Talk(
        "intercom",
        connection.shop(identifier_or_none(body, "app_id")),
        connection.buyer(native),
        connection.with_text,
        conversation,
    )
    assignee = identifier_or_none(item, "admin_assignee_id")
    if assignee == "0":
        assignee = None
    if topic in _STARTS:
        with out.part():
            source = mapping(item, "source")
            _message(source, FIELDS.time(item, "created_at"), assignee, talk, out)
    parts = mappings(mapping_or_none(item, "conversation_parts") or {}, "conversation_parts")
    for part in parts:
        with out.part():
            _part(part, assignee, talk, out)
    if topic == "conversation.rating.added":
        _rating(mapping(item, "conversation_rating"), conversation, talk, out)


def _part(part: Document, assignee: str | None, talk: Talk, out: Collector) -> None:
    kind = word(part, "part_type")
    if kind.startswith("note"):
        raise SkippedError(Reason.PRIVATE, "part_type")
    ts = FIELDS.time(part, "created_at")
    if kind == "comment" or text_or_none(part, "body"):
        _message(part, ts, assignee, talk, out)
    if kind in _HANDED:
        _handed_over(part, ts, talk, out)
    elif kind != "comment":
        raise SkippedError(Reason.IGNORED, "part_type")


def _message(part: Document, ts: int, assignee: str | None, talk: Talk, out: Collector) -> None:
    author = mapping(part, "author")
    role = word(author, "type")
    body = _Text(text_or_none(part, "body") or "")
    kind: MessageKind = "image" if body.images or _has_image(part) else "text"
    key = f"p{identifier(part, 'id')}"
    if role in _BUYERS:
        out.message(talk, key, ts, sender="buyer", agent_id=assignee, text=body.text, kind=kind)
        return
    robot = role == "bot" or flag(author, "from_ai_agent") or flag(author, "is_ai_answer")
    if not robot and role != "admin":
        raise SkippedError(Reason.UNKNOWN, "author")
    agent = f"intercom-robot-{identifier(author, 'id')}" if robot else identifier(author, "id")
    out.message(talk, key, ts, sender="agent", agent_id=agent, text=body.text, kind=kind, robot=robot)


def _has_image(part: Document) -> bool:
    types = [word_or_none(one, "content_type") or "" for one in mappings(part, "attachments")]
    return any(one.startswith("image/") for one in types)


def _handed_over(part: Document, ts: int, talk: Talk, out: Collector) -> None:
    author, to = mapping(part, "author"), mapping_or_none(part, "assigned_to")
    if to is None or word(to, "type") != "admin" or word(author, "type") != "admin":
        raise SkippedError(Reason.IGNORED, "not handed from agent to agent")
    out.transfer(
        talk, f"p{identifier(part, 'id')}:transfer", ts, identifier(author, "id"), identifier(to, "id")
    )


def _rating(rating: Document, conversation: str, talk: Talk, out: Collector) -> None:
    """When the buyer answered is unknown: it counts for when the rating was asked for."""
    teammate, score = mapping_or_none(rating, "teammate"), integer_or_none(rating, "rating")
    if teammate is None or score is None or word_or_none(teammate, "type") not in {None, "admin"}:
        raise SkippedError(Reason.IGNORED, "rating of nobody")
    ts = FIELDS.time(rating, "created_at")
    out.rating(talk, f"c{conversation}:{ts}:rating", ts, identifier(teammate, "id"), score)


class _Text(HTMLParser):
    """The text of HTML, and how many images it has."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.images = 0
        self._pieces: list[str] = []
        try:
            self.feed(html)
            self.close()
        except AssertionError:  # what the parser says of a declaration that is none
            self._pieces.append(html)

    @property
    def text(self) -> str:
        """What a reader sees."""
        return "".join(self._pieces).strip("\n")

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.images += tag == "img"
        if tag in {"br", "p", "div", "li"} and self._pieces:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        self._pieces.append(data)


ADAPTER: Final = Adapter(
    "intercom",
    "Intercom",
    frozenset({"chats"}),
    Sureness.DOCUMENTS,
    read,
    FIELDS,
    signature=Signature(("secret",), signed_by_intercom),
    shared_inbox=True,
)
