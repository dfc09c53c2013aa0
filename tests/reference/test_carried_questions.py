"""Questions put to a colleague, or just before midnight (RULEBOOK 4), by hand."""

from __future__ import annotations

import pytest

from tests.reference.agent_days import agent_days
from tests.reference.days import HOUR_MS, MINUTE_MS
from tests.reference.facts import facts
from tests.reference.inquiries import inquiries
from tests.reference.model import judge
from tests.reference.shorthand import (
    CARRIED,
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
    role,
    shop_settings,
    transfer,
)

TEN = MIDNIGHT + 10 * HOUR_MS
NEXT_MIDNIGHT = MIDNIGHT + DAY_MS
TOMORROW = "2026-11-02"
LATE_SHIFT = [message(NEXT_MIDNIGHT - 1, agent_id, "agent", "b-9") for agent_id in ("A", "B")]
"""Neither agent is offline today."""


def fact_of(
    chat: list[Json],
    agent_id: str = "B",
    day: str = TODAY,
    settings: list[Json] | None = None,
    roster: list[Json] | None = None,
) -> Json:
    found = facts([*chat, *LATE_SHIFT], [], CARRIED if settings is None else settings, roster or [], None)
    return found["jd:1", "b-1", agent_id, day]


def decision_on(chat: list[Json], created_ts: int, settings: list[Json] | None = None) -> Json:
    (decision,) = judge(
        chat, [order("created", created_ts)], CARRIED if settings is None else settings, [], None
    ).values()
    return decision


def named(record: Json, *names: str) -> list[object]:
    return [record[name] for name in names]


# Handed over

HANDED_OVER = [
    message(TEN, "R", "buyer"),
    transfer(TEN + MINUTE_MS, "R", "B"),
    message(TEN + 90 * SECOND_MS, "B", "agent"),
    message(TEN + 2 * MINUTE_MS, "B", "agent"),
]
ROUNDS = ("filtered", "initiator", "rounds", "first_response_ms", "replied", "handed_over")


def test_worked_example_of_a_buyer_handed_over() -> None:
    assert named(fact_of(HANDED_OVER), *ROUNDS) == [None, "buyer", 1, 30 * SECOND_MS, True, True]
    decision = decision_on(HANDED_OVER, TEN + 5 * MINUTE_MS)
    assert named(decision["placing"], "agent_id", "rounds") == ["B", 1]

    fact = fact_of(HANDED_OVER, settings=NOT_CARRIED)
    assert named(fact, *ROUNDS) == ["monologue", "agent", 0, None, False, False]
    decision = decision_on(HANDED_OVER, TEN + 5 * MINUTE_MS, NOT_CARRIED)
    assert (decision["placing"], decision["silence"]) == (None, None)


def test_carried_questions_are_on_unless_a_shop_says_otherwise() -> None:
    assert fact_of(HANDED_OVER, settings=[])["handed_over"]
    assert not fact_of(HANDED_OVER, settings=NOT_CARRIED)["handed_over"]


def test_a_question_counts_in_no_number_of_messages_and_for_no_time() -> None:
    fact = fact_of(HANDED_OVER)
    assert named(fact, "buyer_messages", "agent_messages") == [0, 2]
    assert named(fact, "first_ts", "last_ts", "duration_ms") == [
        TEN + 90 * SECOND_MS,
        TEN + 2 * MINUTE_MS,
        30 * SECOND_MS,
    ]
    assert fact["presence"] == [[TEN - 30 * SECOND_MS, TEN + 4 * MINUTE_MS]]


