"""What platforms' statuses of orders say, as far as it bears on sales."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["State", "state_of"]


class State(StrEnum):
    """What a platform's status says of an order, as far as it bears on sales."""

    UNPAID = "unpaid"
    PAID = "paid"
    CLOSED = "closed"
    """Cancelled, or refunded."""


_STATES: Final = (
    (State.CLOSED, ("关闭", "取消", "退款成功", "已退款", "全额退款", "closed", "cancel", "refunded")),
    (State.UNPAID, ("待付款", "待支付", "未付款", "未支付", "等待买家付款", "unpaid", "pending payment")),
    (
        State.PAID,
        (
            *("已付款", "已支付", "待发货", "已发货", "待收货", "已收货", "已签收", "已完成", "交易成功"),
            *("交易完成", "待评价", "备货中", "部分发货", "等待卖家发货", "等待买家确认", "已成团"),
            *("paid", "shipped", "delivered", "completed"),
        ),
    ),
)
"""A status says what the first of these words says that is part of it."""


def state_of(status: str) -> State | None:
    """Return what a status says; None: it is not known what."""
    text = status.casefold()
    return next((state for state, words in _STATES if any(word in text for word in words)), None)
