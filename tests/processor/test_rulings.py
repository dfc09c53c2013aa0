"""Rulings on the credit of orders: which holds, and what it changes, in any order of arrival (RULEBOOK 5)."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from stream_attr.contract.topics import AGENT_DAILY, COMPARISONS, DEAD_LETTERS, DECISIONS, RULINGS, TASKS
from stream_attr.explain.verify import verify
from stream_attr.processor import Options
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS, zone
from stream_attr.testing import Driver, ManualClock, in_time_order
from stream_attr.testing.driver import Input

NOON = zone("Asia/Shanghai").start_of(20_758) + 12 * HOUR_MS
"""2026-11-01 12:00 in Shanghai."""
OWNER = {"shop_id": "jd:1", "buyer_id": "b-1"}
PAID_TS = NOON + 2 * MINUTE_MS


def message(event_id, sender, agent_id, ts):
    return {**OWNER, "event_id": event_id, "sender": sender, "agent_id": agent_id, "ts": ts, "text": "你好"}


CHAT = [
    message("m1", "buyer", "B", NOON - 9 * MINUTE_MS),
    message("m2", "agent", "B", NOON - 8 * MINUTE_MS),
    message("m3", "buyer", "A", NOON - 7 * MINUTE_MS),
    message("m4", "agent", "A", NOON - 6 * MINUTE_MS),
    message("m5", "agent", "A", NOON + MINUTE_MS),
    message("m6", "buyer", "C", NOON + MINUTE_MS),
    message("m7", "agent", "C", NOON + MINUTE_MS + 1),
]
"""A is the placing agent, C the payment agent; A speaks between order and payment too, B before."""
ORDERS = [
    {**OWNER, "event_id": "e1", "order_id": "o-1", "type": "created", "amount": 900, "ts": NOON},
    {**OWNER, "event_id": "e2", "order_id": "o-1", "type": "paid", "amount": 900, "ts": PAID_TS},
]
SETTINGS = [
    {"shop_id": "jd:1", "effective_from": "2026-01-01", "credit_rule": "order", "profiles": {"other": {}}}
]
ASSISTS_BY_RULES = [("order", "B")]
"""A has the credit."""


def ruling(event_id, ts=PAID_TS + HOUR_MS, agent_id: str | None = "B", **fields) -> dict[str, Any]:
    one = {"event_id": event_id, "order_id": "o-1", "type": "credit", "ruled_by": "manager", "ts": ts}
    return {**OWNER, **one, "agent_id": agent_id, **fields}


def withdrawal(event_id, ts):
    found = ruling(event_id, ts, type="withdrawn")
    del found["agent_id"]
    return found


def driver(**options):
    return Driver(settings=SETTINGS, options=Options(**options))


def judged(*rulings, chat=CHAT, orders=ORDERS):
    one = driver()
    one.send_all(in_time_order(chat, orders, rulings=rulings))
    one.finish()
    assert not one.last(DEAD_LETTERS)
    assert not one.state
    return one


def decision(one):
    return one.last(DECISIONS)["jd:1|o-1"]


def credit(one):
    found = decision(one)["credit"]
    return found and (found["agent_id"], found["basis"], found["rule"])


def assists(one):
    return [(found["kind"], found["agent_id"]) for found in decision(one)["assists"]]


def test_without_a_ruling_the_rules_decide():
    one = judged()
    assert credit(one) == ("A", "placing", "order")
    assert assists(one) == ASSISTS_BY_RULES
    assert decision(one)["ruling"] is None


def test_the_worked_example_credit_goes_to_and_fro_in_three_revisions():
    one = driver()
    one.send_all(in_time_order(CHAT, ORDERS))
    first = len(one.emitted)
    one.send(RULINGS, ruling("r1"))
    one.send(RULINGS, withdrawal("r2", PAID_TS + 2 * HOUR_MS))
    found = [found.value for found in one.emitted[:first] if found.topic == DECISIONS][-1:]
    found += [found.value for found in one.emitted[first:] if found.topic == DECISIONS]
    assert [(at["credit"]["agent_id"], at["credit"]["basis"]) for at in found] == [
        ("A", "placing"),
        ("B", "ruling"),
        ("A", "placing"),
    ]
    assert [at["revision"] - found[0]["revision"] for at in found] == [0, 1, 2]
    assert [at["reason"] for at in found[1:]] == ["ruling", "ruling"]
    assert [at["ruling"] and at["ruling"]["event_id"] for at in found] == [None, "r1", None]


def test_the_decision_shows_the_ruling_and_all_else_as_before():
    by_rules, one = judged(), judged(ruling("r1", agent_id="X"))
    found = decision(one)
    assert found["ruling"] == {
        "agent_id": "X",
        "ruled_by": "manager",
        "ts": PAID_TS + HOUR_MS,
        "event_id": "r1",
    }
    same = ("outcome", "silence", "placing", "payment", "final_at", "candidates", "discarded", "status")
    assert {name: found[name] for name in same} == {name: decision(by_rules)[name] for name in same}
    assert verify(found) == []


@pytest.mark.parametrize(
    ("agent_id", "expected"),
    [
        ("A", [("order", "B")]),
        ("B", [("payment", "A")]),
        ("C", [("order", "B"), ("payment", "A")]),
        ("X", [("order", "B"), ("payment", "A")]),
        (None, [("order", "B"), ("payment", "A")]),
    ],
)
def test_assists_are_judged_as_if_the_ruled_agent_had_the_credit(agent_id, expected):
    """A, who has it by the rules, spoke between order and payment too: an assist once it is another's."""
    one = judged(ruling("r1", agent_id=agent_id))
    assert assists(one) == expected
    assert verify(decision(one)) == []


