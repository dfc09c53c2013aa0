"""What is kept of days is never older than the receptions and inquiries beside it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Rollback

from stream_attr.ledger.database.connect import Connection, Database
from stream_attr.ledger.periods import period, shop_zone
from stream_attr.ledger.roll_up import kept as kept_module
from stream_attr.ledger.roll_up.days import Day, Part
from stream_attr.ledger.roll_up.kept import RollUp, kept_days
from tests.ledger.roll_up.receptions import MARGIN_MS, MINUTE_MS, SHOP, Reception, counted, put, say
from tests.properties.test_invariants import examples
from tests.reference.days import ShopDays, first_instant

SHANGHAI = ShopDays(ZoneInfo("Asia/Shanghai"))
FIRST = date(2026, 11, 10)
DAYS = [FIRST + timedelta(days=n) for n in range(5)]
ASKED = period("2026-11-10", "2026-11-14")


def chat(buyer: str, day: date, minute: int = 600, **others: object) -> Reception:
    at = first_instant(day, SHANGHAI) + minute * MINUTE_MS
    spans = ((at - MARGIN_MS, at + MARGIN_MS),)
    return replace(Reception(buyer, "X", day, at, spans), **others)  # type: ignore[arg-type]


CHATS = [chat("a", day) for day in DAYS]
TIMEOUTS = kept_module._TIMEOUTS


def kept(connection: Connection) -> list[date]:
    return [day for (day,) in connection.execute("SELECT day FROM day_roll_up ORDER BY day")]


def days(connection: Connection) -> dict[int, Day]:
    return kept_days(connection, SHOP, shop_zone(connection, SHOP), ASKED, *Part)


def expected(*receptions: Reception) -> dict[int, Day]:
    return counted(list(receptions), SHANGHAI, DAYS[0], DAYS[-1])


@pytest.fixture
def made(ledger: Database) -> Iterator[Connection]:
    """A ledger in which a buyer was there on each of five days, and all of them are kept."""
    with ledger.connection(autocommit=True) as connection:
        say(connection, SHANGHAI)
        for one in CHATS:
            put(connection, one)
            connection.execute(
                "INSERT INTO agent_day VALUES (%s, '*', %s, 1, 'final', 'timer', 0, 0, 0, '{}')",
                (SHOP, one.day),
            )
        assert RollUp().make(connection, last_day=True) == 5
        assert kept(connection) == DAYS
        yield connection


def test_what_is_kept_is_read(made: Connection) -> None:
    """By a content that no reception comes to."""
    made.execute(
        "UPDATE day_roll_up SET content = '[[], {\"nobody\": [7, 0, 0, 0, 0]}]' WHERE day = %s", (FIRST,)
    )
    found = days(made)
    assert found[ASKED.first].agents["nobody"].receptions == 7
    assert {**found, ASKED.first: None} == {**expected(*CHATS), ASKED.first: None}


def test_a_new_reception_outdates_its_day_and_those_beside_it(made: Connection) -> None:
    late = chat("b", DAYS[2], minute=1439)
    put(made, late)
    assert kept(made) == [DAYS[0], DAYS[4]]
    assert days(made) == expected(*CHATS, late)
    assert RollUp().make(made, last_day=True) == 3
    assert kept(made) == DAYS
    assert days(made) == expected(*CHATS, late)


def test_a_revision_that_changes_nothing_of_a_day_lets_it_stand(made: Connection) -> None:
    made.execute(
        "UPDATE reception SET revision = 2, status = 'final', reason = 'timer', watermark = 9, rounds = 7"
    )
    assert kept(made) == DAYS


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("first_ts", CHATS[2].first_ts + 1),
        ("initiator", "agent"),
        ("agent_characters", 2),
        ("duration_ms", 2),
        ("effective_conversation", True),
        ("transferred", True),
        ("buyer_messages", 0),
        ("agent_messages", 0),
        ("replied", False),
        ("first_response_ms", 3),
        ("slow", True),
        ("handed_over", True),
        ("presence", [[CHATS[2].first_ts, CHATS[2].first_ts + 1]]),
        ("filtered", "agent_offline"),
        ("role", "frozen"),
    ],
)
def test_a_revision_that_changes_a_day_outdates_it(made: Connection, column: str, value: object) -> None:
    made.execute(f"UPDATE reception SET {column} = %s WHERE day = %s".encode(), (value, DAYS[2]))
    assert kept(made) == [DAYS[0], DAYS[4]]


def test_so_does_an_inquiry(made: Connection) -> None:
    put(made, (lost := chat("b", DAYS[4], outcome="lost")))
    assert kept(made) == DAYS[:3]
    RollUp().make(made, last_day=True)
    made.execute("UPDATE inquiry SET status = 'final', revision = 2")
    assert kept(made) == DAYS
    made.execute("UPDATE inquiry SET exempt = 'after_sales'")
    assert kept(made) == DAYS[:3]
    RollUp().make(made, last_day=True)
    made.execute("UPDATE inquiry SET exempt = NULL, outcome = 'payment_lost'")
    assert kept(made) == DAYS[:3]
    assert days(made) == expected(*CHATS, replace(lost, outcome="payment_lost"))
    RollUp().make(made, last_day=True)
    made.execute("DELETE FROM inquiry")
    assert kept(made) == DAYS[:3]


def test_a_row_that_is_gone_outdates_its_day(made: Connection) -> None:
    made.execute("DELETE FROM reception WHERE day = %s", (FIRST,))
    assert kept(made) == DAYS[2:]
    assert days(made) == expected(*CHATS[1:])


def test_nothing_is_made_while_somebody_changes_a_day(made: Connection, ledger: Database) -> None:
    made.execute("DELETE FROM day_roll_up")
    late = chat("b", DAYS[2])
    with ledger.connection() as other, pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_module, "_TIMEOUTS", TIMEOUTS)  # as outside of tests
        put(other, late)
        assert RollUp().make(made, last_day=True) == 0
        other.commit()
    assert RollUp().make(made, last_day=True) == 5
    assert days(made) == expected(*CHATS, late)


def test_whoever_changes_a_day_that_is_being_made_waits_and_outdates_it(
    made: Connection, ledger: Database
) -> None:
    made.execute("DELETE FROM day_roll_up WHERE day = %s", (DAYS[2],))
    late = chat("b", DAYS[2])

    def change() -> None:
        with ledger.connection(autocommit=True) as other:
            put(other, late)

    changing = threading.Thread(target=change)
    with made.transaction():
        made.execute("LOCK TABLE day_roll_up IN SHARE ROW EXCLUSIVE MODE")
        changing.start()
        changing.join(0.5)
        assert changing.is_alive()
        before = json.dumps([[], {}])
        made.execute(
            "INSERT INTO day_roll_up VALUES (%s, %s, 1, 'Asia/Shanghai', '00:00', %s)",
            (SHOP, DAYS[2], before),
        )
    changing.join(30)
    assert kept(made) == [DAYS[0], DAYS[4]]
    assert days(made) == expected(*CHATS, late)


def test_nothing_is_kept_that_nobody_would_delete(made: Connection) -> None:
    """As of tables that were made again to be distributed: their triggers are gone."""
    made.execute("DELETE FROM day_roll_up")
    made.execute("DROP TRIGGER day_roll_up_revised ON inquiry")
    assert RollUp().make(made, last_day=True) == 0
    assert days(made) == expected(*CHATS)


def test_the_last_day_is_not_made_while_it_comes_in(made: Connection) -> None:
    made.execute("DELETE FROM day_roll_up")
    assert RollUp().make(made) == 4
    assert kept(made) == DAYS[:4]


def test_a_day_is_not_made_again_at_once(made: Connection) -> None:
    made.execute("DELETE FROM day_roll_up")
    maker = RollUp()
    assert maker.make(made, last_day=True) == 5
    put(made, chat("b", DAYS[1]))
    assert maker.make(made, last_day=True) == 0
    maker.AGAIN_S = 0.0  # type: ignore[misc]
    assert maker.make(made, last_day=True) == 3


def test_days_of_another_zone_are_made_anew(made: Connection) -> None:
    """The settings came later than the days were made."""
    made.execute("DELETE FROM shop_settings")
    elsewhere = ShopDays(ZoneInfo("Asia/Tokyo"))
    say(made, elsewhere)
    now = counted(CHATS, elsewhere, DAYS[0], DAYS[-1])
    assert days(made) == now != expected(*CHATS)
    assert RollUp().make(made, last_day=True) == 5
    assert days(made) == now
    assert made.execute("SELECT DISTINCT zone FROM day_roll_up").fetchall() == [("Asia/Tokyo",)]


def test_days_of_another_form_are_made_anew(made: Connection) -> None:
    made.execute("UPDATE day_roll_up SET form = 0, content = '0'")
    assert days(made) == expected(*CHATS)
    assert RollUp().make(made, last_day=True) == 5
    assert days(made) == expected(*CHATS)


@settings(examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.integers(0, 1439)), max_size=6))
def test_whatever_comes_between(made: Connection, some: list[tuple[str, int, int]]) -> None:
    """Chats come one after the other, days are made in between, and nothing that is read is old."""
    there = {(one.buyer, one.day): one for one in CHATS}
    with made.transaction() as transaction:
        for number, (buyer, day, minute) in enumerate(some):
            one = chat(buyer, DAYS[day], minute)
            if (buyer, DAYS[day]) in there:
                made.execute(
                    "UPDATE reception SET first_ts = %s, presence = %s WHERE buyer_id = %s AND day = %s",
                    (one.first_ts, [list(pair) for pair in one.presence], buyer, DAYS[day]),
                )
            else:
                put(made, one)
            there[buyer, DAYS[day]] = one
            assert days(made) == expected(*there.values())
            if number % 2:
                RollUp().make(made, last_day=True)
                assert kept(made) == DAYS
                assert days(made) == expected(*there.values())
        raise Rollback(transaction)
