"""What is decided of an order: the judgement with its receipt, and the verdict that revisions compare.

A *judgement* follows from the facts and the settings alone. Status and outcome also need the watermark; with
them it becomes a *verdict* (RULEBOOK 6).
"""

from __future__ import annotations

from typing import NamedTuple


class Figures(NamedTuple):
    """What an agent's messages come to in one interval."""

    messages: int
    rounds: int
    first_ts: int
    last_ts: int
    product_page: bool
    ordered_product: bool
    initiator: str | None = None
    """``buyer`` or ``agent``: who spoke first; of the follow-up window only."""


class Candidate(NamedTuple):
    """An agent who could have got the order: the figures of each interval, None where not a candidate."""

    agent_id: str
    placing: Figures | None
    payment: Figures | None
    followup: Figures | None


class Discarded(NamedTuple):
    """A reception that did not make its agent a candidate, and why."""

    agent_id: str
    day: int
    reason: str


class Picked(NamedTuple):
    """The agent that a rule picked."""

    agent_id: str
    rule: str
    last_ts: int
    rounds: int


class Credit(NamedTuple):
    """Who gets the sale, on which basis and by which credit rule."""

    agent_id: str
    basis: str
    rule: str


class Judgement(NamedTuple):
    """What follows from facts and settings: all of a decision that does not depend on the watermark.

    An order keeps it without its ruling, which `stream_attr.rules.order.ruling` adds.
    """

    preset: str
    settings_from: int | None
    """Day from which the settings hold that judged it; None before a shop's first record."""
    silence: str | None
    placing: Picked | None
    payment: Picked | None
    credit: Credit | None
    assists: tuple[tuple[str, str], ...]
    """(kind, agent id), sorted."""
    candidates: tuple[Candidate, ...]
    discarded: tuple[Discarded, ...]
    deadline: int
    """``d``: when an order without payment counts as unpaid."""
    final_at: int
    interest_from: int
    """Chat from here on may bear on it: the day on which its earliest interval begins."""
    interest_until: int
    """Chat before this may bear on it."""
    quiet_from: int
    """From here on further creditable messages add to nothing but the assists while unpaid."""
    withheld: tuple[tuple[str, str], ...] = ()
    """The assists that the credited agent would have without the credit, sorted."""


class Verdict(NamedTuple):
    """What a revision is compared by: a new one is emitted when this changes, and only then (RULEBOOK 6)."""

    status: str
    outcome: str
    silence: str | None
    placing: str | None
    payment: str | None
    credit: str | None
    basis: str | None
    assists: tuple[tuple[str, str], ...]
    amount: int
    quantity: int
    refund_requested: int
    refund_completed: int
    created_ts: int
    paid_ts: int | None
    cancelled_ts: int | None
    final_at: int
    deposit_ts: int | None = None
    notices: tuple[str, ...] = ()
    """Sorted."""
    ruling: str | None = None
    """Event id of the ruling that holds."""
