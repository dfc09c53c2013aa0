"""A record of ``inquiry-outcomes`` (RULEBOOK 7), but for its revision."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from stream_attr.contract.records.fields import Agent, BuyerId, OrderId, ShopId, day, field, instant, word
from stream_attr.contract.schema import RecordSchema, of_type, only, when
from stream_attr.rules.vocabulary import (
    AFTER_SALES,
    ASSIST,
    EXEMPTIONS,
    FINAL,
    FOLLOW_UP,
    INQUIRY,
    INQUIRY_KINDS,
    INQUIRY_RESULTS,
    LOST,
    NONE,
    NOT_COUNTED,
    OPEN,
    ORDERED,
    PAID,
    PAYMENT_LOST,
    PENDING,
    SELF_ORDERED,
    STATUSES,
)


class InquiryOutcome(Struct, gc=False):
    """What came of a pre-sales reception.

    One per unfiltered reception of an agent whose role that day is presale; official settings only.
    """

    shop_id: ShopId
    buyer_id: BuyerId
    agent_id: Agent
    day: Annotated[str, day("The day of the reception.")]
    status: Annotated[str, word(STATUSES, "Whether it can still change.")]
    kind: Annotated[str, word(INQUIRY_KINDS, "What kind of reception it was.")]
    outcome: Annotated[str, word(INQUIRY_RESULTS, "What came of it.")]
    exempt: Annotated[
        str | None,
        word(
            EXEMPTIONS,
            "Why an inquiry without order is not counted; null: it is counted, or not an inquiry.",
        ),
    ]
    order_ids: Annotated[
        tuple[OrderId, ...],
        field(
            "The orders that made it what it is: of an inquiry those that the agent placed, of assist and "
            "self_ordered "
            "those that followed, of follow_up and after_sales those of before; sorted by code point.",
            uniqueItems=True,
        ),
    ]
    final_at: Annotated[
        int,
        instant(
            "It is final when the watermark reaches this: the end of the next day, of an inquiry with an "
            "order the "
            "end of the day after that."
        ),
    ]


SCHEMA: Final = RecordSchema(
    "inquiry-outcome",
    "Inquiry outcome",
    InquiryOutcome,
    emitted=True,
    conditions={
        "allOf": [
            when(
                "kind",
                INQUIRY,
                when("outcome", NOT_COUNTED, of_type(exempt="string"), of_type(exempt="null")),
                {"properties": {"outcome": {"const": NOT_COUNTED}, "exempt": {"type": "null"}}},
            ),
            {
                "if": {
                    "anyOf": [
                        only("kind", [ASSIST, SELF_ORDERED, FOLLOW_UP, AFTER_SALES]),
                        only("outcome", [ORDERED, PAID, PAYMENT_LOST]),
                    ]
                },
                "then": {"properties": {"order_ids": {"minItems": 1}}},
                "else": {"properties": {"order_ids": {"maxItems": 0}}},
            },
            when("outcome", [OPEN, ORDERED], only("status", PENDING)),
            when("outcome", [LOST, PAYMENT_LOST], only("status", FINAL)),
            when("kind", NONE, {"properties": {"revision": {"minimum": 2}}}),
        ]
    },
)
