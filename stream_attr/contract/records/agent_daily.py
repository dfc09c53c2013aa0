"""A record of ``agent-daily`` (RULEBOOK 8), but for its revision."""

from __future__ import annotations

from msgspec import Struct


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
