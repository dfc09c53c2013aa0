"""A record of ``attribution-decisions`` or ``attribution-comparisons`` (RULEBOOK 10)."""

from __future__ import annotations

from msgspec import Struct


class Picked(Struct, gc=False):
    """The agent that a rule picked."""

    agent_id: str
    rule: str
    last_ts: int
    rounds: int


class Credit(Struct, gc=False):
    """Who gets the sale."""

    agent_id: str
    basis: str
    rule: str


class Assist(Struct, gc=False):
    """Who helped."""

    agent_id: str
    kind: str


class Figures(Struct, omit_defaults=True, gc=False):
    """What an agent's messages come to in one interval."""

    messages: int
    rounds: int
    first_ts: int
    last_ts: int
    product_page: bool
    ordered_product: bool
    initiator: str | None = None


class Candidate(Struct, gc=False):
    """An agent who could have got the order."""

    agent_id: str
    placing: Figures | None
    payment: Figures | None
    followup: Figures | None


class Discarded(Struct, gc=False):
    """A reception that made nobody a candidate."""

    agent_id: str
    day: str
    reason: str


class Decision(Struct, gc=False):
    """A record of ``attribution-decisions`` or ``attribution-comparisons``."""

    decision_id: str
    supersedes: str | None
    shop_id: str
    order_id: str
    buyer_id: str
    profile: str
    preset: str
    settings_from: str | None
    status: str
    revision: int
    reason: str
    outcome: str
    silence: str | None
    placing: Picked | None
    payment: Picked | None
    credit: Credit | None
    assists: list[Assist]
    amount: int
    quantity: int
    currency: str
    refund_requested: int
    refund_completed: int
    net_amount: int
    created_ts: int
    paid_ts: int | None
    cancelled_ts: int | None
    final_at: int
    watermark: int
    candidates: list[Candidate]
    discarded: list[Discarded]
