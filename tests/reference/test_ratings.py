"""What buyers say of the service, and when they are there (RULEBOOK 8), by hand."""

from __future__ import annotations

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.facts import facts
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    TODAY,
    Json,
    around,
    chat_of,
    message,
    rating,
    role,
    transfer,
)

CHAT = chat_of("A", NOON)


def rating_of(*ratings: Json, chat: list[Json] | None = None, day: str = TODAY) -> int | None:
    found = facts([*(CHAT if chat is None else chat), *ratings], [], [], [], None)
    score: int | None = found["jd:1", "b-1", "A", day]["rating"]
    return score


@pytest.mark.parametrize("ts", around(MIDNIGHT + DAY_MS))
def test_a_rating_belongs_to_the_day_on_which_it_is_given(ts: int) -> None:
    assert rating_of(rating(4, ts)) == (4 if ts < MIDNIGHT + DAY_MS else None)


@pytest.mark.parametrize("rated_ts", around(MIDNIGHT))
def test_a_rating_given_later_belongs_to_the_day_of_the_service(rated_ts: int) -> None:
    given = rating(2, NOON + 5 * DAY_MS, rated_ts=rated_ts)
    assert rating_of(given) == (2 if rated_ts >= MIDNIGHT else None)


def test_the_last_rating_holds() -> None:
    first, second = rating(1, NOON + 1), rating(5, NOON + 2)
    assert rating_of(second, first) == 5
    assert rating_of(second, {**first, "ts": NOON + 2, "event_id": "z"}) == 1
    backdated = rating(3, NOON + 3, rated_ts=NOON)
    assert rating_of(backdated, second, first) == 3


def test_a_rating_is_of_one_agent_and_one_buyer_and_makes_no_reception() -> None:
    assert rating_of(rating(5, NOON, "B"), rating(5, NOON, "A", "b-2")) is None
    found = facts([*CHAT, rating(5, NOON, "B"), rating(5, NOON + DAY_MS)], [], [], [], None)
    assert list(found) == [("jd:1", "b-1", "A", TODAY)]
    (fact,) = found.values()
    assert (fact["first_ts"], fact["last_ts"]) == (NOON, NOON + MINUTE_MS)


def test_ratings_are_counted_by_receptions_of_the_shop_too() -> None:
    chat = [m for agent_id in ("A", "B") for n in range(3) for m in chat_of(agent_id, NOON, f"b-{n}")]
    scores = {("A", "b-0"): 3, ("A", "b-1"): 4, ("B", "b-0"): 5}
    chat += [rating(score, NOON + HOUR_MS, *pair) for pair, score in scores.items()]
    days = agent_days(chat, [], [], [], None)
    names = ("ratings", "satisfied", "satisfaction")
    figures = {key[1]: [day["workload"][name] for name in names] for key, day in days.items()}
    assert figures == {"A": [2, 1, 0.5], "B": [1, 1, 1.0], "*": [3, 2, 0.6667]}


def test_ratings_of_filtered_receptions_and_of_frozen_agents_do_not_count() -> None:
    filtered = [*CHAT, transfer(NOON, "A", "B"), rating(5, NOON + HOUR_MS)]
    days = agent_days(filtered, [], [], [], None)
    assert days["jd:1", "A", TODAY]["workload"]["ratings"] == 0
    days = agent_days([*CHAT, rating(5, NOON + HOUR_MS)], [], [], [role("A", "frozen")], None)
    assert days == {}


@pytest.mark.parametrize("gap", around(4 * MINUTE_MS))
def test_where_the_times_at_which_a_buyer_was_there_meet_they_are_one(gap: int) -> None:
    chat = [message(NOON, "A", "buyer"), message(NOON + gap, "A", "agent", kind="broadcast")]
    (fact,) = facts(chat, [], [], [], None).values()
    ends = [
        NOON - 2 * MINUTE_MS,
        NOON + 2 * MINUTE_MS,
        NOON + gap - 2 * MINUTE_MS,
        NOON + gap + 2 * MINUTE_MS,
    ]
    whole = [[ends[0], ends[3]]]
    assert fact["presence"] == (whole if gap <= 4 * MINUTE_MS else [ends[:2], ends[2:]])


def test_presence_runs_past_midnight_in_the_reception_that_it_is_of() -> None:
    chat = [message(MIDNIGHT + DAY_MS - 1, "A", "buyer"), message(NOON, "A", "buyer", kind="system")]
    (fact,) = facts(chat, [], [], [], None).values()
    ts = MIDNIGHT + DAY_MS - 1
    assert fact["presence"] == [[ts - 2 * MINUTE_MS, ts + 2 * MINUTE_MS]]
