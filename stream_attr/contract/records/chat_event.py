"""A record of ``chat-events`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.contract.records.fields import (
    MAX_AMOUNT,
    AgentId,
    BuyerId,
    Id,
    Instant,
    ShopId,
    field,
    instant,
    word,
)
from stream_attr.contract.schema import RecordSchema, when
from stream_attr.rules.vocabulary import (
    CHAT_TYPES,
    ENTRIES,
    MESSAGE_KINDS,
    SENDERS,
    ChatType,
    Entry,
    MessageKind,
    Sender,
)


class ChatEvent(Struct, gc=False):
    """A message between a buyer and an agent, a handover from one agent to another, or a buyer's rating.

    Absent optional fields are ``UNSET``.
    """

    event_id: Annotated[
        Id,
        field("Unique among the shop's chat events: a repeat of it is the same event and changes nothing."),
    ]
    shop_id: ShopId
    buyer_id: BuyerId
    agent_id: Annotated[
        AgentId,
        field("The agent of the conversation; of a transfer, who hands over; of a rating, who is rated."),
    ]
    ts: Annotated[Instant, instant("When it was sent.")]
    type: Annotated[ChatType, word(CHAT_TYPES, "What happened.")] = "message"
    sender: Annotated[Sender | UnsetType, word(SENDERS, "Who sent it; required for a message.")] = UNSET
    kind: Annotated[MessageKind, word(MESSAGE_KINDS, "What was sent.")] = "text"
    text: Annotated[
        str | UnsetType,
        field(
            "The message. Read by the rules for blank messages, automatic replies and adverts, then "
            "dropped: it is "
            "in no state, log or output (but in a dead letter)."
        ),
    ] = UNSET
    text_length: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] | UnsetType,
        field("Number of characters, for those that withhold the text."),
    ] = UNSET
    entry: Annotated[
        Entry | UnsetType, word(ENTRIES, "Where the buyer opened the chat from; of a buyer's message.")
    ] = UNSET
    product_id: Annotated[Id | UnsetType, field("The product that the message is about.")] = UNSET
    to_agent_id: Annotated[
        AgentId | UnsetType, field("The agent who takes over, not `agent_id`; required for a transfer.")
    ] = UNSET
    score: Annotated[
        Annotated[int, Meta(ge=1, le=5)] | UnsetType,
        field(
            "How the buyer rates the service; 4 and 5 are satisfied. Required for a rating.",
            title="满意度评价",
        ),
    ] = UNSET
    rated_ts: Annotated[
        Instant | UnsetType,
        instant(
            "When the service that is rated was given, not after ts: the rating belongs to that day. Before "
            "the history that is kept it is too_late. Of a rating; left out: ts."
        ),
    ] = UNSET
    buyer_is_subaccount: Annotated[bool, field("The buyer's account is a sub-account.")] = False


SCHEMA: Final = RecordSchema(
    "chat-event",
    "Chat event",
    ChatEvent,
    conditions=when(
        "type",
        "transfer",
        {"required": ["to_agent_id"]},
        when("type", "rating", {"required": ["score"]}, {"required": ["sender"]}, present=True),
        present=True,
    ),
)
