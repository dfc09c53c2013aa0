"""Questions handed over, and asked just before midnight, are the buyer's all the same (RULEBOOK 4, 12).

Figures are worked out by hand. Days are those of Shanghai.
"""

from __future__ import annotations

from typing import Any

import pytest

from stream_attr.contract.topics import AGENT_DAILY, CHAT, DEAD_LETTERS, DECISIONS, FACTS, INQUIRIES, SETTINGS
from stream_attr.rules.buyer.retention import FORGET_EVERY_MS, Retention
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import Driver, in_time_order

Json = dict[str, Any]

DAY = 20_758
"""2026-11-01."""
MIDNIGHT = zone("Asia/Shanghai").start_of(DAY)
AT_10 = MIDNIGHT + 10 * HOUR_MS
IDS = {"shop_id": "jd:1", "buyer_id": "b-1"}
SECOND = 1000


def message(ts: int, agent_id: str, sender: str, **more: Any) -> Json:
    return {
        **IDS,
        "event_id": f"m{ts}{agent_id}{sender}",
        "ts": ts,
        "agent_id": agent_id,
        "sender": sender,
        **more,
    }


def transferred(ts: int, agent_id: str, to_agent_id: str, **more: Any) -> Json:
    return {
        **IDS,
        "event_id": f"t{ts}{agent_id}",
        "ts": ts,
        "agent_id": agent_id,
        "type": "transfer",
        "to_agent_id": to_agent_id,
        **more,
    }


def rated(ts: int, agent_id: str, score: int, **more: Any) -> Json:
    return {
        **IDS,
        "event_id": f"r{ts}{score}",
        "ts": ts,
        "agent_id": agent_id,
        "type": "rating",
        "score": score,
        **more,
    }


def ordered(ts: int, order_id: str = "o-1", **more: Any) -> list[Json]:
    ids = {**IDS, "order_id": order_id, "amount": 100}
    return [
        {**ids, "event_id": f"c{order_id}", "type": "created", "ts": ts},
        {**ids, "event_id": f"p{order_id}", "type": "paid", "ts": ts + SECOND, **more},
    ]


def judged(chat: list[Json], orders: list[Json] | None = None, **rules: Any) -> Driver:
    settings = [{"shop_id": "jd:1", "effective_from": "2026-01-01", **rules}]
    driver = Driver(settings=settings)
    driver.send_all(in_time_order(chat, orders or []))
    driver.finish()
    assert not driver.state
    return driver


def fact(driver: Driver, agent_id: str, day: str = "2026-11-01") -> Json:
    return driver.last(FACTS)[f"jd:1|b-1|{agent_id}|{day}"]


def decision(driver: Driver) -> Json:
    return driver.last(DECISIONS)["jd:1|o-1"]


HANDED_OVER = [
    message(AT_10, "R", "buyer"),
    transferred(AT_10 + MINUTE_MS, "R", "B"),
    message(AT_10 + 90 * SECOND, "B", "agent"),
    message(AT_10 + 120 * SECOND, "B", "agent"),
]


def test_the_agent_to_whom_a_robot_handed_the_buyer_over_is_the_placing_agent():
    driver = judged(HANDED_OVER, ordered(AT_10 + 5 * MINUTE_MS))
    of_b = fact(driver, "B")
    assert of_b["filtered"] is None
    assert (of_b["initiator"], of_b["handed_over"], of_b["replied"]) == ("buyer", True, True)
    assert (of_b["rounds"], of_b["first_response_ms"], of_b["response_count"]) == (1, 30 * SECOND, 1)
    assert (of_b["buyer_messages"], of_b["agent_messages"]) == (0, 2)
    assert (of_b["first_ts"], of_b["last_ts"]) == (AT_10 + 90 * SECOND, AT_10 + 120 * SECOND)
    assert decision(driver)["placing"] == {
        "agent_id": "B",
        "rule": "last_chat",
        "last_ts": AT_10 + 120 * SECOND,
        "rounds": 1,
    }
    assert decision(driver)["credit"]["agent_id"] == "B"
    of_r = fact(driver, "R")
    assert (of_r["filtered"], of_r["handed_over"], of_r["transferred"]) == ("agent_offline", False, True)


