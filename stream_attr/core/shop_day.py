"""The figures of one agent's or shop's day, from what each buyer adds to them (RULEBOOK 8)."""

from __future__ import annotations

from collections.abc import Iterable
from operator import add, sub
from typing import Final, TypeVar

from msgspec.structs import astuple

from stream_attr.core.part import NO_DEALS, NO_INQUIRIES, NO_WORKLOAD, Deals, Ends, Inquiries, Part, Workload
from stream_attr.core.presence import Presence

GROUPS: Final = ("workload", "inquiries", "payments", "placed", "paid", "sales", "silent", "refunds")
"""Figures that become final together."""

_ON_RECEPTIONS: Final = frozenset({"workload", "inquiries", "payments"})


class AgentDay:
    """The figures of one agent, or of the shop, as they stand."""

    __slots__ = ("deals", "finals", "inquiries", "presence", "workload")

    def __init__(self) -> None:
        self.workload = NO_WORKLOAD
        self.inquiries = NO_INQUIRIES
        self.deals = NO_DEALS
        self.finals: dict[tuple[str, int], int] = {}
        """Groups, and when decisions in them are final; of how many buyers each is."""
        self.presence = Presence()

    def replace(self, old: Part, new: Part) -> bool:
        """Take back what a buyer added before and add what it adds now; return whether that differs."""
        changed = False
        if old.workload != new.workload:
            changed = True
            self.workload = _moved(self.workload, old.workload, new.workload)
        if old.inquiries != new.inquiries:
            changed = True
            self.inquiries = _moved(self.inquiries, old.inquiries, new.inquiries)
        if old.deals != new.deals:
            changed = True
            self.deals = _moved(self.deals, old.deals, new.deals)
        if old.finals != new.finals:
            changed = True
            self._count(new.finals, 1)
            self._count(old.finals, -1)
        if old.presence != new.presence:
            changed = True
            self.presence.replace(old.presence, new.presence)
        return changed

    def _count(self, finals: tuple[tuple[str, int], ...], more: int) -> None:
        for final in finals:
            count = self.finals.get(final, 0) + more
            if count:
                self.finals[final] = count
            else:
                del self.finals[final]

    @property
    def is_seen(self) -> bool:
        """Whether anything is known of the agent's day."""
        return self.workload.consults > 0 or self.deals != NO_DEALS

    def is_final(self, group: str, final_at: int, watermark: int) -> bool:
        """Whether a group that is final at ``final_at`` can no longer be changed by what comes in time."""
        return watermark >= final_at and not (self.workload.unanswered and group in _ON_RECEPTIONS)

    def final_at(self, ends: Ends) -> dict[str, int]:
        """Return when each group of figures is final."""
        at = {
            "workload": ends.workload,
            "inquiries": ends.inquiries,
            "payments": ends.payments,
            "placed": ends.placed,
            **dict.fromkeys(("paid", "sales", "silent", "refunds"), ends.sales),
        }
        for group, final_at in self.finals:
            at[group] = max(at[group], final_at)
        return at


_Figures = TypeVar("_Figures", Workload, Inquiries, Deals)


def _moved(sums: _Figures, old: _Figures | None, new: _Figures | None) -> _Figures:
    """Return sums without what was old and with what is new."""
    figures: Iterable[int] = astuple(sums)
    if old is not None:
        figures = map(sub, figures, astuple(old))
    if new is not None:
        figures = map(add, figures, astuple(new))
    moved: _Figures = type(sums)(*figures)
    return moved
