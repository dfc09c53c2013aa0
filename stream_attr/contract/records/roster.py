"""A record of ``agent-roster`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Struct, UnsetType

from stream_attr.contract.records.fields import AgentId, Id, ShopId, day, field, word
from stream_attr.contract.schema import RecordSchema
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.vocabulary import ROLES, Role


class RosterRecord(Struct, gc=False):
    """The role of an agent from a day on.

    Several of one agent make its history; of two with one effective_from the later holds.
    """

    shop_id: ShopId
    agent_id: Annotated[AgentId, field("The customer-service agent's account.")]
    role: Annotated[Role, word(ROLES, "What the agent's receptions count for.")]
    effective_from: Annotated[
        str,
        day(
            "First day on which the role holds; except in an agent's first record, not before the day on "
            "which the "
            "record is sent."
        ),
    ]
    name: Annotated[str | UnsetType, field("For people to read.")] = UNSET
    group: Annotated[str | UnsetType, field("For people to read.")] = UNSET
    person_id: Annotated[
        Id | UnsetType, field("The person behind the account, the same in every shop and platform.")
    ] = UNSET

    @property
    def first_day(self) -> int:
        """``effective_from`` as a day number."""
        return day_number(self.effective_from)


SCHEMA: Final = RecordSchema("roster", "Roster record", RosterRecord)