def test_a_ruling_for_nobody_makes_the_outcome_silent():
    one = judged(ruling("r1", agent_id=None))
    assert (decision(one)["outcome"], decision(one)["credit"], decision(one)["silence"]) == (
        "silent",
        None,
        "none",
    )


def test_a_ruling_gives_a_full_silent_order_to_an_agent():
    one = judged(ruling("r1", agent_id="X"), chat=[])
    assert credit(one) == ("X", "ruling", "order")
    assert (decision(one)["outcome"], decision(one)["silence"]) == ("credited", "full")


def test_other_profiles_are_judged_without_rulings():
    one = judged(ruling("r1"))
    other = one.last(COMPARISONS)["jd:1|o-1|other"]
    assert other["credit"] == {"agent_id": "C", "basis": "payment", "rule": "payment"}
    assert other["ruling"] is None
    assert other["revision"] == judged().last(COMPARISONS)["jd:1|o-1|other"]["revision"]


def test_an_unpaid_order_shows_the_ruling_and_gives_no_credit():
    one = judged(ruling("r1"), orders=ORDERS[:1])
    assert (credit(one), decision(one)["outcome"]) == (None, "unpaid")
    assert decision(one)["ruling"]["event_id"] == "r1"
    assert assists(one) == assists(judged(orders=ORDERS[:1]))


def test_an_excluded_order_shows_the_ruling_and_gives_credit_once_it_is_included_again():
    excluded = {**OWNER, "event_id": "e3", "order_id": "o-1", "type": "excluded", "ts": PAID_TS + MINUTE_MS}
    one = judged(ruling("r1"), orders=[*ORDERS, excluded])
    assert (credit(one), assists(one), decision(one)["outcome"]) == (None, [], "excluded")
    assert decision(one)["ruling"]["event_id"] == "r1"
    assert verify(decision(one)) == []
    included = {**excluded, "event_id": "e4", "type": "included", "ts": PAID_TS + 2 * HOUR_MS}
    assert credit(judged(ruling("r1"), orders=[*ORDERS, excluded, included])) == ("B", "ruling", "order")


def test_of_several_rulings_the_last_by_time_then_event_id_holds():
    at = PAID_TS + HOUR_MS
    some = [ruling("r2", at, "X"), ruling("r3", at, "Y"), ruling("r1", at - 1, "Z")]
    for order in itertools.permutations(some):
        assert credit(judged(*order)) == ("Y", "ruling", "order")


def test_a_withdrawal_takes_back_every_ruling_before_it_and_none_after():
    at = PAID_TS + HOUR_MS
    some = [ruling("r1", at, "X"), withdrawal("r2", at + 1), ruling("r3", at + 2, "Y")]
    for order in itertools.permutations(some):
        assert credit(judged(*order)) == ("Y", "ruling", "order")
    for order in itertools.permutations(some[:2]):
        assert credit(judged(*order)) == ("A", "placing", "order")
        assert decision(judged(*order))["ruling"] is None