def test_a_reception_handed_over_in_vain_is_there_and_unreplied() -> None:
    chat = [
        message(TEN, "R", "buyer"),
        transfer(TEN + MINUTE_MS, "R", "B"),
        transfer(TEN + 3 * MINUTE_MS, "A", "B"),
        transfer(TEN + 2 * MINUTE_MS, "C", "B"),
    ]
    fact = fact_of(chat)
    assert named(fact, *ROUNDS) == [None, "buyer", 0, None, False, True]
    assert named(fact, "first_ts", "last_ts", "duration_ms", "presence") == [
        TEN + MINUTE_MS,
        TEN + 3 * MINUTE_MS,
        2 * MINUTE_MS,
        [],
    ]
    assert fact["effective_conversation"]
    counts = ("buyer_messages", "agent_messages", "agent_characters", "response_count", "response_ms_sum")
    assert named(fact, *counts) == [0, 0, 0, 0, 0]
    day = agent_days([*chat, *LATE_SHIFT], [], CARRIED, [], None)["jd:1", "B", TODAY]["workload"]
    assert named(day, "consults", "receptions", "unreplied", "max_simultaneous") == [2, 1, 1, 0]


def test_where_questions_are_not_carried_a_transfer_makes_no_reception() -> None:
    chat = [message(TEN, "R", "buyer"), transfer(TEN + MINUTE_MS, "R", "B")]
    assert [key[2] for key in facts(chat, [], NOT_CARRIED, [], None)] == ["R"]
    assert [key[2] for key in facts(chat, [], CARRIED, [], None)] == ["B", "R"]


@pytest.mark.parametrize("text", ["", "\u200b"])
def test_a_reception_that_was_handed_over_is_not_empty(text: str) -> None:
    chat = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "buyer", text=text)]
    assert fact_of(chat)["filtered"] is None
    assert fact_of(chat, settings=NOT_CARRIED)["filtered"] == "empty"


@pytest.mark.parametrize("ts", around(TEN))
def test_a_question_comes_before_what_is_said_at_its_time(ts: int) -> None:
    chat = [transfer(TEN, "R", "B"), message(ts, "B", "agent"), message(TEN + 2, "B", "buyer")]
    fact = fact_of(chat)
    assert fact["initiator"] == ("agent" if ts < TEN else "buyer")
    assert named(fact, "rounds", "first_response_ms") == ([0, None] if ts < TEN else [1, ts - TEN])


def test_a_question_before_a_question_of_the_buyer_waits_longer() -> None:
    chat = [
        message(TEN + 2, "B", "buyer"),
        transfer(TEN, "R", "B"),
        message(TEN + 5, "B", "agent"),
        transfer(TEN + 6, "R", "B"),
        message(TEN + 10, "B", "agent"),
        message(TEN + 11, "B", "agent"),
    ]
    fact = fact_of(chat)
    assert named(fact, "rounds", "response_count", "response_ms_sum", "first_response_ms") == [2, 2, 9, 5]


def test_a_broadcast_does_not_answer_and_a_reception_of_broadcasts_alone_is_filtered() -> None:
    chat = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "agent", kind="broadcast")]
    assert named(fact_of(chat), "filtered", "replied") == ["broadcast", False]
    chat.append(message(TEN + 2, "B", "buyer"))
    assert named(fact_of(chat), "filtered", "replied") == [None, False]


@pytest.mark.parametrize(("replies", "filtered"), [(0, "forwarded"), (1, "forwarded"), (2, None)])
def test_who_hands_on_a_buyer_handed_over_has_forwarded_it(replies: int, filtered: str | None) -> None:
    chat = [transfer(TEN, "R", "B"), transfer(TEN + MINUTE_MS, "B", "A")]
    chat += [message(TEN + 1 + n, "B", "agent") for n in range(replies)]
    assert fact_of(chat)["filtered"] == filtered
    assert fact_of(chat, "A")["handed_over"]


def test_a_single_sentence_may_follow_a_question_but_is_not_one() -> None:
    settings = shop_settings(
        filters={"single_sentence": {"enabled": True, "min_replies": 2}, "monologue": {"enabled": False}}
    )
    none = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "agent"), message(TEN + 3, "B", "agent")]
    one = [*none, message(TEN + 2, "B", "buyer"), message(TEN + 4, "B", "agent")]
    two = [*one, message(TEN + 5, "B", "buyer")]
    for chat, filtered in ((none, None), (one, "single_sentence"), (two, None)):
        assert fact_of(chat, settings=settings)["filtered"] == filtered
    by_agent = [e for e in one if "type" not in e]  # the agent began, and no question came before
    assert fact_of(by_agent, settings=settings)["filtered"] is None


