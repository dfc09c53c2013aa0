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


def pending(
    decisions: Iterable[Record], days: set[str], day: Callable[[int], str] = local_day
) -> dict[str, dict[str, int]]:
    """What is final, paid and still to be paid of every agent, of `SILENT` and of `SHOP`."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in decisions:
        is_paid = one["outcome"] in ("credited", "silent")
        if not is_paid and one["outcome"] != "awaiting_payment":
            continue
        if day(one["paid_ts"] if is_paid else one["created_ts"]) not in days:
            continue
        holder = one["credit"] if is_paid else one["placing"]
        kind = "sure" if one["status"] == "final" else "paid" if is_paid else "open"
        for whose in (holder["agent_id"] if holder else SILENT, SHOP):
            sums[whose][f"{kind}_orders"] += 1
            sums[whose][kind] += one["amount"]
            sums[whose]["with_pending"] += one["amount"]
    return sums


def counts(fact: Record) -> bool:
    """Whether a reception counts for an agent's workload."""
    return fact["filtered"] is None and fact["role"] != "frozen"


def is_unreplied(fact: Record) -> bool:
    return not fact["replied"] and (fact["buyer_messages"] > 0 or fact["handed_over"])


def receptions(
    facts: Iterable[Record], inquiries: Iterable[Record]
) -> list[tuple[str, int, str, str, str, str]]:
    """Day, first message, buyer, agent, why it does not count, and orders of every reception."""
    placed = {
        (one["buyer_id"], one["agent_id"], one["day"]): ", ".join(one["order_ids"]) for one in inquiries
    }
    return sorted(
        (
            one["day"],
            one["first_ts"],
            one["buyer_id"],
            one["agent_id"],
            "" if counts(one) else "role_frozen" if one["role"] == "frozen" else one["filtered"],
            placed.get((one["buyer_id"], one["agent_id"], one["day"]), ""),
        )
        for one in facts
    )


def losses(facts: Iterable[Record], inquiries: Iterable[Record]) -> list[tuple[str, str, str, str]]:
    """Kind, day, buyer and agent of everything that was lost."""
    found = [
        (kind, one["day"], one["buyer_id"], one["agent_id"])
        for one in facts
        for kind, is_so in (("unreplied", is_unreplied(one)), ("slow", one["slow"]))
        if is_so and counts(one)
    ]
    found += [
        (one["outcome"].replace("_", " "), one["day"], one["buyer_id"], one["agent_id"])
        for one in inquiries
        if one["outcome"] in ("lost", "payment_lost", "open")
    ]
    return sorted(found)


def late_words(decisions: Iterable[Record]) -> list[tuple[str, str]]:
    """Agent and order: all words of the payment agent within 5 minutes before another's order was paid."""
    found = []
    for one in decisions:
        if one["outcome"] not in ("credited", "silent") or not one["placing"] or not one["payment"]:
            continue
        agent = one["payment"]["agent_id"]
        [figures] = [own["payment"] for own in one["candidates"] if own["agent_id"] == agent]
        if agent != one["placing"]["agent_id"] and one["paid_ts"] - figures["first_ts"] <= 300_000:
            found.append((agent, one["order_id"]))
    return sorted(found)


def to_and_fro(facts: Iterable[Record]) -> list[tuple[str, str, str]]:
    """Agent, day and buyer: of those who handed the buyer over and were handed the buyer, two at least."""
    both_ways: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in facts:
        if one["transferred"] and one["handed_over"]:
            both_ways[one["day"], one["buyer_id"]].append(one["agent_id"])
    return sorted((agent, *key) for key, agents in both_ways.items() if len(agents) > 1 for agent in agents)


def most_at_once(facts: Iterable[Record], start: int, end: int) -> int:
    """The most buyers who were there at one time between two instants."""
    there = [
        (one["buyer_id"], begin, last) for one in facts if counts(one) for begin, last in one["presence"]
    ]
    instants = {start, *(begin for _, begin, _ in there if start <= begin < end)}
    return max(len({buyer for buyer, begin, last in there if begin <= at <= last}) for at in instants)
