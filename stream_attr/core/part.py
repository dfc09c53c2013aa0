"""What an agent did for a buyer on a day, as far as the shop's figures go (RULEBOOK 8)."""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.core.order import Order

NOBODY = ""
"""Stands for the agent of what is nobody's: silent sales, refunds of what nobody is credited with."""


class Work(NamedTuple):
    """A reception, as far as the workload goes."""

    counts: bool
    """Not of a frozen agent: the buyer consulted somebody."""
    received: bool
    """Counts, and no filter matched; the figures below are of such receptions alone."""
    asked: bool
    replied: bool
    buyer_messages: int
    agent_messages: int
    agent_characters: int
    first_response_ms: int | None
    response_ms_sum: int
    response_count: int
    slow: bool
    presence: tuple[int, ...]
    """Closed stretches, the first's begin and end, the second's, …, sorted, none touching another."""
    last_effective_ts: int | None
    """Whatever became of the reception."""
    waits: bool
    """Whether ``agent_offline`` hangs on what the agent said to others."""
    closed_ts: int | None
    """What a closing has told of that."""


class Outcome(NamedTuple):
    """An inquiry."""

    kind: str
    outcome: str
    exempt: bool


class Deal(NamedTuple):
    """Orders of one kind that fall on the day."""

    orders: int = 0
    quantity: int = 0
    amount: int = 0
    final_at: int = 0
    """When the last of their decisions is final."""

    def plus(self, order: Order, final_at: int) -> Deal:
        """Return it with one more order."""
        return Deal(
            self.orders + 1,
            self.quantity + order.quantity,
            self.amount + order.amount,
            max(self.final_at, final_at),
        )


NO_DEAL = Deal()


class Refunds(NamedTuple):
    """Refunds that fall on the day, by request and by completion."""

    requested: int = 0
    completed: int = 0
    final_at: int = 0


NO_REFUNDS = Refunds()


class Part(NamedTuple):
    """What an agent, or `NOBODY`, did for the buyer that day."""

    work: Work | None = None
    inquiry: Outcome | None = None
    placed: Deal = NO_DEAL
    paid: Deal = NO_DEAL
    sales: Deal = NO_DEAL
    refunds: Refunds = NO_REFUNDS


class Ends(NamedTuple):
    """When a day's figures are final at the earliest: watermarks by group."""

    workload: int
    inquiries: int
    payments: int
    placed: int
    sales: int
