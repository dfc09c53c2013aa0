"""A record of ``reception-facts`` (RULEBOOK 8), but for its revision."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from stream_attr.contract.records.fields import Agent, BuyerId, Count, ShopId, day, field, instant, word
from stream_attr.contract.schema import RecordSchema, only, when
from stream_attr.rules.reports.reception_fact import EFFECTIVE_CONVERSATION_MS
from stream_attr.rules.vocabulary import FILTERS, ROLES, SENDERS, STATUSES, Filter


class ReceptionFact(Struct, gc=False):
    """The chat between one buyer and one agent on one day, in figures.

    One per reception with at least one message or question handed over, filtered ones and those of any role
    too; judged by the official settings of its day.
    """

    shop_id: ShopId
    buyer_id: BuyerId
    agent_id: Agent
    day: Annotated[str, day("The day of the reception.")]
    status: Annotated[
        str,
        word(
            STATUSES,
            "Whether it can still change: until its day is over. One that depends on the filter "
            "agent_offline waits "
            "until every partition has passed the day.",
        ),
    ]
    first_ts: Annotated[
        int,
        instant(
            "Its first message, of whatever kind and side; system messages and transfers are not messages. "
            "Without any message: the first transfer of the buyer to the agent."
        ),
    ]
    last_ts: Annotated[int, instant("Its last message; without any: the last transfer to the agent.")]
    initiator: Annotated[
        str, word(SENDERS, "Who sent the first message; a carried question stands for one of the buyer.")
    ]
    buyer_messages: Annotated[Count, field("Number of the buyer's messages, blank ones too.")]
    agent_messages: Annotated[
        Count,
        field(
            "Number of the agent's effective messages: not a broadcast, not blank, not an automatic "
            "reply (setting "
            "auto_reply)."
        ),
    ]
    agent_characters: Annotated[
        Count,
        field(
            "Characters of the agent's effective messages: of text by code points, else text_length, else 0."
        ),
    ]
    rounds: Annotated[
        Count,
        field(
            "Number of effective agent messages that follow the buyer's or a carried question, within this "
            "reception.",
            title="聊天回合",
        ),
    ]
    replied: Annotated[
        bool,
        field(
            "Some effective agent message comes after the buyer's first or a carried question; false where "
            "there is neither."
        ),
    ]
    first_response_ms: Annotated[
        Count | None,
        field(
            "The first response that counts: from the buyer's first message, or carried question, not yet "
            "answered to the agent's next "
            "effective one, less than the setting max_wait_minutes; null: none counts. Milliseconds.",
            title="首次响应",
        ),
    ]
    response_ms_sum: Annotated[Count, field("Sum of the responses that count. Milliseconds.")]
    response_count: Annotated[Count, field("Number of the responses that count.")]
    slow: Annotated[
        bool,
        field(
            "Of the responses that count, at least so many are so long as the setting slow_response says.",
            title="慢响应",
        ),
    ]
    duration_ms: Annotated[Count, field("last_ts less first_ts. Milliseconds.")]
    effective_conversation: Annotated[
        bool, field(f"duration_ms is at least {EFFECTIVE_CONVERSATION_MS}.", title="有效对话")
    ]
    product_page: Annotated[bool, field("Some buyer's message came from a product page.")]
    transferred: Annotated[bool, field("The agent handed the buyer over that day.")]
    handed_over: Annotated[
        bool,
        field(
            "A colleague transferred the buyer to the agent that day: a question handed over. Never with "
            "carried_questions off.",
            title="转接",
        ),
    ]
    rating: Annotated[
        Annotated[int, Meta(ge=1, le=5)] | None,
        field(
            "The score of the last rating of the agent's service of that day; null: none.", title="满意度评价"
        ),
    ]
    presence: Annotated[
        list[Annotated[tuple[int, int], field("From and to, both included.")]],
        field(
            "When the buyer was there: from 2 minutes before to 2 minutes after each message, sorted, those "
            "that touch merged. Milliseconds since the Unix epoch, UTC."
        ),
    ]
    filtered: Annotated[
        str | None,
        word(
            FILTERS,
            "The first filter that matches; null: none, the reception counts. agent_offline is asked "
            "only once the "
            "day is over.",
        ),
    ]
    role: Annotated[
        str, word(ROLES, "The agent's role that day, by the roster, else by the setting unlisted_agents.")
    ]
    final_at: Annotated[int, instant("It is final when the watermark reaches this: the end of its day.")]


_LONG: Final = {"properties": {"duration_ms": {"minimum": EFFECTIVE_CONVERSATION_MS}}}


SCHEMA: Final = RecordSchema(
    "reception-fact",
    "Reception fact",
    ReceptionFact,
    emitted=True,
    conditions={
        "allOf": [
            when(
                "response_count",
                0,
                {"properties": {"first_response_ms": {"type": "null"}, "response_ms_sum": {"const": 0}}},
                {"properties": {"first_response_ms": {"type": "integer"}, "replied": {"const": True}}},
            ),
            when(
                "replied",
                True,
                {"properties": {"agent_messages": {"minimum": 1}}},
            ),
            {
                "if": _LONG,
                "then": only("effective_conversation", True),
                "else": only("effective_conversation", False),
            },
            when(
                "filtered",
                Filter.AGENT_OFFLINE.value,
                {"properties": {"status": {"const": "final"}, "initiator": {"const": "buyer"}}},
            ),
        ]
    },
)
