"""What is recorded of one reception (RULEBOOK 8), and every boundary of it."""

from __future__ import annotations

import pytest

from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.facts import facts
from tests.reference.shorthand import (
    DAY_MS,
    MIDNIGHT,
    NOON,
    NOT_CARRIED,
    SECOND_MS,
    TODAY,
    Json,
    around,
    chat_of,
    message,
    order,
    rating,
    role,
    shop_settings,
    transfer,
)


def only_fact(
    chat: list[Json],
    settings: list[Json] | None = None,
    roster: list[Json] | None = None,
    watermark: int | None = None,
) -> Json:
    (fact,) = facts(chat, [], settings or [], roster or [], watermark).values()
    return fact


def test_a_complete_fact() -> None:
    chat = [
        message(NOON, "A", "buyer", text="在吗", entry="product_page", product_id="p-1"),
        message(NOON + 5 * SECOND_MS, "A", "buyer"),
        message(NOON + 8 * SECOND_MS, "A", "agent", text="您好!"),
        message(NOON + 60 * SECOND_MS, "A", "buyer"),
        message(NOON + 90 * SECOND_MS, "A", "agent", text_length=40),
        message(NOON + 95 * SECOND_MS, "A", "agent", kind="image"),
        transfer(NOON + 99 * SECOND_MS, "A", "B"),
    ]
    (key,) = facts(chat, [], NOT_CARRIED, [], NOON)
    assert key == ("jd:1", "b-1", "A", TODAY)
    assert only_fact(chat, NOT_CARRIED, watermark=NOON) == {
        "shop_id": "jd:1",
        "buyer_id": "b-1",
        "agent_id": "A",
        "day": TODAY,
        "status": "pending",
        "first_ts": NOON,
        "last_ts": NOON + 95 * SECOND_MS,
        "initiator": "buyer",
        "buyer_messages": 3,
        "agent_messages": 3,
        "agent_characters": 43,
        "rounds": 2,
        "replied": True,
        "first_response_ms": 8 * SECOND_MS,
        "response_ms_sum": 38 * SECOND_MS,
        "response_count": 2,
        "slow": False,
        "duration_ms": 95 * SECOND_MS,
        "effective_conversation": True,
        "product_page": True,
        "transferred": True,
        "handed_over": False,
        "rating": None,
        "presence": [[NOON - 2 * MINUTE_MS, NOON + 215 * SECOND_MS]],
        "filtered": None,
        "role": "presale",
        "final_at": MIDNIGHT + DAY_MS,
    }


def test_system_messages_transfers_ratings_and_orders_make_no_reception_and_move_none() -> None:
    passed_over = [
        message(NOON - 2, "A", "agent", kind="system"),
        transfer(NOON - 1, "A", "B"),
        rating(5, NOON - 1),
        transfer(NOON + 2, "A", "B"),
        rating(5, NOON + 2),
        message(NOON + 3, "A", "buyer", kind="system"),
    ]
    assert facts(passed_over, [order("created", NOON)], NOT_CARRIED, [], None) == {}
    said = [message(NOON, "A", "buyer"), message(NOON + 1, "A", "agent")]
    fact = only_fact([*passed_over, *said], NOT_CARRIED)
    assert (fact["first_ts"], fact["last_ts"], fact["initiator"]) == (NOON, NOON + 1, "buyer")


def test_a_repeated_event_counts_once() -> None:
    chat = chat_of("A", NOON)
    assert only_fact(chat + chat) == only_fact(chat)


@pytest.mark.parametrize(
    ("watermark", "status"),
    [
        *zip(around(MIDNIGHT + DAY_MS), ("pending", "final", "final"), strict=True),
        (None, "final"),
    ],
)
def test_a_fact_is_final_when_its_day_is_over(watermark: int | None, status: str) -> None:
    fact = only_fact(chat_of("A", NOON), watermark=watermark)
    assert (fact["status"], fact["final_at"]) == (status, MIDNIGHT + DAY_MS)


@pytest.mark.parametrize(
    ("ts", "day"),
    [*zip(around(MIDNIGHT + DAY_MS), ("2026-11-01", "2026-11-02", "2026-11-02"), strict=True)],
)
def test_a_reception_belongs_to_the_natural_day_of_the_shop(ts: int, day: str) -> None:
    assert only_fact([message(ts, "A", "buyer")])["day"] == day


