"""What a rule counts in a window, by hand."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from stream_attr.errors import UnusableError
from stream_attr.ledger.alerts.judge import Judged, judge
from stream_attr.ledger.alerts.rules import Rule
from stream_attr.ledger.database.connect import Database
from stream_attr.ledger.reports.scope import snapshot
from tests.ledger.alerts.conftest import DAY, MINUTE, NOON, SHOP, Add

At = Callable[[int], None]
HOUR = 60 * MINUTE


def judged(ledger: Database, figure: str, **given: Any) -> Judged:
    rule = Rule(name="one", figure=figure, window_minutes=60, channels=("ops",), **{"least": 1, **given})
    with ledger.connection() as connection, snapshot(connection):
        (found,) = judge(connection, [rule])
    return found


def test_the_window_ends_a_delay_before_the_slowest_partition(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    for number, ts in enumerate((NOON - HOUR - 1, NOON - HOUR, NOON - 1, NOON)):
        add("reception", buyer_id=f"b-{number}", first_ts=ts, first_response_ms=10_000 * (number + 1))
    found = judged(ledger, "first_response", above=25)
    assert (found.start, found.end, found.sums) == (NOON - HOUR, NOON, (20_000 + 30_000, 2))
    assert (found.value, found.holds) == (Fraction(25), False)  # above, not at
    assert judged(ledger, "first_response", above=24).holds is True
    assert judged(ledger, "first_response", below=25).holds is False
    assert judged(ledger, "first_response", above=24, least=2).holds is True
    assert judged(ledger, "first_response", above=24, least=3).holds is None
    assert judged(ledger, "first_response", above=1, delay_minutes=9).sums == (30_000 + 40_000, 2)


def test_receptions_that_count_nowhere_count_not_here(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    rows: tuple[dict[str, Any], ...] = (
        {},
        {"replied": False},
        {"replied": False, "buyer_messages": 0},
        {"replied": False, "buyer_messages": 0, "handed_over": True},
        {"replied": False, "filtered": "monologue"},
        {"replied": False, "role": "frozen"},
        {"replied": False, "shop_id": "jd:2"},
    )
    for number, row in enumerate(rows):
        add("reception", buyer_id=f"b-{number}", first_ts=NOON - 1, **row)
    found = judged(ledger, "unreplied", above="49.99%")
    assert (found.sums, found.value, found.holds) == ((2, 4), Fraction(1, 2), True)


def test_usual_is_that_of_the_same_hours_of_four_weeks(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    for week, seconds in enumerate((60, 10, 20, 30, 40, 1_000)):
        add(
            "reception",
            buyer_id=f"b-{week}",
            first_ts=NOON - HOUR - 7 * week * DAY,
            first_response_ms=seconds * 1_000,
        )
    add("reception", buyer_id="x", first_ts=NOON - HOUR - 7 * DAY + HOUR, first_response_ms=1)  # behind it
    add("reception", buyer_id="y", first_ts=NOON - HOUR - 6 * DAY, first_response_ms=1)  # another weekday
    found = judged(ledger, "first_response", above_usual="140%", least=1)
    assert (found.value, found.usual, found.holds) == (
        Fraction(60),
        Fraction(25),
        False,
    )  # 25 s, and 140 % more is 60 s
    assert judged(ledger, "first_response", above_usual="139%").holds is True
    assert judged(ledger, "first_response", below_usual="1%").holds is False
    assert judged(ledger, "first_response", above_usual="1%", least=4).holds is None  # one in the window
    add("reception", buyer_id="z", first_ts=NOON - HOUR, first_response_ms=60_000)
    assert judged(ledger, "first_response", above_usual="1%", least=2).holds is True
    assert judged(ledger, "first_response", above_usual="1%", least=5).holds is None


def orders(add: Add) -> None:
    """Paid in the window: two credited, one silent, one excluded; one before it."""
    for number, (outcome, ts) in enumerate(
        (
            ("credited", NOON - 1),
            ("credited", NOON - HOUR),
            ("silent", NOON - 2),
            ("excluded", NOON - 3),
            ("silent", NOON),
        )
    ):
        add("decision", order_id=f"o-{number}", outcome=outcome, paid_ts=ts, created_ts=ts)
    add("decision", order_id="o-0", profile="other", outcome="silent", paid_ts=NOON - 1, created_ts=NOON - 1)


def test_silent_orders(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    orders(add)
    assert judged(ledger, "silent", above="33%").sums == (1, 3)


def test_refunds(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    orders(add)
    add("refund", order_id="o-0", ts=NOON - 1)
    add("refund", order_id="o-9", ts=NOON - HOUR)
    add("refund", order_id="o-8", ts=NOON - 5, completed=False)
    add("refund", order_id="o-7", ts=NOON - 5, outcome="excluded")
    add("refund", order_id="o-6", ts=NOON)
    assert judged(ledger, "refunds", above="10%").sums == (2, 3)


def test_pending_beyond_its_time(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    for number, (status, final_at) in enumerate(
        (("pending", NOON - 1), ("pending", NOON), ("final", NOON - 1), ("pending", NOON - 40 * DAY))
    ):
        add("decision", order_id=f"o-{number}", status=status, final_at=final_at)
    found = judged(ledger, "overdue", above=1, least=100)
    assert (found.value, found.holds) == (Fraction(2), True)
    assert found.days == ("2026-09-11", "2026-11-10")
    assert judged(ledger, "overdue", above=2).holds is False


def test_inquiries_that_ordered_by_the_end_of_the_window(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    for number, (outcome, order, created) in enumerate(
        (
            ("open", None, 0),
            ("ordered", "o-1", NOON - 1),
            ("paid", "o-2", NOON),
            ("not_counted", "o-3", NOON - 1),
        )
    ):
        add("reception", buyer_id=f"b-{number}", first_ts=NOON - 2)
        add(
            "inquiry",
            buyer_id=f"b-{number}",
            day="2026-11-10",
            outcome=outcome,
            order_ids=[order] if order else [],
        )
        if order:
            add("decision", order_id=order, created_ts=created)
    found = judged(ledger, "conversion", below="34%")
    assert (found.sums, found.holds) == ((1, 3), True)


def test_of_a_count_usual_is_the_mean_of_the_weeks_that_have_cases(
    ledger: Database, add: Add, at: At
) -> None:
    at(NOON + 10 * MINUTE)
    for week, notices in ((0, 4), (1, 3), (2, 0)):  # and none at all three and four weeks ago
        for number in range(4):
            noted = ["over_refunded"] if number < notices else []
            add("decision", order_id=f"o-{week}{number}", created_ts=NOON - 1 - 7 * week * DAY, notices=noted)
    found = judged(ledger, "notices", above_usual="166%", least=8)
    assert (found.value, found.usual, found.holds) == (Fraction(4), Fraction(3, 2), True)
    assert judged(ledger, "notices", above_usual="167%", least=8).holds is False
    assert judged(ledger, "notices", above_usual="166%", least=9).holds is None


def test_findings_on_the_input(ledger: Database, add: Add, at: At) -> None:
    at(NOON + 10 * MINUTE)
    add("decision", order_id="o-1", created_ts=NOON - 1, notices=["over_refunded"])
    add("decision", order_id="o-2", created_ts=NOON - 1)
    add("decision", order_id="o-3", created_ts=NOON, notices=["over_refunded"])
    assert judged(ledger, "notices", above=0).sums == (1, 2)
    add("roster", agent_id="a")
    for number, agent_id in enumerate(("a", "x", "x", "y")):
        add("reception", buyer_id=f"b-{number}", agent_id=agent_id, first_ts=NOON - 1, filtered="monologue")
    assert judged(ledger, "unlisted", above=0).sums == (2, 4)
    for offset, known_ts in enumerate((NOON, NOON + 10 * MINUTE, NOON - 51 * MINUTE)):
        add("dead_letter", source_offset=offset, known_ts=known_ts)
    add("unstored", source_offset=1, known_ts=NOON)
    found = judged(ledger, "refused", above=2)  # of an hour up to the last record that came, that one too
    assert (found.shop_id, found.value, found.holds) == ("*", Fraction(3), True)


def test_before_anything_is_known_nothing_is_judged(ledger: Database, add: Add, at: At) -> None:
    at(NOON)
    with ledger.connection() as connection:
        connection.execute("UPDATE sink_offset SET watermark = NULL")
    add("reception", first_ts=NOON - HOUR, first_response_ms=1)
    assert judged(ledger, "first_response", above=0).holds is None


def test_a_shop_that_the_ledger_does_not_know_is_named(ledger: Database, at: At) -> None:
    at(NOON)
    with pytest.raises(
        UnusableError, match=f"rule 'one': there is no shop 'jd:9' in the ledger; there are {SHOP}"
    ):
        judged(ledger, "silent", above="1%", shops=("jd:9",))