def test_without_carried_questions_it_is_a_monologue_and_the_order_silent():
    driver = judged(HANDED_OVER, ordered(AT_10 + 5 * MINUTE_MS), carried_questions=False)
    of_b = fact(driver, "B")
    assert (of_b["filtered"], of_b["initiator"], of_b["handed_over"]) == ("monologue", "agent", False)
    assert (of_b["rounds"], of_b["replied"], of_b["first_response_ms"]) == (0, False, None)
    assert decision(driver)["outcome"] == "silent"


def test_a_profile_carries_questions_by_its_own_setting():
    driver = judged(
        HANDED_OVER,
        ordered(AT_10 + 5 * MINUTE_MS),
        carried_questions=False,
        profiles={"carried": {"carried_questions": True}},
    )
    assert decision(driver)["credit"] is None
    [of_profile] = driver.last("attribution-comparisons").values()
    assert of_profile["credit"]["agent_id"] == "B"


def test_a_question_handed_over_to_one_who_says_nothing_makes_a_reception():
    chat = [
        message(AT_10, "R", "buyer"),
        message(AT_10 + 1, "R", "agent"),
        message(AT_10 + 2, "R", "agent"),
        transferred(AT_10 + MINUTE_MS, "R", "B"),
        transferred(AT_10 + 2 * MINUTE_MS, "R", "B"),
        {**message(AT_10 + 5 * MINUTE_MS, "B", "buyer"), "buyer_id": "b-2"},
        {**message(AT_10 + 5 * MINUTE_MS + 1, "B", "agent"), "buyer_id": "b-2"},
    ]
    driver = judged(chat, ordered(AT_10 + 5 * MINUTE_MS))
    of_b = fact(driver, "B")
    assert of_b["filtered"] is None  # B spoke to somebody later on that day
    counts = ("buyer_messages", "agent_messages", "agent_characters", "rounds", "response_count")
    assert [of_b[name] for name in counts] == [0] * 5
    assert (of_b["first_ts"], of_b["last_ts"]) == (AT_10 + MINUTE_MS, AT_10 + 2 * MINUTE_MS)
    assert (of_b["initiator"], of_b["handed_over"], of_b["replied"]) == ("buyer", True, False)
    assert of_b["presence"] == []
    workload = driver.last(AGENT_DAILY)["jd:1|B|2026-11-01"]["workload"]
    assert (workload["receptions"], workload["unreplied"], workload["reply_rate"]) == (2, 1, 0.5)
    shop = driver.last(AGENT_DAILY)["jd:1|*|2026-11-01"]["workload"]
    assert (shop["receptions"], shop["unreplied"]) == (2, 0)  # R replied to b-1
    # R placed the order; B's reception is recorded from its first transfer on.
    assert decision(driver)["placing"]["agent_id"] == "R"
    assert driver.last(INQUIRIES)["jd:1|b-1|B|2026-11-01"]["order_ids"] == ["o-1"]
    assert decision(driver)["discarded"] == []  # questions are looked at for rounds alone


def test_one_who_says_nothing_at_all_that_day_is_offline():
    chat = [message(AT_10, "R", "buyer"), message(AT_10 + 1, "R", "agent"), transferred(AT_10 + 2, "R", "B")]
    assert fact(judged(chat), "B")["filtered"] == "agent_offline"


@pytest.mark.parametrize(("after", "filtered"), [(-1, "agent_offline"), (0, None), (1, None)])
def test_offline_is_whom_the_buyer_reached_after_the_last_message_to_anybody(after, filtered):
    to_another = {**message(AT_10 + after, "B", "agent"), "buyer_id": "b-2"}
    assert fact(judged([transferred(AT_10, "R", "B"), to_another]), "B")["filtered"] == filtered


def test_a_transfer_alone_makes_no_reception_with_carried_questions_off():
    driver = judged([transferred(AT_10, "R", "B")], carried_questions=False)
    assert driver.last(FACTS) == {}
    assert driver.last(AGENT_DAILY) == {}


def test_handed_over_and_on_again_at_once_is_forwarded():
    driver = judged([transferred(AT_10, "R", "B"), transferred(AT_10 + 1, "B", "C")])
    assert fact(driver, "B")["filtered"] == "agent_offline"  # tried before
    off: Json = {"filters": {"agent_offline": {"enabled": False}}}
    driver = judged([transferred(AT_10, "R", "B"), transferred(AT_10 + 1, "B", "C")], **off)
    assert fact(driver, "B")["filtered"] == "forwarded"
    assert fact(driver, "C")["filtered"] is None