def test_the_last_decision_is_the_same_in_whatever_order_events_and_rulings_arrive():
    events = [
        *[Input("chat-events", one) for one in CHAT],
        *[Input("order-events", one) for one in ORDERS],
        Input(RULINGS, ruling("r1")),
        Input(RULINGS, ruling("r2", PAID_TS + 2 * HOUR_MS, "B", ruled_by="director")),
    ]
    expected = decision(judged(*[one.value for one in events if one.topic == RULINGS]))
    for shift in range(len(events)):
        for arrivals in (events[shift:] + events[:shift], [*events[shift::-1], *events[shift + 1 :]]):
            one = driver()
            for arrival in [*arrivals, *arrivals[:3]]:
                one.send(arrival.topic, arrival.value)
                one.restart()
            one.finish()
            found = decision(one)
            for name in ("credit", "assists", "ruling", "outcome", "status", "candidates"):
                assert found[name] == expected[name], name


def test_a_new_ruling_with_the_same_agent_is_a_new_revision_and_a_repeat_is_none():
    one = driver()
    one.send_all(in_time_order(CHAT, ORDERS))
    [first] = one.send(RULINGS, ruling("r1"))
    assert one.send(RULINGS, ruling("r1")) == []
    [second] = one.send(RULINGS, ruling("r2", PAID_TS + 2 * HOUR_MS))
    assert second.value["revision"] == first.value["revision"] + 1
    assert one.send(RULINGS, ruling("r0", PAID_TS)) == []  # an older one changes nothing


def test_event_ids_of_rulings_are_their_own():
    """e1 is the creation's: the ruling of that id is no repeat of it, and the other way round."""
    assert credit(judged(ruling("e1"))) == ("B", "ruling", "order")
    one = driver()
    one.send(RULINGS, ruling("e2", NOON))
    one.send_all(in_time_order(CHAT, ORDERS))
    assert credit(one) == ("B", "ruling", "order")


def test_a_ruling_waits_for_the_creation_of_its_order():
    one = driver()
    assert one.send(RULINGS, ruling("r1")) == []
    one.restart()
    one.send_all(in_time_order(CHAT, ORDERS))
    assert credit(one) == ("B", "ruling", "order")
    one.finish()
    assert not one.last(DEAD_LETTERS)


def test_a_ruling_whose_order_is_never_created_is_an_incomplete_order():
    one = driver()
    one.send(RULINGS, ruling("r1"))
    one.finish()
    [letter] = [found.value for found in one.emitted if found.topic == DEAD_LETTERS]
    assert (letter["code"], letter["topic"], letter["offset"]) == ("incomplete_order", RULINGS, 0)
    assert not one.state


def test_a_ruling_under_another_key_or_beyond_the_history_is_refused():
    one = driver()
    [letter] = one.send(RULINGS, ruling("r1"), b"jd:1|b-2")
    assert letter.value["code"] == "key_mismatch"
    one.tick(NOON)
    [letter] = one.send(RULINGS, ruling("r2", NOON - 35 * DAY_MS - 1))
    assert (letter.value["code"], letter.value["topic"]) == ("too_late", RULINGS)
    assert one.send(RULINGS, ruling("r3", NOON - 35 * DAY_MS)) == []  # it waits for its order


def test_a_ruling_older_than_the_watermark_on_a_final_decision_is_a_late_event():
    one = driver()
    one.send_all(in_time_order(CHAT, ORDERS))
    one.tick(NOON + 3 * DAY_MS)
    [late] = [found for found in one.send(RULINGS, ruling("r1")) if found.topic == DECISIONS]
    assert (late.value["reason"], late.value["status"]) == ("late_event", "final")
    [now] = [
        found for found in one.send(RULINGS, ruling("r2", NOON + 3 * DAY_MS, "X")) if found.topic == DECISIONS
    ]
    assert (now.value["reason"], now.value["status"]) == ("ruling", "final")


