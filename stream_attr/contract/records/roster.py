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
    agent_id: Annotated[
        AgentId, field("The customer-service agent's account.", title="客服账号", chinese="客服的平账本号")
    ]
    role: Annotated[
        Role, word(ROLES, "What the agent's receptions count for.", title="岗位", chinese="接待计入什么")
    ]
    effective_from: Annotated[
        str,
        day(
            "First day on which the role holds; except in an agent's first record, not before the day on "
            "which the record is sent.",
            title="生效日期",
            chinese="岗位从哪天起生效；除客服的首条记录外，不早于发送当天",
        ),
    ]
    name: Annotated[str | UnsetType, field("For people to read.", title="姓名", chinese="便于识别")] = UNSET
    group: Annotated[str | UnsetType, field("For people to read.", title="分组", chinese="便于识别")] = UNSET
    person_id: Annotated[
        Id | UnsetType,
        field(
            "The person behind the account, the same in every shop and platform.",
            title="人员",
            chinese="账号背后的人，各店铺各平台相同",
        ),
    ] = UNSET

    @property
    def first_day(self) -> int:
        """``effective_from`` as a day number."""
        return day_number(self.effective_from)


SCHEMA: Final = RecordSchema("roster", "Roster record", RosterRecord)
