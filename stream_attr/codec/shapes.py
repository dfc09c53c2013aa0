"""Shapes of the records that are told (RULEBOOK 10), but for the emission of those behind the decision.

``schemas/`` describes every field.
"""

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


class ReceptionFact(Struct, gc=False):
    """A record of ``reception-facts``."""

    shop_id: str
    buyer_id: str
    agent_id: str
    day: str
    status: str
    first_ts: int
    last_ts: int
    initiator: str
    buyer_messages: int
    agent_messages: int
    agent_characters: int
    rounds: int
    replied: bool
    first_response_ms: int | None
    response_ms_sum: int
    response_count: int
    slow: bool
    duration_ms: int
    effective_conversation: bool
    product_page: bool
    transferred: bool
    filtered: str | None
    role: str
    final_at: int


class InquiryOutcome(Struct, gc=False):
    """A record of ``inquiry-outcomes``."""

    shop_id: str
    buyer_id: str
    agent_id: str
    day: str
    status: str
    kind: str
    outcome: str
    exempt: str | None
    order_ids: tuple[str, ...]
    final_at: int


class ServiceTask(Struct, gc=False):
    """A record of ``service-tasks``."""

    task_id: str
    shop_id: str
    order_id: str
    buyer_id: str
    kind: str
    agent_id: str | None
    status: str
    due_ts: int
    closed_ts: int | None


class _Figures(Struct, gc=False):
    """Figures that become final together."""

    status: str
    final_from: str


class WorkloadFigures(_Figures):
    """What an agent did."""

    consults: int
    receptions: int
    unreplied: int
    reply_rate: float | None
    buyer_messages: int
    agent_messages: int
    answer_question_ratio: float | None
    agent_characters: int
    first_response_ms: int | None
    response_ms: int | None
    slow_receptions: int
    max_simultaneous: int


class InquiryFigures(_Figures):
    """What became of inquiries."""

    inquiries: int
    open: int
    ordered: int
    lost: int
    assists: int
    follow_ups: int
    after_sales: int
    exempt: int
    inquiry_to_order: float | None


class PaymentFigures(_Figures):
    """What became of the ordered ones."""

    paid: int
    payment_lost: int
    inquiry_to_payment: float | None
    order_to_payment: float | None


class OrderFigures(_Figures):
    """Orders placed, or paid."""

    buyers: int
    orders: int
    amount: int


class SilentFigures(_Figures):
    """Sales that are nobody's."""

    buyers: int
    orders: int
    quantity: int
    amount: int


class SalesFigures(_Figures):
    """Sales credited."""

    buyers: int
    orders: int
    quantity: int
    amount: int
    amount_per_buyer: int | None
    quantity_per_buyer: float | None


class RefundFigures(_Figures):
    """Refunds, by request and by completion."""

    requested: int
    completed: int


class AgentDaily(Struct, gc=False):
    """A record of ``agent-daily``."""

    shop_id: str
    agent_id: str
    day: str
    status: str
    silent: SilentFigures | None
    workload: WorkloadFigures
    inquiries: InquiryFigures
    payments: PaymentFigures
    placed: OrderFigures
    paid: OrderFigures
    sales: SalesFigures
    refunds: RefundFigures
