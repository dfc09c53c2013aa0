"""When buyers come: the curve of a day, promotion days, and how a total is spread over days and shops."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from stream_attr.generate.chance import Chance
from stream_attr.rules.shop.days import HOUR_MS, Zone, day_name

__all__ = ["DayCurve", "promotions", "shares"]

# Peaks at 10-12, 14-17 and 20-23 local time, the dead of night nearly empty.
EVERYDAY = (30, 14, 8, 5, 4, 5, 10, 22, 45, 75, 105, 110, 72, 62, 98, 108, 96, 66, 58, 76, 108, 118, 104, 60)
# A promotion opens at midnight and closes with a rush.
PROMOTION = (95, 60, 20, 8, 5, 6, 12, 30, 60, 90, 99, 98, 75, 66, 95, 98, 92, 70, 72, 98, 140, 150, 155, 130)

CALENDAR = {"06-01": 3, "06-18": 6, "11-01": 3, "11-11": 6, "12-12": 4}
"""Month and day of the trade's own promotion days: how many times an ordinary day's traffic they bring."""
OWN_SALE = 4
"""The same for a sale of the shop itself, held when the calendar has none."""


def promotions(zone: Zone, day_starts: Sequence[int], chance: Chance) -> list[int]:
    """How many times an ordinary day's traffic each day brings.

    A span of five days or more always has its promotion: a sale of the shop's own where the calendar
    has none.
    """
    factors = [CALENDAR.get(day_name(zone.day_of(start))[5:], 1) for start in day_starts]
    if len(factors) >= 5 and max(factors) == 1:
        factors[chance.integer(1, len(factors) - 1)] = OWN_SALE
    return factors


def shares(total: int, weights: Sequence[int]) -> list[int]:
    """Cumulative shares of a total by weight; the last one is the total, exactly."""
    total_weight = sum(weights)
    return [total * part // total_weight for part in accumulate(weights)]


class DayCurve:
    """The instants at which buyers turn up on one day, and the local hour of any instant of it."""

    def __init__(self, zone: Zone, start_ts: int, *, promotion: bool) -> None:
        self._start_ts = start_ts
        self._midnight_ts = zone.start_of(zone.day_of(start_ts))
        curve = PROMOTION if promotion else EVERYDAY
        self._cumulated = list(accumulate(curve[self.hour(start_ts + i * HOUR_MS)] for i in range(24)))

    def hour(self, ts: int) -> int:
        """The local hour, 0 to 23."""
        return (ts - self._midnight_ts) // HOUR_MS % 24

    def arrival(self, chance: Chance) -> int:
        """An instant of the day at which somebody turns up (milliseconds)."""
        slot = bisect_right(self._cumulated, chance.draw() * self._cumulated[-1])
        return self._start_ts + slot * HOUR_MS + chance.integer(0, HOUR_MS)
