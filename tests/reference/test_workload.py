"""What an agent, and a shop, had to do on one day (RULEBOOK 8)."""

from __future__ import annotations

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    SECOND_MS,
    TODAY,
    Json,
    around,
    chat_of,
    message,
    shop_settings,
    transfer,
)

TALKATIVE = shop_settings(filters={"monologue": {"enabled": False}})
AT_WORK = message(MIDNIGHT + DAY_MS - 1, "A", "agent", "b-9")
"""A is not offline today; what it says here is a monologue, and filtered."""


def workload(chat: list[Json], agent_id: str = "*", settings: list[Json] | None = None) -> Json:
    group: Json = agent_days(chat, [], settings or [], [], None)["jd:1", agent_id, TODAY]["workload"]
    return group


def responding(agent_id: str, buyer_id: str, *responses_ms: int) -> list[Json]:
    """The buyer asks every hour, and the agent responds in these times."""
    return [
        m
        for hours, response_ms in enumerate(responses_ms)
        for m in (
            message(NOON + hours * HOUR_MS, agent_id, "buyer", buyer_id),
            message(NOON + hours * HOUR_MS + response_ms, agent_id, "agent", buyer_id),
        )
    ]


def test_a_filtered_reception_is_a_consult_and_nothing_else() -> None:
    chat = chat_of("A", NOON) + responding("A", "b-2", 5, 5) + [transfer(NOON, "A", "B", "b-2")]
    of_both = workload(chat, "A", shop_settings(filters={"forwarded": {"enabled": False}}))
    of_one = workload(chat, "A")
    assert (of_both["consults"], of_both["receptions"], of_both["buyer_messages"]) == (2, 2, 3)
    assert of_one == {**workload(chat_of("A", NOON), "A"), "consults": 2}


def test_an_agents_day_of_filtered_receptions_alone_has_no_rates() -> None:
    assert workload([AT_WORK], "A") == {
        "status": "final",
        "final_from": "2026-11-02",
        "consults": 1,
        "receptions": 0,
        "unreplied": 0,
        "reply_rate": None,
        "buyer_messages": 0,
        "agent_messages": 0,
        "answer_question_ratio": None,
        "agent_characters": 0,
        "first_response_ms": None,
        "first_response_ms_sum": 0,
        "first_responses": 0,
        "response_ms": None,
        "response_ms_sum": 0,
        "responses": 0,
        "slow_receptions": 0,
        "ratings": 0,
        "satisfied": 0,
        "satisfaction": None,
        "max_simultaneous": 0,
    }


def test_a_buyer_served_by_two_agents_counts_once_in_the_shop() -> None:
    chat = chat_of("A", NOON) + chat_of("B", NOON + HOUR_MS) + chat_of("B", NOON, "b-2")
    assert [workload(chat, a)["consults"] for a in ("A", "B", "*")] == [1, 2, 2]
    assert [workload(chat, a)["receptions"] for a in ("A", "B", "*")] == [1, 2, 2]
    assert [workload(chat, a)["buyer_messages"] for a in ("A", "B", "*")] == [1, 2, 3]


def test_unreplied_is_a_buyer_who_wrote_in_vain() -> None:
    chat = [
        AT_WORK,
        *chat_of("A", NOON, "b-1"),
        *chat_of("A", NOON, "b-2"),
        message(NOON, "A", "buyer", "b-3"),
        *(message(NOON, "A", "buyer", "b-4", text=""), message(NOON, "A", "buyer", "b-4", event_id="x")),
    ]
    found = workload(chat, "A")
    assert (found["receptions"], found["unreplied"], found["reply_rate"]) == (4, 2, 0.5)


def test_a_buyer_who_wrote_nothing_is_not_unreplied() -> None:
    found = workload([message(NOON, "A", "agent")], "A", TALKATIVE)
    assert (found["receptions"], found["unreplied"], found["reply_rate"]) == (1, 0, 1.0)
    assert found["answer_question_ratio"] is None


def test_in_the_shop_a_buyer_whom_somebody_replied_to_is_not_unreplied() -> None:
    asked = [AT_WORK, message(NOON, "A", "buyer")]
    replied = asked + chat_of("B", NOON)
    assert [workload(replied, a)["unreplied"] for a in ("A", "B", "*")] == [1, 0, 0]
    addressed = [*asked, message(NOON, "B", "agent")]
    assert [workload(addressed, a, TALKATIVE)["unreplied"] for a in ("A", "B", "*")] == [1, 0, 1]


def test_what_a_buyer_wrote_in_a_filtered_reception_leaves_nobody_unreplied() -> None:
    offline = [message(NOON, "A", "buyer"), message(NOON, "B", "agent")]
    found = workload(offline, "*", TALKATIVE)
    assert (found["consults"], found["receptions"], found["unreplied"], found["reply_rate"]) == (1, 1, 0, 1.0)


def test_rates_have_four_places() -> None:
    in_vain = [message(NOON, "A", "buyer", buyer_id) for buyer_id in ("b-2", "b-3")]
    found = workload([AT_WORK, *chat_of("A", NOON), *in_vain], "A")
    assert (found["reply_rate"], found["answer_question_ratio"]) == (0.3333, 0.3333)
    found = workload([AT_WORK, *chat_of("A", NOON), *chat_of("A", NOON, "b-2"), in_vain[1]], "A")
    assert (found["reply_rate"], found["answer_question_ratio"]) == (0.6667, 0.6667)