def test_blank_messages_after_a_question_handed_over_are_not_empty():
    chat = [transferred(AT_10, "R", "B"), message(AT_10 + 1, "B", "agent", text=" ")]
    off: Json = {"filters": {"agent_offline": {"enabled": False}}}
    assert fact(judged(chat, **off), "B")["filtered"] is None
    assert fact(judged(chat, carried_questions=False, **off), "B")["filtered"] == "empty"


@pytest.mark.parametrize(("after", "initiator"), [(-1, "agent"), (0, "buyer"), (1, "buyer")])
def test_at_the_same_time_a_question_comes_before_a_message(after, initiator):
    of_b = fact(judged([transferred(AT_10, "R", "B"), message(AT_10 + after, "B", "agent")]), "B")
    assert of_b["initiator"] == initiator
    assert of_b["replied"] is (after >= 0)
    assert of_b["rounds"] == (1 if after >= 0 else 0)


def test_a_question_in_the_middle_makes_another_round_and_response():
    chat = [
        message(AT_10, "B", "buyer"),
        message(AT_10 + 5 * SECOND, "B", "agent"),
        transferred(AT_10 + 60 * SECOND, "R", "B"),
        transferred(AT_10 + 65 * SECOND, "R", "B"),
        message(AT_10 + 70 * SECOND, "B", "agent"),
        message(AT_10 + 71 * SECOND, "B", "agent"),
    ]
    driver = judged(chat, ordered(AT_10 + 65 * SECOND), placing_rule="most_rounds")
    of_b = fact(driver, "B")
    assert (of_b["rounds"], of_b["response_count"], of_b["response_ms_sum"]) == (2, 2, 15 * SECOND)
    # Placed at 65 s: the reply at 70 s lies outside, paid at 66 s; the question alone is no round.
    [of_order] = [one for one in decision(driver)["candidates"] if one["agent_id"] == "B"]
    assert of_order["placing"]["rounds"] == 1


@pytest.mark.parametrize(("question", "rounds"), [(-1, 0), (0, 1)])
def test_a_question_counts_for_the_rounds_of_an_interval_that_holds_it(question, rounds):
    """With a validity of 24 hours the interval begins at 10:00 the day before."""
    chat = [
        transferred(AT_10 + question, "R", "B"),
        message(AT_10 + MINUTE_MS, "B", "agent"),
    ]
    driver = judged(chat, ordered(AT_10 + DAY_MS), validity={"hours": 24})
    assert decision(driver)["placing"]["rounds"] == rounds


def test_a_question_of_the_day_before_makes_the_next_days_answer_a_round():
    chat = [
        transferred(AT_10, "R", "B"),
        message(AT_10 + DAY_MS, "B", "agent"),
        message(AT_10 + DAY_MS, "B", "buyer"),
    ]
    chat[1]["ts"] += 1
    driver = judged(chat, ordered(AT_10 + DAY_MS + MINUTE_MS))
    assert decision(driver)["placing"]["rounds"] == 1


def test_single_sentence_counts_replies_after_the_buyers_message_alone():
    """Initiated by the question handed over; two replies come before the buyer's only message."""
    rules: Json = {"filters": {"single_sentence": {"enabled": True, "min_replies": 2}}}
    chat = [transferred(AT_10, "R", "B"), message(AT_10 + 1, "B", "agent"), message(AT_10 + 2, "B", "agent")]
    chat += [message(AT_10 + 3, "B", "buyer"), message(AT_10 + 4, "B", "agent")]
    assert fact(judged(chat, **rules), "B")["filtered"] is None
    chat.append(message(AT_10 + 5, "B", "agent"))
    assert fact(judged(chat, **rules), "B")["filtered"] == "single_sentence"


# Past midnight


def asked_late(before: int = 10 * SECOND, after: int = 20 * SECOND) -> list[Json]:
    return [message(MIDNIGHT - before, "A", "buyer"), message(MIDNIGHT + after, "A", "agent")]


