"""What a buyer adds to the figures of a day: of one agent, or of the shop (RULEBOOK 8).

All figures can be added up over buyers and subtracted again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

TOTAL: Final = "*"
"""Stands for the agent of a shop's totals."""
NOBODY: Final = ""
"""Stands for the agent of what belongs to no agent: silent sales, and refunds of sales without credit."""


class Workload(Struct, array_like=True, frozen=True, gc=False):
    """Figures of receptions; only ``consults`` and ``unanswered`` include those that a filter matched."""

    consults: int = 0
    receptions: int = 0
    unreplied: int = 0
    buyer_messages: int = 0
    agent_messages: int = 0
    agent_characters: int = 0
    first_response_ms: int = 0
    first_responses: int = 0
    response_ms: int = 0
    responses: int = 0
    slow: int = 0
    unanswered: int = 0
    """Buyers who wait for a closing: their workload and inquiries can still change."""
    ratings: int = 0
    """Receptions that were rated."""
    satisfied: int = 0
    """Those whose last rating is 4 or 5."""


class Inquiries(Struct, array_like=True, frozen=True, gc=False):
    """Outcomes of inquiries."""

    inquiries: int = 0
    open: int = 0
    ordered: int = 0
    lost: int = 0
    assists: int = 0
    follow_ups: int = 0
    after_sales: int = 0
    exempt: int = 0
    paid: int = 0
    payment_lost: int = 0
    self_ordered: int = 0


class Deals(Struct, array_like=True, frozen=True, gc=False):
    """Orders and refunds that fall on the day; amounts in minor units."""

    placed_buyers: int = 0
    placed_orders: int = 0
    placed_amount: int = 0
    paid_buyers: int = 0
    paid_orders: int = 0
    paid_amount: int = 0
    sales_buyers: int = 0
    sales_orders: int = 0
    sales_quantity: int = 0
    sales_amount: int = 0
    silent_buyers: int = 0
    silent_orders: int = 0
    silent_quantity: int = 0
    silent_amount: int = 0
    refunds: int = 0
    requested: int = 0
    completed: int = 0


NO_WORKLOAD: Final = Workload()
NO_INQUIRIES: Final = Inquiries()
NO_DEALS: Final = Deals()


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