@pytest.mark.parametrize(
    ("firsts", "mean_ms"),
    [((1, 2), 2), ((1, 1, 2), 1), ((1, 2, 2), 2), ((4, 4), 4), ((0, 0), 0), ((0, 1), 1)],
)
def test_the_first_response_is_the_mean_of_the_receptions_half_up(
    firsts: tuple[int, ...], mean_ms: int
) -> None:
    chat = [m for n, first in enumerate(firsts) for m in responding("A", f"b-{n}", first, SECOND_MS)]
    assert workload(chat, "A")["first_response_ms"] == mean_ms
    without = [*chat, message(NOON, "A", "buyer", "b-8"), *responding("A", "b-9", 10 * MINUTE_MS)]
    assert workload(without, "A")["first_response_ms"] == mean_ms


def test_the_average_response_is_of_all_responses_of_all_receptions_half_up() -> None:
    chat = responding("A", "b-1", 1, 2, 3) + responding("A", "b-2", 4) + responding("B", "b-1", 5)
    found = {agent_id: workload(chat, agent_id) for agent_id in ("A", "B", "*")}
    assert {agent_id: day["response_ms"] for agent_id, day in found.items()} == {"A": 3, "B": 5, "*": 3}
    assert {agent_id: day["first_response_ms"] for agent_id, day in found.items()} == {"A": 3, "B": 5, "*": 3}


def test_slow_receptions_are_receptions_and_not_buyers_in_the_shop_too() -> None:
    slow = [121 * SECOND_MS] * 3
    chat = responding("A", "b-1", *slow) + responding("B", "b-1", *slow) + responding("B", "b-2", *slow[:2])
    assert [workload(chat, a)["slow_receptions"] for a in ("A", "B", "*")] == [1, 1, 2]


@pytest.mark.parametrize("gap", around(4 * MINUTE_MS))
def test_buyers_are_present_from_two_minutes_before_to_two_minutes_after_inclusive(gap: int) -> None:
    chat = [AT_WORK, message(NOON, "A", "buyer", "b-1"), message(NOON + gap, "A", "buyer", "b-2")]
    expected = 2 if gap <= 4 * MINUTE_MS else 1
    assert workload(chat, "A")["max_simultaneous"] == expected
    assert workload(chat, "*")["max_simultaneous"] == expected


def test_a_buyer_is_present_around_each_of_its_messages_and_not_between() -> None:
    chat = [
        AT_WORK,
        *(message(ts, "A", "buyer", "b-1") for ts in (NOON, NOON + HOUR_MS)),
        message(NOON + HOUR_MS // 2, "A", "buyer", "b-2"),
    ]
    assert workload(chat, "A")["max_simultaneous"] == 1
    often = [message(NOON + 1, "A", "buyer", "b-1"), message(NOON + 2, "A", "agent", "b-1")]
    assert workload(chat + often, "A")["max_simultaneous"] == 1


def test_the_most_are_counted_at_one_time_and_not_around_one_buyer() -> None:
    # b-2 meets b-1 and b-3, who do not meet.
    chat = [AT_WORK, *(message(NOON + n * 3 * MINUTE_MS, "A", "buyer", f"b-{n}") for n in (1, 2, 3))]
    assert workload(chat, "A")["max_simultaneous"] == 2
    assert workload([*chat, message(NOON + 7 * MINUTE_MS, "A", "buyer", "b-4")], "A")["max_simultaneous"] == 3


@pytest.mark.parametrize(
    ("extra", "most"),
    [
        (message(NOON + MINUTE_MS, "A", "agent", "b-2", kind="broadcast"), 2),
        (message(NOON + MINUTE_MS, "A", "buyer", "b-2", text=""), 2),
        (message(NOON + MINUTE_MS, "A", "agent", "b-2", kind="system"), 1),
        (transfer(NOON + MINUTE_MS, "B", "A", "b-2"), 1),
    ],
)
def test_a_buyer_is_present_by_any_message_of_either_side(extra: Json, most: int) -> None:
    chat = [AT_WORK, message(NOON, "A", "buyer", "b-1"), message(NOON + HOUR_MS, "A", "buyer", "b-2"), extra]
    assert workload(chat, "A")["max_simultaneous"] == most


def test_a_buyer_is_present_in_unfiltered_receptions_only() -> None:
    chat = chat_of("A", NOON) + chat_of("A", NOON, "b-2")
    assert workload(chat, "A")["max_simultaneous"] == 2
    assert workload([*chat, transfer(NOON, "A", "B", "b-2")], "A")["max_simultaneous"] == 1


def test_a_buyer_present_with_two_agents_is_one_buyer_of_the_shop() -> None:
    one = chat_of("A", NOON) + chat_of("B", NOON)
    assert [workload(one, a)["max_simultaneous"] for a in ("A", "B", "*")] == [1, 1, 1]
    two = one + chat_of("B", NOON + 3 * MINUTE_MS, "b-2")
    assert [workload(two, a)["max_simultaneous"] for a in ("A", "B", "*")] == [1, 2, 2]
    apart = chat_of("A", NOON) + chat_of("B", NOON, "b-2")
    assert [workload(apart, a)["max_simultaneous"] for a in ("A", "B", "*")] == [1, 1, 2]


def test_presence_is_that_of_the_days_own_receptions() -> None:
    chat = [
        m
        for ts, buyer_id in ((MIDNIGHT - MINUTE_MS, "b-1"), (MIDNIGHT, "b-2"))
        for m in chat_of("A", ts, buyer_id)
    ]
    chat[1]["ts"] = MIDNIGHT - 1
    assert workload(chat, "A")["max_simultaneous"] == 1
