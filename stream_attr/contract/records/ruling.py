"""A record of ``rulings`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_attr.contract.records.fields import AgentId, BuyerId, Id, Instant, ShopId, field, instant, word
from stream_attr.contract.schema import RecordSchema, when
from stream_attr.rules.vocabulary import RULING_TYPES, RulingType


class RulingEvent(Struct, gc=False):
    """What a person decided about an order's credit, over the rules.

    Absent optional fields are ``UNSET``.
    """

    event_id: Annotated[
        Id, field("Unique among the shop's rulings: a repeat of it is the same ruling and changes nothing.")
    ]
    shop_id: ShopId
    buyer_id: BuyerId
    order_id: Annotated[Id, field("The order, of this buyer.")]
    ts: Annotated[
        Instant, instant("When it was decided. Of an order's rulings the last holds, by ts, then event_id.")
    ]
    type: Annotated[RulingType, word(RULING_TYPES, "What was decided.")]
    ruled_by: Annotated[
        Annotated[str, Meta(min_length=1, max_length=128)], field("The person who decided it.")
    ]
    agent_id: Annotated[
        AgentId | UnsetType | None,
        field("Of a credit: the agent who gets the sale, whatever the agent's role; null: nobody."),
    ] = UNSET


SCHEMA: Final = RecordSchema(
    "ruling", "Ruling", RulingEvent, conditions=when("type", "credit", {"required": ["agent_id"]})
)
