"""A record of ``attribution-decisions`` or ``attribution-comparisons`` (RULEBOOK 10)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from stream_attr.contract.records.emission import REVISION_REASON, Revision
from stream_attr.contract.records.fields import (
    Agent,
    AgentId,
    BuyerId,
    Count,
    Id,
    OrderId,
    ShopId,
    day,
    field,
    instant,
    money,
    word,
)
from stream_attr.contract.schema import RecordSchema, of_type, when
from stream_attr.rules.shop.settings import OFFICIAL, PRESETS
from stream_attr.rules.vocabulary import (
    ASSIST_KINDS,
    AWAITING_PAYMENT,
    BASES,
    CANCELLED,
    CREDIT_RULES,
    CREDITED,
    DISCARD_REASONS,
    EXCLUDED,
    NOTICES,
    OUTCOMES,
    PICK_RULES,
    SENDERS,
    SILENCES,
    SILENT,
    STATUSES,
    UNPAID,
)

MAX_REFUNDS: Final = 100
"""A decision names so many refunds."""
MAX_PRODUCTS: Final = 100
"""And so many products."""
EVENT_TIMES: Final = {
    "created": "created_ts",
    "deposit_paid": "deposit_ts",
    "paid": "paid_ts",
    "cancelled": "cancelled_ts",
}
"""By type of an order event: the field that has its time. The time lines show these; decisions of the first
edition lack the deposit."""


class Picked(Struct, gc=False):
    """The agent that a rule picked."""

    agent_id: Agent
    rule: Annotated[str, word(PICK_RULES, "By which rule.")]
    last_ts: Annotated[int, instant("The last message of the pair in the interval, of either side.")]
    rounds: Annotated[Count, field("Rounds in the interval.")]


class Credit(Struct, gc=False):
    """Who gets the sale."""

    agent_id: Agent
    basis: Annotated[str, word(BASES, "Why.")]
    rule: Annotated[str, word(CREDIT_RULES, "The credit rule.")]


class Ruling(Struct, gc=False):
    """What a person decided over the rules."""

    agent_id: Annotated[AgentId | None, field("The agent who gets the sale; null: nobody.")]
    ruled_by: Annotated[str, field("The person who decided it.")]
    ts: Annotated[int, instant("When it was decided.")]
    event_id: Annotated[str, field("The ruling's, unique among the shop's rulings.")]


class Assist(Struct, gc=False):
    """Who helped."""

    agent_id: Agent
    kind: Annotated[str, word(ASSIST_KINDS, "When the agent spoke with the buyer.")]


class Figures(Struct, gc=False):
    """What an agent's messages come to in one interval."""

    messages: Annotated[Annotated[int, Meta(ge=1)], field("Counted messages of both sides.")]
    rounds: Annotated[
        Count, field("Effective agent messages that follow the buyer's, or a question handed over.")
    ]
    first_ts: Annotated[int, instant("The first of them.")]
    last_ts: Annotated[int, instant("The last of them.")]
    product_page: Annotated[bool, field("Some buyer's message came from a product page.")]
    ordered_product: Annotated[bool, field("Some buyer's message is about an ordered product.")]


class FollowupFigures(Figures):
    """What an agent's messages come to after a full-silent payment."""

    initiator: Annotated[str, word(SENDERS, "Who wrote first.")]


class Candidate(Struct, gc=False):
    """An agent who could have got the order."""

    agent_id: Agent
    placing: Annotated[Figures | None, field("From the start of the validity to the placing of the order.")]
    payment: Annotated[Figures | None, field("From there to the payment.")]
    followup: Annotated[FollowupFigures | None, field("After a full-silent payment.")]


class Discarded(Struct, gc=False):
    """A reception that made nobody a candidate."""

    agent_id: Agent
    day: Annotated[str, day("The day of the reception.")]
    reason: Annotated[str, word(DISCARD_REASONS, "The filter that matched, or what else it lacked.")]


class Refund(Struct, gc=False):
    """A refund that counts."""

    refund_id: Annotated[Id | None, field("What tells it apart; null: it had no id.")]
    ts: Annotated[int, instant("When it was requested or completed.")]
    amount: Annotated[Count, money("Of this refund.")]
    completed: Annotated[bool, field("Whether it was paid out; else it was requested.")]