def test_an_agent_who_began_before_the_transfer_may_speak_a_monologue() -> None:
    chat = [message(TEN - 1, "B", "agent"), transfer(TEN, "R", "B"), message(TEN + 1, "B", "agent")]
    assert named(fact_of(chat), "filtered", "rounds", "replied") == ["monologue", 1, True]


@pytest.mark.parametrize("ts", around(TEN))
def test_an_agent_who_said_nothing_after_the_transfer_was_offline(ts: int) -> None:
    chat = [transfer(TEN, "R", "C"), message(ts, "C", "agent", "b-9")]
    assert fact_of(chat, "C")["filtered"] == ("agent_offline" if ts < TEN else None)


def test_settings_are_those_of_the_receptions_day() -> None:
    chat = [transfer(ts, "R", "B") for ts in (TEN, TEN + DAY_MS)]
    chat += [message(ts + 1, "B", "agent") for ts in (TEN, TEN + DAY_MS)]
    settings = [*NOT_CARRIED, {"shop_id": "jd:1", "effective_from": TOMORROW, "carried_questions": True}]
    assert not fact_of(chat, settings=settings)["handed_over"]
    assert fact_of(chat, day=TOMORROW, settings=settings)["handed_over"]


@pytest.mark.parametrize("ts", around(NEXT_MIDNIGHT))
def test_a_transfer_belongs_to_its_own_day(ts: int) -> None:
    chat = [transfer(ts, "R", "B"), message(NEXT_MIDNIGHT + 2, "B", "agent")]
    settings = shop_settings(max_wait_minutes=1)
    found = facts(chat, [], settings, [], None)
    days = {
        day: named(fact, "handed_over", "initiator")
        for (*_, agent, day), fact in found.items()
        if agent == "B"
    }
    if ts < NEXT_MIDNIGHT:
        assert days == {TODAY: [True, "buyer"], TOMORROW: [False, "buyer"]}  # carried past midnight
    else:
        assert days == {TOMORROW: [True, "buyer"]}


def test_rounds_of_an_interval_count_questions_inside_it_alone() -> None:
    rounds = shop_settings(validity={"hours": 24})
    for created_ts, count in zip(around(TEN + DAY_MS), (1, 1, 0), strict=True):
        chat = [transfer(TEN, "R", "B"), message(TEN + 2, "B", "agent")]
        decision = decision_on(chat, created_ts, rounds)
        assert named(decision["placing"], "rounds", "last_ts") == [count, TEN + 2]
        assert named(decision["candidates"][0]["placing"], "messages", "first_ts") == [1, TEN + 2]


def test_a_question_in_a_filtered_reception_makes_no_round() -> None:
    chat = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "agent")]
    assert decision_on(chat, NOON)["placing"]["agent_id"] == "B"
    assert decision_on([*chat, transfer(TEN + 2, "B", "C")], NOON)["placing"] is None


def test_a_question_alone_makes_nobody_a_candidate_nor_a_follow_up() -> None:
    chat = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "buyer")]
    assert decision_on(chat, NOON)["placing"] is None
    settings = shop_settings(silent_followup={"buyer_initiated": True, "agent_initiated": True})
    chat = [transfer(NOON + 1, "R", "B"), message(NOON + 2, "B", "agent")]
    orders = [order("created", NOON), order("paid", NOON)]
    (decision,) = judge(chat, orders, settings, [], None).values()
    assert decision["outcome"] == "silent"
    (decision,) = judge([*chat, message(NOON + 3, "B", "buyer")], orders, settings, [], None).values()
    assert decision["candidates"][0]["followup"]["initiator"] == "agent"
    assert decision["candidates"][0]["followup"]["rounds"] == 1