def test_a_question_just_before_midnight_is_answered_after_it():
    driver = judged(asked_late(), ordered(MIDNIGHT + 5 * MINUTE_MS))
    first, second = fact(driver, "A", "2026-10-31"), fact(driver, "A")
    assert (first["filtered"], first["replied"]) == ("agent_offline", False)
    assert second["filtered"] is None
    assert (second["initiator"], second["replied"], second["handed_over"]) == ("buyer", True, False)
    assert (second["first_response_ms"], second["rounds"], second["buyer_messages"]) == (30 * SECOND, 1, 0)
    assert second["first_ts"] == MIDNIGHT + 20 * SECOND
    assert decision(driver)["placing"] == {
        "agent_id": "A",
        "rule": "last_chat",
        "last_ts": MIDNIGHT + 20 * SECOND,
        "rounds": 1,
    }
    workload = driver.last(AGENT_DAILY)["jd:1|A|2026-11-01"]["workload"]
    assert (workload["receptions"], workload["unreplied"]) == (1, 0)
    assert workload["first_response_ms"] == 30 * SECOND


def test_without_carried_questions_the_answer_is_a_monologue():
    driver = judged(asked_late(), ordered(MIDNIGHT + 5 * MINUTE_MS), carried_questions=False)
    assert fact(driver, "A")["filtered"] == "monologue"
    assert decision(driver)["outcome"] == "silent"


@pytest.mark.parametrize("minutes", [1, 10, None])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_pause_over_midnight_is_less_than_the_longest_wait(minutes, more):
    pause_ms = (minutes or 10) * MINUTE_MS + more
    driver = judged(asked_late(10 * SECOND, pause_ms - 10 * SECOND), max_wait_minutes=minutes)
    assert fact(driver, "A")["initiator"] == ("buyer" if more < 0 else "agent")


def test_a_response_from_the_first_question_unanswered_may_be_too_slow_to_count():
    chat = [message(MIDNIGHT - HOUR_MS, "A", "buyer"), *asked_late()]
    second = fact(judged(chat), "A")
    assert (second["initiator"], second["replied"], second["first_response_ms"]) == ("buyer", True, None)
    chat.insert(1, message(MIDNIGHT - HOUR_MS + 1, "A", "agent"))
    assert fact(judged(chat), "A")["first_response_ms"] == 30 * SECOND


def test_what_was_answered_is_not_carried():
    chat = [*asked_late(), message(MIDNIGHT - 1, "A", "agent")]
    assert fact(judged(chat), "A")["initiator"] == "agent"
    chat[-1] |= {"kind": "broadcast"}  # not effective
    assert fact(judged(chat), "A")["initiator"] == "buyer"


def test_the_last_message_before_midnight_may_be_an_ineffective_one():
    """The pause runs from it, the question from the buyer's message."""
    chat = [message(MIDNIGHT - 15 * MINUTE_MS, "A", "buyer")]
    chat += [
        message(MIDNIGHT - MINUTE_MS, "A", "agent", kind="broadcast"),
        message(MIDNIGHT + MINUTE_MS, "A", "agent"),
    ]
    second = fact(judged(chat, max_wait_minutes=20), "A")
    assert second["first_response_ms"] == 16 * MINUTE_MS


def test_a_question_handed_over_before_midnight_is_carried_past_it():
    chat = [transferred(MIDNIGHT - 10 * SECOND, "R", "A"), message(MIDNIGHT + 20 * SECOND, "A", "agent")]
    second = fact(judged(chat), "A")
    assert (second["first_response_ms"], second["handed_over"]) == (30 * SECOND, False)
    chat.append(message(MIDNIGHT - 10 * SECOND, "A", "agent"))  # at the same time the question comes first
    assert fact(judged(chat), "A")["initiator"] == "agent"


def test_a_reception_without_messages_has_no_question_past_midnight():
    chat = [message(MIDNIGHT - 1, "A", "buyer"), transferred(MIDNIGHT + 1, "R", "A")]
    off: Json = {"filters": {"agent_offline": {"enabled": False}}}
    second = fact(judged(chat, **off), "A")
    assert (second["first_ts"], second["handed_over"]) == (MIDNIGHT + 1, True)
    assert "jd:1|A|2026-11-02" not in driver_keys(judged(chat, **off))


def driver_keys(driver: Driver) -> set[str]:
    return set(driver.last(AGENT_DAILY))


def test_what_a_day_leaves_does_not_reach_the_day_after_next():
    chat = [message(MIDNIGHT - 1, "A", "buyer"), message(MIDNIGHT + 1, "A", "agent", kind="broadcast")]
    chat += [message(MIDNIGHT + DAY_MS + 1, "A", "agent")]
    assert fact(judged(chat, max_wait_minutes=1440), "A", "2026-11-02")["initiator"] == "agent"


