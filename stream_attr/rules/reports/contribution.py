"""What a buyer adds to the figures of a day: of one agent, or of the shop (RULEBOOK 8).

All figures can be added up over buyers and subtracted again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from stream_attr.rules.reports.conversion import NO_INQUIRIES, Inquiries
from stream_attr.rules.reports.deals import NO_DEALS, Deals
from stream_attr.rules.reports.workload import NO_WORKLOAD, Workload

TOTAL: Final = "*"
"""Stands for the agent of a shop's totals."""


class Contribution(Struct, array_like=True, frozen=True, gc=False):
    """What one buyer adds to a day of an agent, of `NOBODY`, or of the shop; None: nothing."""

    workload: Workload | None = None
    inquiries: Inquiries | None = None
    deals: Deals | None = None
    finals: tuple[tuple[str, int], ...] = ()
    """Groups of figures, and when decisions in them are final."""
    presence: tuple[int, ...] = ()
    """When the buyer was present: closed intervals as begin, end, begin, end, …, sorted, none touching
    another."""
    spoke_ts: int | None = None
    """When the agent's last effective message to this buyer was sent."""
    waits: bool = False
    """Whether ``agent_offline`` depends on the agent's messages to other buyers."""
    closed_ts: int | None = None
    """When the agent spoke last to any buyer, from a closing; None: no closing yet."""

    def with_zeros(self) -> Contribution:
        """Return it with zeros in place of None."""
        return replace(
            self,
            workload=self.workload or NO_WORKLOAD,
            inquiries=self.inquiries or NO_INQUIRIES,
            deals=self.deals or NO_DEALS,
        )


NOTHING: Final = Contribution()


class Ends(NamedTuple):
    """The watermarks at which a day's groups of figures are final at the earliest."""

    workload: int
    inquiries: int
    payments: int
    placed: int
    sales: int