def test_who_was_handed_a_buyer_in_vain_has_an_inquiry_from_the_transfer_on() -> None:
    chat = [transfer(TEN, "R", "B"), transfer(TEN + MINUTE_MS, "R", "B"), *LATE_SHIFT]
    for created_ts, kind in zip(around(TEN), ("follow_up", "self_ordered", "self_ordered"), strict=True):
        record = inquiries(chat, [order("created", created_ts)], CARRIED, [], None)["jd:1", "b-1", "B", TODAY]
        assert record["kind"] == kind
    record = inquiries(chat, [], CARRIED, [], None)["jd:1", "b-1", "B", TODAY]
    assert named(record, "kind", "outcome") == ["inquiry", "lost"]


def test_roles_and_fixed_filters_are_those_of_a_reception_handed_over_in_vain_too() -> None:
    chat = [transfer(TEN, "R", "B")]
    assert fact_of(chat, roster=[role("B", "aftersale")])["role"] == "aftersale"
    assert fact_of(chat, roster=[role("b-1", "presale")])["filtered"] == "own_account"
    official = shop_settings(official_accounts=["b-1"])
    assert fact_of(chat, settings=official)["filtered"] == "official_account"


def test_profiles_carry_questions_by_their_own_setting() -> None:
    settings = shop_settings(profiles={"strict": {"carried_questions": False}})
    chat = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "agent")]
    found = judge(chat, [order("created", NOON)], settings, [], None)
    placing = {profile: decision["placing"] for (*_, profile), decision in found.items()}
    assert placing["strict"] is None
    assert placing["official"]["agent_id"] == "B"


# Past midnight

ASKED = message(NEXT_MIDNIGHT - 10 * SECOND_MS, "A", "buyer")
ANSWERED = message(NEXT_MIDNIGHT + 20 * SECOND_MS, "A", "agent")


def tomorrow(chat: list[Json], settings: list[Json] | None = None) -> Json:
    return facts(chat, [], CARRIED if settings is None else settings, [], None)["jd:1", "b-1", "A", TOMORROW]


def test_worked_example_of_a_question_past_midnight() -> None:
    chat = [ASKED, ANSWERED]
    fact = tomorrow(chat)
    assert named(fact, "initiator", "first_response_ms", "filtered") == ["buyer", 30 * SECOND_MS, None]
    assert named(fact, "rounds", "replied", "buyer_messages", "handed_over") == [1, True, 0, False]
    decision = decision_on(chat, NEXT_MIDNIGHT + 5 * MINUTE_MS)
    assert named(decision["placing"], "agent_id", "rounds") == ["A", 1]
    today = facts(chat, [], CARRIED, [], None)["jd:1", "b-1", "A", TODAY]
    assert named(today, "replied", "filtered") == [False, "agent_offline"]
    at_work = [*chat, message(NEXT_MIDNIGHT - 1, "A", "agent", "b-9")]
    today = facts(at_work, [], CARRIED, [], None)["jd:1", "b-1", "A", TODAY]
    assert named(today, "replied", "filtered") == [False, None]
    assert decision_on(chat, NEXT_MIDNIGHT + 5 * MINUTE_MS, NOT_CARRIED)["placing"] is None  # a monologue


def test_the_response_runs_from_the_first_question_left_unanswered() -> None:
    chat = [
        message(NEXT_MIDNIGHT - 50 * SECOND_MS, "A", "buyer"),
        message(NEXT_MIDNIGHT - 40 * SECOND_MS, "A", "agent"),
        message(NEXT_MIDNIGHT - 30 * SECOND_MS, "A", "buyer"),
        ASKED,
        ANSWERED,
    ]
    assert tomorrow(chat)["first_response_ms"] == 50 * SECOND_MS


@pytest.mark.parametrize(
    "answer",
    [message(NEXT_MIDNIGHT - 1, "A", "agent"), message(NEXT_MIDNIGHT - 1, "A", "agent", kind="broadcast")],
)
def test_a_question_that_was_answered_is_not_carried(answer: Json) -> None:
    fact = tomorrow([ASKED, answer, ANSWERED])
    assert fact["initiator"] == ("buyer" if "kind" in answer else "agent")