def test_in_the_opposite_order_the_same_is_final():
    chat = asked_late()
    driver = Driver(settings=[{"shop_id": "jd:1", "effective_from": "2026-01-01"}])
    for event in (chat[1], *ordered(MIDNIGHT + 5 * MINUTE_MS)):
        driver.send(CHAT if "sender" in event else "order-events", event)
    assert decision(driver)["credit"] is None
    driver.send(CHAT, chat[0])
    assert decision(driver)["credit"]["agent_id"] == "A"
    driver.finish()
    assert fact(driver, "A")["first_response_ms"] == 30 * SECOND


def test_an_agent_initiated_inquiry_is_exempt_unless_a_question_was_carried():
    rules: Json = {"agent_initiated_exempt": {"enabled": True}, "filters": {"monologue": {"enabled": False}}}
    alone = [
        message(AT_10, "B", "agent"),
        message(AT_10 + DAY_MS, "B", "buyer"),
        message(AT_10 + DAY_MS + 1, "B", "agent"),
    ]
    inquiry = judged(alone, **rules).last(INQUIRIES)["jd:1|b-1|B|2026-11-02"]
    assert inquiry["exempt"] == "agent_initiated"
    inquiry = judged([transferred(AT_10, "R", "B"), *alone], **rules).last(INQUIRIES)["jd:1|b-1|B|2026-11-02"]
    assert (inquiry["exempt"], inquiry["outcome"]) == (None, "lost")


def test_an_inquiry_is_taken_back_when_its_reception_counts_no_more():
    """The answer at 00:00:20 is an inquiry by the question of 23:59:50, until that is answered before."""
    driver = Driver(settings=[{"shop_id": "jd:1", "effective_from": "2026-01-01"}])
    for event in asked_late():
        driver.send(CHAT, event)
    driver.tick(MIDNIGHT + HOUR_MS)
    key = "jd:1|b-1|A|2026-11-01"
    assert driver.last(INQUIRIES)[key]["outcome"] == "open"
    driver.send(CHAT, message(MIDNIGHT - SECOND, "A", "agent"))
    driver.tick(MIDNIGHT + 2 * HOUR_MS)
    assert driver.last(INQUIRIES)[key]["kind"] == "none"
    assert fact(driver, "A")["filtered"] == "monologue"


# Presence, ratings


def test_presence_is_two_minutes_around_each_message_merged():
    chat = [message(AT_10, "A", "buyer"), message(AT_10 + 4 * MINUTE_MS, "A", "agent")]
    assert fact(judged(chat), "A")["presence"] == [[AT_10 - 2 * MINUTE_MS, AT_10 + 6 * MINUTE_MS]]
    chat[1]["ts"] += 1
    assert fact(judged(chat), "A")["presence"] == [
        [AT_10 - 2 * MINUTE_MS, AT_10 + 2 * MINUTE_MS],
        [AT_10 + 2 * MINUTE_MS + 1, AT_10 + 6 * MINUTE_MS + 1],
    ]


SERVED = [message(AT_10, "A", "buyer"), message(AT_10 + SECOND, "A", "agent")]


def test_the_last_rating_of_a_days_service_counts():
    ratings = [rated(AT_10 + MINUTE_MS, "A", 5), rated(AT_10 + 2 * MINUTE_MS, "A", 2)]
    driver = judged([*SERVED, *reversed(ratings)])
    assert fact(driver, "A")["rating"] == 2
    workload = driver.last(AGENT_DAILY)["jd:1|A|2026-11-01"]["workload"]
    assert (workload["ratings"], workload["satisfied"], workload["satisfaction"]) == (1, 0, 0.0)


def test_of_ratings_of_one_time_the_greater_event_id_counts():
    ratings = [
        {**rated(AT_10, "A", score), "event_id": event_id} for score, event_id in ((3, "rb"), (4, "ra"))
    ]
    assert fact(judged([*SERVED, *ratings]), "A")["rating"] == 3


def later(event: Json) -> Driver:
    """Judge what was said on a day, and an event of a later one."""
    driver = Driver()
    driver.send_all(in_time_order(SERVED))
    driver.tick(event["ts"] - MINUTE_MS)
    assert fact(driver, "A")["status"] == "final"
    driver.send(CHAT, event)
    driver.finish()
    return driver


