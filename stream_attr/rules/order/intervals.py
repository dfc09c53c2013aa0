"""The intervals that an order's judgement looks at (RULEBOOK 5)."""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS
from stream_attr.rules.shop.settings import Settings
from stream_attr.rules.shop.shop import Shop

PAYMENT_LOOK_BACK_MS: Final = 20 * DAY_MS
"""How far before the payment a chat may count as its cause."""


class Interval(NamedTuple):
    """``[start, end)``, epoch milliseconds."""

    start: int
    end: int


NOWHERE: Final = Interval(0, 0)


class Intervals(NamedTuple):
    """The intervals that an order's judgement looks at; ``NOWHERE`` where there is none."""

    placing: Interval
    payment: Interval
    followup: Interval
    assist: Interval
    """From creation to payment, or to the end of waiting for it."""
    deadline: int

    @property
    def earliest(self) -> int:
        """The first instant that any of them looks at; a payment may lie before the creation."""
        start = self.placing.start
        return start if self.followup is NOWHERE else min(start, self.followup.start)

    @property
    def latest(self) -> int:
        """The last instant that the assists or the follow-up look at."""
        return max(self.assist.end, self.followup.end - 1)

    @classmethod
    def of(cls, order: Order, created_ts: int, settings: Settings, shop: Shop) -> Intervals:
        """Return the intervals of an order placed at ``created_ts``."""
        validity = settings.validity
        if validity.hours is not None:
            start = created_ts - validity.hours * HOUR_MS
        else:
            start = shop.zone.start_of(shop.zone.day_of(created_ts) - (validity.natural_days or 0))
        deadline = order.deadline(created_ts, settings.payment_deadline_hours)
        paid_ts = order.paid_ts
        payment = followup = NOWHERE
        if paid_ts is None:
            end = deadline if order.cancelled is None else min(deadline, order.cancelled.ts)
        else:
            end = paid_ts
            payment = Interval(max(start, paid_ts - PAYMENT_LOOK_BACK_MS), paid_ts)
            if settings.silent_followup.on:
                followup = Interval(paid_ts + 1, paid_ts + settings.silent_followup.minutes * MINUTE_MS + 1)
        return cls(Interval(start, created_ts), payment, followup, Interval(created_ts, end), deadline)