@pytest.mark.parametrize("pause", around(10 * MINUTE_MS))
@pytest.mark.parametrize("last", ["question", "broadcast", "transfer"])
def test_a_question_is_carried_while_the_pause_is_shorter_than_the_longest_wait(
    pause: int, last: str
) -> None:
    begins = NEXT_MIDNIGHT - 5 * MINUTE_MS + pause
    ends: dict[str, list[Json]] = {
        "question": [message(NEXT_MIDNIGHT - 5 * MINUTE_MS, "A", "buyer")],
        "broadcast": [
            message(NOON, "A", "buyer"),
            message(NEXT_MIDNIGHT - 5 * MINUTE_MS, "A", "agent", kind="broadcast"),
        ],
        "transfer": [message(NOON, "A", "buyer"), transfer(NEXT_MIDNIGHT - 5 * MINUTE_MS, "R", "A")],
    }
    for settings in (CARRIED, shop_settings(max_wait_minutes=None)):
        fact = tomorrow([*ends[last], message(begins, "A", "agent")], settings)
        assert fact["initiator"] == ("buyer" if pause < 10 * MINUTE_MS else "agent")


def test_the_longest_wait_is_that_of_the_day_that_begins() -> None:
    chat = [message(NEXT_MIDNIGHT - 2 * MINUTE_MS, "A", "buyer"), message(NEXT_MIDNIGHT, "A", "agent")]
    short = {"shop_id": "jd:1", "effective_from": TOMORROW, "max_wait_minutes": 2}
    assert tomorrow(chat, [*CARRIED, short])["initiator"] == "agent"
    assert (
        tomorrow(chat, [*shop_settings(max_wait_minutes=2), {**short, "max_wait_minutes": 3}])["initiator"]
        == "buyer"
    )
    off = {**short, "max_wait_minutes": 10, "carried_questions": False}
    assert tomorrow(chat, [*CARRIED, off])["initiator"] == "agent"


def test_the_pause_is_to_the_first_message_of_whatever_kind() -> None:
    begun = message(NEXT_MIDNIGHT + 1, "A", "agent", kind="broadcast")
    fact = tomorrow([ASKED, begun, message(NEXT_MIDNIGHT + HOUR_MS, "A", "agent")])
    assert named(fact, "initiator", "rounds", "first_response_ms") == ["buyer", 1, None]  # too long to count


def test_a_question_handed_over_before_midnight_is_carried_past_it() -> None:
    chat = [transfer(NEXT_MIDNIGHT - 10 * SECOND_MS, "R", "A"), ANSWERED]
    fact = tomorrow(chat)
    assert named(fact, "initiator", "first_response_ms", "handed_over", "filtered") == [
        "buyer",
        30 * SECOND_MS,
        False,
        None,
    ]
    decision = decision_on(chat, NEXT_MIDNIGHT + 5 * MINUTE_MS)
    assert named(decision["placing"], "agent_id", "rounds") == ["A", 1]


def test_a_reception_without_messages_has_no_question_past_midnight() -> None:
    fact = tomorrow([ASKED, transfer(NEXT_MIDNIGHT + 20 * SECOND_MS, "R", "A")])
    assert named(fact, "initiator", "first_ts", "handed_over") == [
        "buyer",
        NEXT_MIDNIGHT + 20 * SECOND_MS,
        True,
    ]
    assert fact["filtered"] == "agent_offline"


def test_a_question_past_midnight_makes_nobody_unreplied_who_said_nothing() -> None:
    chat = [ASKED, message(NEXT_MIDNIGHT + 1, "A", "agent", text="\u200b")]
    chat.append(message(NEXT_MIDNIGHT + 2, "A", "agent", "b-9"))
    settings = shop_settings(filters={"agent_offline": {"enabled": False}})
    fact = tomorrow(chat, settings)
    assert named(fact, "filtered", "replied", "initiator") == ["empty", False, "buyer"]
    chat[1] = message(NEXT_MIDNIGHT + 1, "A", "agent", kind="auto_reply")
    settings = shop_settings(auto_reply={"identify": True})
    workload = agent_days(chat, [], settings, [], None)["jd:1", "A", TOMORROW]["workload"]
    assert named(workload, "receptions", "unreplied") == [1, 0]