def test_the_day_is_that_of_the_shops_own_time_zone() -> None:
    fact = only_fact([message(MIDNIGHT, "A", "buyer")], shop_settings(timezone="UTC"))
    assert (fact["day"], fact["final_at"]) == ("2026-10-31", MIDNIGHT + 8 * HOUR_MS)


def test_where_no_question_is_carried_midnight_parts_an_answer_from_its_question() -> None:
    chat = [message(MIDNIGHT + DAY_MS - 1, "A", "buyer"), message(MIDNIGHT + DAY_MS, "A", "agent")]
    found = {day: fact for (*_, day), fact in facts(chat, [], NOT_CARRIED, [], None).items()}
    assert {day: fact["response_count"] for day, fact in found.items()} == {"2026-11-01": 0, "2026-11-02": 0}
    assert {day: fact["initiator"] for day, fact in found.items()} == {
        "2026-11-01": "buyer",
        "2026-11-02": "agent",
    }


@pytest.mark.parametrize(
    ("first", "initiator"),
    [
        (message(NOON - 1, "A", "agent", kind="broadcast"), "agent"),
        (message(NOON - 1, "A", "agent", text=" "), "agent"),
        (message(NOON - 1, "A", "buyer", text=""), "buyer"),
        (message(NOON, "A", "agent"), "buyer"),  # at one time the buyer comes before the agent
    ],
)
def test_the_sender_of_the_first_message_of_whatever_kind_initiates(first: Json, initiator: str) -> None:
    assert only_fact([first, message(NOON, "A", "buyer")])["initiator"] == initiator


def test_of_the_buyer_all_messages_count_and_of_the_agent_the_effective_ones() -> None:
    chat = [
        message(NOON, "A", "buyer", text=""),
        message(NOON + 1, "A", "buyer", text_length=0),
        message(NOON + 2, "A", "buyer", kind="image"),
        message(NOON + 3, "A", "agent", kind="broadcast", text="12345"),
        message(NOON + 4, "A", "agent", text=" \n"),
        message(NOON + 5, "A", "agent", kind="auto_reply", text="1234"),
        message(NOON + 6, "A", "agent", text="^123"),
        message(NOON + 7, "A", "agent", kind="card", text=""),
    ]
    off, on = only_fact(chat), only_fact(chat, shop_settings(auto_reply={"identify": True, "prefix": "^"}))
    names = ("buyer_messages", "agent_messages", "agent_characters", "rounds", "first_response_ms")
    assert [off[name] for name in names] == [3, 3, 8, 1, 5]
    assert [on[name] for name in names] == [3, 1, 0, 1, 7]
    assert (on["first_ts"], on["last_ts"], on["duration_ms"]) == (NOON, NOON + 7, 7)


@pytest.mark.parametrize(
    ("more", "characters"),
    [
        ({"text": "好的👍"}, 3),
        ({"text": "e\u0301"}, 2),
        ({"text": " a "}, 3),
        ({"text": "abc", "text_length": 9}, 3),
        ({"text_length": 9}, 9),
        ({"kind": "image", "text": "", "text_length": 9}, 0),
        ({}, 0),
    ],
)
def test_characters_are_the_code_points_of_the_text_else_the_length_sent(more: Json, characters: int) -> None:
    fact = only_fact([message(NOON, "A", "buyer", text="??"), message(NOON + 1, "A", "agent", **more)])
    assert (fact["agent_messages"], fact["agent_characters"]) == (1, characters)


def test_a_round_is_an_answer_right_after_the_buyer_whatever_was_not_effective_between() -> None:
    chat = [
        message(NOON, "A", "agent"),
        message(NOON + 1, "A", "buyer"),
        message(NOON + 2, "A", "buyer"),
        message(NOON + 3, "A", "agent", kind="broadcast"),
        message(NOON + 4, "A", "agent"),
        message(NOON + 5, "A", "agent"),
        message(NOON + 6, "A", "buyer"),
        message(NOON + 6, "A", "agent"),
    ]
    assert only_fact(chat)["rounds"] == 2