def test_rulings_do_not_move_the_watermark():
    one = driver()
    one.send_all(in_time_order(CHAT, ORDERS))
    one.send(RULINGS, ruling("r1", NOON + 30 * DAY_MS))
    assert decision(one)["watermark"] == PAID_TS - 5 * MINUTE_MS
    assert decision(one)["status"] == "pending"


def test_a_ruling_on_an_order_whose_chat_is_forgotten_changes_credit_and_assists():
    """The order is sealed 40 days later: its judgement is kept in place of the chat, and can be ruled on."""
    one = driver(retention=Retention(33 * DAY_MS, 60 * DAY_MS))
    one.send_all(in_time_order(CHAT, ORDERS))
    for days in (10, 34, 40, 45):
        one.tick(NOON + days * DAY_MS)
    one.restart()
    one.send(RULINGS, ruling("r1", NOON + 45 * DAY_MS, "B"))
    assert credit(one) == ("B", "ruling", "order")
    assert assists(one) == [("payment", "A")]
    one.restart()
    one.send(RULINGS, withdrawal("r2", NOON + 45 * DAY_MS + 1))
    assert credit(one) == ("A", "placing", "order")
    assert assists(one) == ASSISTS_BY_RULES


def test_an_order_is_kept_as_long_after_a_ruling_as_after_any_event_of_it():
    one = driver()
    one.send_all(in_time_order(CHAT, ORDERS))
    one.tick(NOON + 40 * DAY_MS)
    one.send(RULINGS, ruling("r1", NOON + 40 * DAY_MS))
    one.tick(NOON + 80 * DAY_MS)
    one.send(RULINGS, ruling("r2", NOON + 80 * DAY_MS, "X"))
    assert credit(one) == ("X", "ruling", "order")


def test_chat_after_a_ruling_makes_the_agent_by_the_rules_an_assist():
    """A has the credit by the rules, so that its words after the order change nothing, but under a ruling."""
    one = driver()
    one.send_all(in_time_order(CHAT[:4] + CHAT[5:], ORDERS))
    one.send(RULINGS, ruling("r1", agent_id="X"))
    assert assists(one) == [("order", "B")]
    one.send("chat-events", CHAT[4])
    assert assists(one) == [("order", "B"), ("payment", "A")]


def test_the_sale_and_the_refund_are_the_ruled_agents():
    refund = {**OWNER, "event_id": "e3", "order_id": "o-1", "type": "refund_completed", "amount": 300}
    one = judged(ruling("r1", agent_id="X"), orders=[*ORDERS, {**refund, "ts": PAID_TS + MINUTE_MS}])
    days = one.last(AGENT_DAILY)
    assert days["jd:1|X|2026-11-01"]["sales"]["amount"] == 900
    assert days["jd:1|X|2026-11-01"]["refunds"]["completed"] == 300
    assert days["jd:1|A|2026-11-01"]["sales"]["amount"] == 0
    assert days["jd:1|*|2026-11-01"]["sales"]["amount"] == 900


def test_an_open_task_of_the_credited_agent_changes_hands():
    clock = ManualClock(PAID_TS + HOUR_MS)
    one = Driver(settings=[{"shop_id": "jd:1", "effective_from": "2026-01-01"}], clock=clock)
    one.send_all(in_time_order(CHAT, ORDERS))
    reviewed = {**OWNER, "event_id": "e3", "order_id": "o-1", "type": "reviewed", "review": "bad"}
    one.send("order-events", {**reviewed, "ts": PAID_TS + MINUTE_MS})
    key = "jd:1|o-1|review_follow_up"
    assert one.last(TASKS)[key]["agent_id"] == "C"
    one.send(RULINGS, ruling("r1", PAID_TS + 2 * MINUTE_MS, "B"))
    task = one.last(TASKS)[key]
    assert (task["agent_id"], task["revision"], task["reason"]) == ("B", 2, "ruling")


def test_the_order_can_be_looked_up_with_its_ruling():
    one = driver()
    one.send_all(in_time_order(CHAT, ORDERS))
    one.send(RULINGS, ruling("r1"))
    one.restart()
    found = one.partitions[0].processor.find_order("jd:1", "o-1")
    assert found is not None
    assert json.loads(found)["credit"]["basis"] == "ruling"