@pytest.mark.parametrize("ts", around(NEXT_MIDNIGHT))
def test_a_buyer_whose_question_was_carried_began_before_the_day(ts: int) -> None:
    # The agent's last effective message of the second day is to another buyer.
    chat = [ASKED, message(NEXT_MIDNIGHT + 2, "A", "buyer"), message(ts, "A", "agent", "b-9")]
    today, after = (facts(chat, [], CARRIED, [], None)["jd:1", "b-1", "A", d] for d in (TODAY, TOMORROW))
    assert today["filtered"] == (None if ts < NEXT_MIDNIGHT else "agent_offline")
    assert after["filtered"] == ("agent_offline" if ts < NEXT_MIDNIGHT else None)


def test_only_the_day_before_carries_a_question() -> None:
    chat = [ASKED, message(ASKED["ts"] + DAY_MS + 1, "A", "agent")]
    settings = shop_settings(max_wait_minutes=1440)
    fact = facts(chat, [], settings, [], None)
    assert fact["jd:1", "b-1", "A", TOMORROW]["initiator"] == "agent"  # 24 hours and a millisecond
    chat[1]["ts"] -= 2
    assert facts(chat, [], settings, [], None)["jd:1", "b-1", "A", TOMORROW]["initiator"] == "buyer"


def test_in_an_interval_the_messages_of_the_day_before_are_what_they_are() -> None:
    # The first day's reception is a forwarded one: the question itself is not among the agent's messages.
    chat = [ASKED, ANSWERED, transfer(ASKED["ts"] + 1, "A", "B")]
    decision = decision_on(chat, NEXT_MIDNIGHT + 5 * MINUTE_MS)
    assert named(decision["placing"], "agent_id", "rounds") == ["A", 0]
    assert tomorrow(chat)["rounds"] == 1


# What hangs on who began (RULEBOOK 7)


def test_a_reception_that_a_question_initiated_is_not_exempt_as_the_agents() -> None:
    settings = shop_settings(
        agent_initiated_exempt={"enabled": True}, filters={"agent_offline": {"enabled": False}}
    )
    chat = [transfer(TEN, "R", "B"), message(TEN + 1, "B", "agent")]
    record = inquiries(chat, [], settings, [], None)["jd:1", "b-1", "B", TODAY]
    assert named(record, "outcome", "exempt") == ["lost", None]
    chat = [message(TEN - 1, "B", "agent"), message(TEN + 2, "B", "buyer"), *chat]
    record = inquiries(chat, [], settings, [], None)["jd:1", "b-1", "B", TODAY]
    assert named(record, "outcome", "exempt") == ["not_counted", "agent_initiated"]


def test_the_first_reply_to_an_agent_may_come_by_a_transfer() -> None:
    settings = shop_settings(agent_initiated_exempt={"enabled": True})
    chat = [message(TEN - DAY_MS, "B", "agent"), transfer(TEN, "R", "B"), *LATE_SHIFT]
    record = inquiries(chat, [], settings, [], None)["jd:1", "b-1", "B", TODAY]
    assert named(record, "outcome", "exempt") == ["not_counted", "agent_initiated"]
    spoken = [*chat, message(TEN - DAY_MS + 1, "B", "buyer")]
    record = inquiries(spoken, [], settings, [], None)["jd:1", "b-1", "B", TODAY]
    assert named(record, "outcome", "exempt") == ["lost", None]


@pytest.mark.parametrize("pause", around(10 * MINUTE_MS))
def test_a_chat_past_midnight_may_go_on_with_a_transfer(pause: int) -> None:
    settings = shop_settings(overnight_once=True)
    last = NEXT_MIDNIGHT - 1
    chat = [*chat_of("A", last - MINUTE_MS), transfer(last + pause, "R", "A")]
    chat.append(message(NEXT_MIDNIGHT + HOUR_MS, "A", "agent", "b-9"))
    record = inquiries(chat, [], settings, [], None)["jd:1", "b-1", "A", TODAY]
    assert record["exempt"] == ("overnight" if pause < 10 * MINUTE_MS else None)