@pytest.mark.parametrize(
    ("answer", "replied"),
    [
        *((message(ts, "A", "agent"), ts >= NOON) for ts in around(NOON)),
        (message(NOON + 1, "A", "agent", kind="broadcast"), False),
        (message(NOON + 1, "B", "agent"), False),
    ],
)
def test_replied_is_an_effective_answer_after_the_first_message_of_the_buyer(
    answer: Json, *, replied: bool
) -> None:
    found = facts([message(NOON, "A", "buyer"), answer], [], [], [], None)
    assert found["jd:1", "b-1", "A", TODAY]["replied"] is replied


def test_without_a_message_of_the_buyer_nothing_is_replied() -> None:
    fact = only_fact([message(NOON, "A", "agent"), message(NOON + 1, "A", "agent")])
    assert (fact["replied"], fact["first_response_ms"], fact["rounds"]) == (False, None, 0)


@pytest.mark.parametrize("duration_ms", around(30 * SECOND_MS))
def test_a_conversation_is_effective_from_thirty_seconds_on(duration_ms: int) -> None:
    fact = only_fact([message(NOON, "A", "buyer"), message(NOON + duration_ms, "A", "buyer")])
    assert fact["duration_ms"] == duration_ms
    assert fact["effective_conversation"] is (duration_ms >= 30 * SECOND_MS)


@pytest.mark.parametrize(
    ("sender", "entry", "product_page"),
    [
        ("buyer", "product_page", True),
        ("buyer", "order_page", False),
        ("agent", "product_page", False),
    ],
)
def test_the_product_page_is_an_entry_of_the_buyer(sender: str, entry: str, *, product_page: bool) -> None:
    chat = [message(NOON, "A", "buyer"), message(NOON + 1, "A", sender, entry=entry)]
    assert only_fact(chat)["product_page"] is product_page


@pytest.mark.parametrize(
    ("handover", "transferred"),
    [
        *((transfer(ts, "A", "B"), ts >= MIDNIGHT) for ts in around(MIDNIGHT)),
        *((transfer(ts, "A", "B"), ts < MIDNIGHT + DAY_MS) for ts in around(MIDNIGHT + DAY_MS)),
        (transfer(NOON, "B", "A"), False),
        (transfer(NOON, "A", "B", "b-2"), False),
    ],
)
def test_transferred_is_a_reception_whose_agent_handed_the_buyer_over_that_day(
    handover: Json, *, transferred: bool
) -> None:
    fact = only_fact([message(NOON, "A", "buyer"), handover], NOT_CARRIED)
    assert fact["transferred"] is transferred


def test_role_and_settings_are_those_of_the_receptions_day() -> None:
    tomorrow = "2026-11-02"
    chat = [m for start in (NOON, NOON + DAY_MS) for m in chat_of("A", start)]
    settings = [
        *shop_settings(unlisted_agents="frozen"),
        {"shop_id": "jd:1", "effective_from": tomorrow, "max_wait_minutes": 1},
    ]

    def roles_of(roster: list[Json]) -> list[tuple[str, int]]:
        found = facts(chat, [], settings, roster, None).values()
        return [(fact["role"], fact["response_count"]) for fact in found]

    assert roles_of([]) == [("frozen", 1), ("presale", 0)]
    assert roles_of([role("A", "aftersale", tomorrow)]) == [("frozen", 1), ("aftersale", 0)]
    assert roles_of([role("A", "presale"), role("A", "frozen", tomorrow)]) == [("presale", 1), ("frozen", 0)]


def test_another_shops_events_settings_and_roster_do_not_bear_on_a_fact() -> None:
    chat = chat_of("A", NOON)
    others = [{**e, "shop_id": "jd:2"} for e in chat_of("A", NOON)]
    settings = [{"shop_id": "jd:2", "effective_from": "2026-01-01", "max_wait_minutes": 1}]
    roster = [{**role("A", "frozen"), "shop_id": "jd:2"}]
    found = facts([*chat, *others], [], settings, roster, None)
    assert found["jd:1", "b-1", "A", TODAY] == only_fact(chat)
    assert len(found) == 2
