"""Sales, from the raw records alone, as slowly and plainly as can be (RULEBOOK 8, LEDGER 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
SILENT = "(silent)"
SHOP = "(shop)"


def local_day(ts: int, zone: str = "Asia/Shanghai", cut_hours: int = 0) -> str:
    """The day of an instant, by the clocks of a zone, whose days begin so many hours after midnight."""
    shown = datetime.fromtimestamp(ts / 1000, UTC).astimezone(ZoneInfo(zone))
    return (shown - timedelta(hours=cut_hours)).date().isoformat()


def local_hour(ts: int, zone: str = "Asia/Shanghai") -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%H:00")


def sales(
    decisions: Iterable[Record],
    days: set[str],
    part: Callable[[int], Hashable] = lambda _: None,
    day: Callable[[int], str] = local_day,
) -> dict[tuple[str, Hashable], dict[str, int]]:
    """Sums of every agent, of `SILENT` and of `SHOP`, by part of the time; buyers once a day."""
    sums: dict[tuple[str, Hashable], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    buyers: dict[tuple[str, Hashable], set[tuple[str, str]]] = defaultdict(set)
    for one in decisions:
        if one["outcome"] == "excluded":
            continue
        whose = one["credit"]["agent_id"] if one["credit"] else SILENT
        if one["paid_ts"] is not None and day(one["paid_ts"]) in days:
            for key in ((whose, part(one["paid_ts"])), (SHOP, part(one["paid_ts"]))):
                sums[key]["orders"] += 1
                sums[key]["quantity"] += one["quantity"]
                sums[key]["amount"] += one["amount"]
                buyers[key].add((day(one["paid_ts"]), one["buyer_id"]))
        for refund in one["refunds"]:
            if day(refund["ts"]) in days:
                for key in ((whose, part(refund["ts"])), (SHOP, part(refund["ts"]))):
                    sums[key]["completed" if refund["completed"] else "requested"] += refund["amount"]
    for key, some in buyers.items():
        sums[key]["buyers"] = len(some)
    return sums


def half_up(total: int, number: int) -> int | None:
    """A mean, rounded half up; None of nothing."""
    if not number:
        return None
    exact = Fraction(total, number)
    return int(exact + Fraction(1, 2)) if exact >= 0 else -int(-exact + Fraction(1, 2))


def four_digits(part: int, whole: int) -> float | None:
    """A ratio to four decimals; None of nothing."""
    return round(part / whole, 4) if whole else None
