"""The figures of one agent's or shop's day, from what each buyer adds to them (RULEBOOK 8)."""

from __future__ import annotations

from typing import Final

from msgspec.structs import astuple

from stream_attr.rules.chat.presence import Presence
from stream_attr.rules.reports.contribution import Contribution, Ends
from stream_attr.rules.reports.conversion import NO_INQUIRIES, Inquiries
from stream_attr.rules.reports.deals import NO_DEALS, Deals
from stream_attr.rules.reports.sums import add_up
from stream_attr.rules.reports.workload import NO_WORKLOAD, Workload

GROUPS: Final = ("workload", "inquiries", "payments", "placed", "paid", "sales", "silent", "refunds")
"""Figures that become final together."""

_ON_RECEPTIONS: Final = frozenset({"workload", "inquiries", "payments"})


class AgentDay:
    """The figures of a day of one agent, or of the shop."""

    __slots__ = ("_deals", "_inquiries", "_workload", "finals", "presence", "unanswered")

    def __init__(self) -> None:
        self._workload = list(astuple(NO_WORKLOAD))
        self._inquiries = list(astuple(NO_INQUIRIES))
        self._deals = list(astuple(NO_DEALS))
        self.unanswered = 0
        """Buyers who wait for a closing."""
        self.finals: dict[tuple[str, int], int] = {}
        """Buyers by (group, watermark at which decisions in it are final)."""
        self.presence = Presence()

    def replace(self, old: Contribution, new: Contribution) -> bool:
        """Subtract a buyer's old contribution and add the new one; return whether they differ."""
        changed = False
        if old.workload != new.workload:
            changed = True
            add_up(self._workload, old.workload, -1)
            add_up(self._workload, new.workload)
            self.unanswered += _unanswered(new) - _unanswered(old)
        if old.inquiries != new.inquiries:
            changed = True
            add_up(self._inquiries, old.inquiries, -1)
            add_up(self._inquiries, new.inquiries)
        if old.deals != new.deals:
            changed = True
            add_up(self._deals, old.deals, -1)
            add_up(self._deals, new.deals)
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
    def workload(self) -> Workload:
        """Figures of receptions."""
        return Workload(*self._workload)

    @property
    def inquiries(self) -> Inquiries:
        """Outcomes of inquiries."""
        return Inquiries(*self._inquiries)

    @property
    def deals(self) -> Deals:
        """Orders and refunds."""
        return Deals(*self._deals)

    @property
    def is_active(self) -> bool:
        """Whether the agent had a reception or a deal on the day."""
        return self.workload.consults > 0 or any(self._deals)

    def is_final(self, group: str, final_at: int, watermark: int) -> bool:
        """Whether a group that is final at ``final_at`` can no longer be changed by events in time."""
        return watermark >= final_at and not (self.unanswered and group in _ON_RECEPTIONS)

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


def _unanswered(contribution: Contribution) -> int:
    return 0 if contribution.workload is None else contribution.workload.unanswered
