"""What alerts count in windows of generated traffic, from the raw records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from stream_attr.ledger.alerts.figures import FIGURES
from stream_attr.ledger.alerts.judge import Judged, judge
from stream_attr.ledger.alerts.rules import Rule
from stream_attr.ledger.database.connect import Connection
from tests.ledger.reports.conftest import MIDDLE, Record, Traffic

NOON = int(datetime.fromisoformat(MIDDLE).timestamp() * 1000)
MINUTE = 60_000
WEEK = 7 * 24 * 60 * MINUTE
SHOPS = ("jd:10086", "pdd:20417")
Sums = tuple[int, int]


class Raw:
    """The last record of everything of one shop."""

    def __init__(self, traffic: Traffic, roster: Path, shop_id: str) -> None:
        def own(records: Iterable[Record]) -> list[Record]:
            return [one for one in records if one["shop_id"] == shop_id]

        key = ("shop_id", "buyer_id", "agent_id", "day")
        self.decisions = own(traffic.decisions)
        self.facts = own(traffic.last("reception-facts", *key))
        self.inquiries = own(traffic.last("inquiry-outcomes", *key))
        self.listed = {
            one["agent_id"] for one in own(map(json.loads, roster.read_text("utf-8").splitlines()))
        }

    def begun(self, start: int, end: int) -> list[Record]:
        return [one for one in self.facts if start <= one["first_ts"] < end]

    def counted(self, start: int, end: int) -> list[Record]:
        return [
            one
            for one in self.begun(start, end)
            if one["filtered"] is None and one["role"] in ("presale", "aftersale")
        ]

    def paid(self, start: int, end: int) -> list[Record]:
        return [
            one
            for one in self.decisions
            if one["outcome"] in ("credited", "silent") and start <= (one["paid_ts"] or 0) < end
        ]

    def conversion(self, start: int, end: int) -> Sums:
        begun = {(one["buyer_id"], one["agent_id"], one["day"]) for one in self.begun(start, end)}
        created = {one["order_id"]: one["created_ts"] for one in self.decisions}
        own = [
            one
            for one in self.inquiries
            if (one["buyer_id"], one["agent_id"], one["day"]) in begun
            and one["kind"] == "inquiry"
            and one["outcome"] != "not_counted"
        ]
        return sum(any(created[name] < end for name in one["order_ids"]) for one in own), len(own)

    def first_response(self, start: int, end: int) -> Sums:
        waits = [one["first_response_ms"] for one in self.counted(start, end)]
        known = [wait for wait in waits if wait is not None]
        return sum(known), len(known)

    def unreplied(self, start: int, end: int) -> Sums:
        own = self.counted(start, end)
        asked = [one for one in own if one["buyer_messages"] or one["handed_over"]]
        return sum(not one["replied"] for one in asked), len(own)

    def silent(self, start: int, end: int) -> Sums:
        own = self.paid(start, end)
        return sum(one["outcome"] == "silent" for one in own), len(own)

    def refunds(self, start: int, end: int) -> Sums:
        every = [
            refund
            for one in self.decisions
            if one["outcome"] != "excluded"
            for refund in one["refunds"]
            if refund["completed"] and start <= refund["ts"] < end
        ]
        return len(every), len(self.paid(start, end))

    def overdue(self, _start: int, end: int) -> Sums:
        late = [one for one in self.decisions if one["status"] == "pending" and one["final_at"] < end]
        return len(late), len(late)

    def notices(self, start: int, end: int) -> Sums:
        own = [one for one in self.decisions if start <= one["created_ts"] < end]
        return sum(bool(one["notices"]) for one in own), len(own)

    def unlisted(self, start: int, end: int) -> Sums:
        own = self.begun(start, end)
        return len({one["agent_id"] for one in own} - self.listed), len(own)


def judged(read: Connection, figure: str, minutes: int, shop_id: str, limit: dict[str, Any]) -> Judged:
    given: dict[str, Any] = {"figure": figure, "window_minutes": minutes, "shops": (shop_id,), **limit}
    (found,) = judge(read, [Rule(name="one", channels=("ops",), least=1, delay_minutes=0, **given)])
    return found


@pytest.mark.parametrize("minutes", [180, 24 * 60, 3 * 24 * 60])
@pytest.mark.parametrize("figure", [name for name in FIGURES if name != "refused"])
def test_a_figure_is_that_of_the_records(
    read_middle: Connection, middle: Traffic, generated: Path, figure: str, minutes: int
) -> None:
    total = 0
    for shop_id in SHOPS:
        raw = Raw(middle, generated / "roster.jsonl", shop_id)
        count: Callable[[int, int], Sums] = getattr(raw, figure)
        found = judged(
            read_middle, figure, minutes, shop_id, {"above": "1%" if FIGURES[figure].kind == "rate" else 1}
        )
        assert found.end <= NOON
        assert found.end - found.start == minutes * MINUTE
        assert found.sums == count(found.start, found.end)
        total += found.sums.cases
        if not FIGURES[figure].has_usual:
            continue
        week = count(found.start - WEEK, found.end - WEEK)  # the traffic is younger than two
        usual = judged(read_middle, figure, minutes, shop_id, {"above_usual": "10%"}).usual
        if FIGURES[figure].kind == "count":
            assert usual == (week[0] if week[1] else None)
        else:
            unit = 1000 if FIGURES[figure].kind == "seconds" else 1
            assert usual == (Fraction(week[0], week[1] * unit) if week[1] else None)
    assert total > 0 or figure == "overdue"