def test_a_rating_of_days_later_belongs_to_the_day_of_the_service():
    driver = later(rated(AT_10 + 5 * DAY_MS, "A", 4, rated_ts=AT_10))
    of_a = fact(driver, "A")
    assert (of_a["rating"], of_a["status"], of_a["reason"]) == (4, "final", "chat")
    shop = driver.last(AGENT_DAILY)["jd:1|*|2026-11-01"]["workload"]
    assert (shop["ratings"], shop["satisfied"], shop["satisfaction"]) == (1, 1, 1.0)


def test_a_rating_of_a_day_without_reception_counts_for_nothing():
    driver = judged([*SERVED, rated(AT_10 + DAY_MS, "A", 5), rated(AT_10, "B", 5)])
    assert fact(driver, "A")["rating"] is None
    assert set(driver.last(FACTS)) == {"jd:1|b-1|A|2026-11-01"}
    assert set(driver.last(AGENT_DAILY)) == {"jd:1|A|2026-11-01", "jd:1|*|2026-11-01"}


def test_ratings_of_the_shop_are_counted_by_receptions():
    chat = [*SERVED, message(AT_10, "B", "buyer"), message(AT_10 + SECOND, "B", "agent")]
    chat += [rated(AT_10 + MINUTE_MS, "A", 5), rated(AT_10 + MINUTE_MS, "B", 3)]
    shop = judged(chat).last(AGENT_DAILY)["jd:1|*|2026-11-01"]["workload"]
    assert (shop["receptions"], shop["ratings"], shop["satisfied"], shop["satisfaction"]) == (1, 2, 1, 0.5)


def test_the_rating_of_a_filtered_reception_counts_in_no_figure():
    driver = judged([message(AT_10, "A", "agent"), rated(AT_10 + 1, "A", 5)])
    assert (fact(driver, "A")["filtered"], fact(driver, "A")["rating"]) == ("monologue", 5)
    assert driver.last(AGENT_DAILY)["jd:1|A|2026-11-01"]["workload"]["ratings"] == 0


def test_a_rating_of_service_before_the_history_is_too_late():
    driver = later(rated(AT_10 + 50 * DAY_MS, "A", 5, rated_ts=AT_10))
    [letter] = [one.value for one in driver.emitted if one.topic == DEAD_LETTERS]
    assert (letter["code"], letter["field"]) == ("too_late", "rated_ts")


def test_a_repeated_rating_changes_nothing():
    rating = rated(AT_10 + MINUTE_MS, "A", 5)
    once, twice = judged([*SERVED, rating]), judged([*SERVED, rating, rating])
    assert once.last(FACTS) == twice.last(FACTS)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_late_event_at_the_end_of_the_history_finds_the_question_of_the_day_before(restarted):
    """The day before is older than the history, and goes with the day that follows on it."""
    end = MIDNIGHT + FORGET_EVERY_MS
    driver = Driver()
    driver.send(CHAT, message(MIDNIGHT - HOUR_MS, "A", "buyer"))
    driver.send(CHAT, message(end - 10 * SECOND, "A", "buyer"))
    driver.send(CHAT, message(end + 20 * SECOND, "A", "agent"))
    driver.tick(end + Retention().chat_ms)
    if restarted:
        driver.restart()
    driver.send(CHAT, message(end + HOUR_MS, "A", "agent"))
    driver.finish()
    of_a = fact(driver, "A", "2026-11-06")
    assert (of_a["agent_messages"], of_a["first_response_ms"]) == (2, 30 * SECOND)
    assert not driver.state


def test_with_the_setting_turned_off_a_reception_without_messages_counts_no_more():
    driver = Driver()
    for event in HANDED_OVER[:2]:
        driver.send(CHAT, event)
    driver.tick(AT_10 + HOUR_MS)
    assert fact(driver, "B")["handed_over"]
    assert driver.last(INQUIRIES)["jd:1|b-1|B|2026-11-01"]["outcome"] == "open"
    driver.send(SETTINGS, {"shop_id": "jd:1", "effective_from": "2026-11-01", "carried_questions": False})
    driver.finish()
    of_b = fact(driver, "B")
    assert (of_b["status"], of_b["handed_over"], of_b["filtered"]) == ("final", False, "empty")
    assert driver.last(INQUIRIES)["jd:1|b-1|B|2026-11-01"]["kind"] == "none"
    assert driver.last(AGENT_DAILY)["jd:1|B|2026-11-01"]["workload"]["consults"] == 0
    assert not driver.state