class Decision(Struct, gc=False):
    """Who gets an order under the shop's official settings."""

    decision_id: Annotated[str, field("shop_id|order_id|profile|revision.")]
    supersedes: Annotated[str | None, field("decision_id of the revision before; null for the first.")]
    shop_id: ShopId
    order_id: OrderId
    buyer_id: BuyerId
    profile: Annotated[
        str, field("Always official: other profiles go to attribution-comparisons.", const=OFFICIAL)
    ]
    preset: Annotated[str, field("The preset of the rules by which it was judged.", enum=list(PRESETS))]
    settings_from: Annotated[
        str | None,
        day(
            "effective_from of the settings record by which it was judged; null before a shop's first record."
        ),
    ]
    status: Annotated[str, word(STATUSES, "Whether chat that comes on time can still change it.")]
    revision: Annotated[Revision, field("Counts from 1 per order and profile.")]
    reason: Annotated[str, REVISION_REASON]
    outcome: Annotated[str, word(OUTCOMES, "What came of the order. Only a credited one is somebody's sale.")]
    silence: Annotated[str | None, word(SILENCES, "Whether it is a silent order; null: not known yet.")]
    placing: Annotated[
        Picked | None, field("The agent judged to have brought about the placing of the order; null: nobody.")
    ]
    payment: Annotated[
        Picked | None, field("The agent judged to have brought about its payment; null: nobody, or not paid.")
    ]
    credit: Annotated[Credit | None, field("Whose sale it is; null: nobody's.")]
    assists: Annotated[
        list[Annotated[Assist, field("One assist.")]],
        field("Who served the buyer for an order that is another's; sorted by kind, then agent."),
    ]
    amount: Annotated[Count, money("Of the order, postage included.")]
    quantity: Annotated[Annotated[int, Meta(ge=1)], field("Number of items.")]
    currency: Annotated[str, field("ISO 4217 code.", pattern="^[A-Z]{3}$")]
    product_ids: Annotated[
        list[Annotated[Id, field("One product.")]],
        field(
            "What was ordered, as known when this revision was made; sorted, each once, of more than 100 the "
            "first 100.",
            maxItems=MAX_PRODUCTS,
        ),
    ]
    refund_requested: Annotated[Count, money("Sum of the refunds requested.")]
    refund_completed: Annotated[Count, money("Sum of the refunds completed.")]
    net_amount: Annotated[int, money("amount less refund_completed.")]
    created_ts: Annotated[int, instant("When the order was placed.")]
    deposit_ts: Annotated[int | None, instant("When its deposit was paid; null: there is none.")]
    deposit_amount: Annotated[
        Count | None,
        money("Of the deposit, which amount includes once the order is paid; null: there is none."),
    ]
    paid_ts: Annotated[
        int | None, instant("When it was paid, the first instalment if several; null: not paid.")
    ]
    cancelled_ts: Annotated[int | None, instant("When it was cancelled; null: it was not.")]
    ruling: Annotated[
        Ruling | None,
        field(
            "The ruling that holds, of whatever outcome; null: none does, and always under another profile."
        ),
    ]
    notices: Annotated[
        list[Annotated[str, word(NOTICES, "A code.")]], field("What a person should look at; sorted.")
    ]
    refunds: Annotated[
        list[Annotated[Refund, field("One refund.")]],
        field(
            "Those that count, by ts, then event id; of more than 100 the first 100.", maxItems=MAX_REFUNDS
        ),
    ]
    refunds_cut: Annotated[bool, field("Whether there are more than 100 refunds.")]
    final_at: Annotated[int, instant("It is final when the watermark reaches this.")]
    watermark: Annotated[
        int, instant("The partition's watermark when this revision was made; 0 before there was one.")
    ]
    candidates: Annotated[
        list[Annotated[Candidate, field("One candidate.")]],
        field(
            "The receipt: every agent that could have got the order, with figures per interval; null "
            "where the agent "
            "was not a candidate."
        ),
    ]
    discarded: Annotated[
        list[Annotated[Discarded, field("One reception.")]],
        field("The receipt: every reception in the intervals that made nobody a candidate, and why."),
    ]


NOT_PAID: Final = frozenset({AWAITING_PAYMENT, CANCELLED, UNPAID})

SCHEMA: Final = RecordSchema(
    "decision",
    "Decision",
    Decision,
    closed=True,
    conditions={
        "allOf": [
            when("revision", 1, of_type(supersedes="null"), of_type(supersedes="string")),
            when("outcome", CREDITED, of_type(credit="object"), of_type(credit="null")),
            when(
                "outcome",
                [CREDITED, SILENT],
                {"properties": {"paid_ts": {"type": "integer"}, "silence": {"enum": list(SILENCES)}}},
                of_type(payment="null"),
            ),
            when("outcome", [one for one in OUTCOMES if one in NOT_PAID], of_type(paid_ts="null")),
            when("outcome", EXCLUDED, of_type(placing="null", silence="null")),
            when("outcome", CANCELLED, of_type(cancelled_ts="integer")),
        ]
    },
)
COMPARISON: Final = SCHEMA.derived(
    "comparison",
    "Comparison",
    "Who would get an order under a further profile; never credit.",
    profile={
        "description": "Name of the profile.",
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "not": {"anyOf": [{"pattern": "[^a-z0-9_-]"}, {"const": OFFICIAL}]},
    },
)
