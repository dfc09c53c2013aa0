"""A record of ``agent-roster`` (RULEBOOK 2)."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from stream_attr.contract.records.fields import Id
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.vocabulary import Role


class RosterRecord(Struct, gc=False):
    """A record of ``agent-roster``."""

    shop_id: Id
    agent_id: Id
    role: Literal["presale", "aftersale", "frozen"]
    effective_from: str
    name: str | UnsetType = UNSET
    group: str | UnsetType = UNSET

    @property
    def first_day(self) -> int:
        """``effective_from`` as a day number."""
        return day_number(self.effective_from)

    @property
    def as_role(self) -> Role:
        """``role`` as the core knows it."""
        return Role(self.role)
