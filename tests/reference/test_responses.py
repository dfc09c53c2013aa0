"""Response times and slow receptions (RULEBOOK 8)."""

from __future__ import annotations

import pytest

from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.facts import facts
from tests.reference.shorthand import (
    MIDNIGHT,
    NOON,
    SECOND_MS,
    Json,
    around,
    chat_of,
    message,
    shop_settings,
)


def only_fact(chat: list[Json], settings: list[Json] | None = None) -> Json:
    (fact,) = facts(chat, [], settings or [], [], None).values()
    return fact


def answered_after(*pauses: int) -> list[Json]:
    """A conversation in which the buyer asks every hour and the agent answers after these times."""
    chat = []
    for hours, pause in enumerate(pauses):
        asked = MIDNIGHT + hours * HOUR_MS
        chat += [message(asked, "A", "buyer"), message(asked + pause, "A", "agent")]
    return chat


def test_a_response_runs_from_the_first_message_not_yet_answered() -> None:
    chat = [
        message(NOON, "A", "agent"),
        message(NOON + 10, "A", "buyer", text=""),
        message(NOON + 20, "A", "buyer"),
        message(NOON + 25, "A", "agent", kind="broadcast"),
        message(NOON + 31, "A", "agent"),
        message(NOON + 99, "A", "agent"),
        message(NOON + 100, "A", "buyer"),
        message(NOON + 100, "A", "agent"),
        message(NOON + 200, "A", "buyer"),
    ]
    fact = only_fact(chat)
    assert (fact["first_response_ms"], fact["response_ms_sum"], fact["response_count"]) == (21, 21, 2)


@pytest.mark.parametrize(
    ("minutes", "pause", "counted"),
    [
        *((10, pause, pause < 10 * MINUTE_MS) for pause in around(10 * MINUTE_MS)),
        *((1, pause, pause < MINUTE_MS) for pause in around(MINUTE_MS)),
        (None, 12 * HOUR_MS, True),
    ],
)
def test_a_response_of_the_longest_wait_does_not_count(
    minutes: int | None, pause: int, *, counted: bool
) -> None:
    chat = [message(MIDNIGHT, "A", "buyer"), message(MIDNIGHT + pause, "A", "agent")]
    fact = only_fact(chat, shop_settings(max_wait_minutes=minutes))
    assert (fact["replied"], fact["rounds"]) == (True, 1)
    assert fact["response_count"] == (1 if counted else 0)
    assert fact["response_ms_sum"] == (pause if counted else 0)
    assert fact["first_response_ms"] == (pause if counted else None)


def test_a_response_that_does_not_count_answers_and_the_first_that_counts_is_the_first() -> None:
    chat = [
        message(NOON, "A", "buyer"),
        message(NOON + 10 * MINUTE_MS, "A", "agent"),
        message(NOON + 11 * MINUTE_MS, "A", "agent"),
        *chat_of("A", NOON + HOUR_MS),
        message(NOON + 2 * HOUR_MS, "A", "buyer"),
        message(NOON + 2 * HOUR_MS + SECOND_MS, "A", "agent"),
    ]
    fact = only_fact(chat)
    assert (fact["first_response_ms"], fact["response_ms_sum"], fact["response_count"]) == (60_000, 61_000, 2)


@pytest.mark.parametrize(
    ("pauses", "slow"),
    [
        *(([pause] * 3, pause > 120 * SECOND_MS) for pause in around(120 * SECOND_MS)),
        *(([121 * SECOND_MS] * times, times >= 3) for times in (2, 3, 4)),
        ([121 * SECOND_MS, SECOND_MS, 121 * SECOND_MS, SECOND_MS, 121 * SECOND_MS], True),
        ([121 * SECOND_MS, 121 * SECOND_MS, 10 * MINUTE_MS], False),  # the last does not count
    ],
)
def test_a_reception_is_slow_by_so_many_responses_longer_than_so_long(
    pauses: list[int], *, slow: bool
) -> None:
    assert only_fact(answered_after(*pauses))["slow"] is slow


def test_seconds_and_times_of_slow_responses_are_settings() -> None:
    chat = answered_after(6 * SECOND_MS)
    assert only_fact(chat, shop_settings(slow_response={"seconds": 5, "times": 1}))["slow"]
    assert not only_fact(chat, shop_settings(slow_response={"seconds": 6, "times": 1}))["slow"]
    assert not only_fact(chat, shop_settings(slow_response={"seconds": 5}))["slow"]
