"""Whose a message to a shared inbox is."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stream_attr.adapters.collector import Adapted, Answer, Waiting
from stream_attr.adapters.shared_inbox import PATIENCE_MS, SharedInbox
from stream_attr.contract.records.chat_event import ChatEvent
from tests.adapters.platforms import chats

T = 1772416800000


def asked(number: int, ts: int, assignee: str = "", conversation: str = "c") -> Adapted:
    event = ChatEvent(f"m{number}", "s", "b", assignee, ts, sender="buyer")
    return Adapted((), (), waiting=(Waiting(conversation, event),))


def answered(number: int, ts: int, agent: str, conversation: str = "c") -> Adapted:
    event = ChatEvent(f"a{number}", "s", "b", agent, ts, sender="agent")
    return Adapted((event,), (), answers=(Answer(conversation, agent, ts),))


def agents_of(*payloads: Adapted) -> dict[str, str]:
    """By message: whose it is, when all came in this order."""
    inbox = SharedInbox()
    given = [inbox.take(one) for one in payloads]
    given.append(inbox.expire())
    events = [event for one in given for event in chats(one)]
    assert len({event.event_id for event in events}) == len(events)
    return {event.event_id: event.agent_id for event in events if event.sender == "buyer"}


def test_it_is_of_the_one_who_answers_next_and_not_of_the_one_it_is_assigned_to():
    assert agents_of(asked(1, T, "anna"), answered(1, T + 1, "bert"), answered(2, T + 2, "anna")) == {
        "m1": "bert"
    }


def test_an_answer_before_it_or_of_another_conversation_is_none():
    assert agents_of(
        answered(1, T - 1, "anna"),
        asked(1, T),
        answered(2, T + 5, "carl", "other"),
        answered(3, T + 9, "bert"),
    ) == {"m1": "bert"}


def test_an_answer_at_the_same_millisecond_is_one():
    assert agents_of(asked(1, T), answered(1, T, "anna")) == {"m1": "anna"}


def test_what_nobody_answers_is_of_whom_it_is_assigned_to_or_nobodys():
    inbox = SharedInbox()
    inbox.take(asked(1, T, "anna"))
    inbox.take(asked(2, T + 1))
    assert inbox.expire(T + PATIENCE_MS).events == ()
    late = inbox.expire(T + PATIENCE_MS + 2)
    assert [event.agent_id for event in chats(late)] == ["anna"]
    assert [skip.reason.value for skip in late.skipped] == ["nobody_answered"]
    assert inbox.expire() == Adapted((), ())


def test_an_answer_counts_for_a_day_at_most():
    for after, whose in ((PATIENCE_MS - 1, "bert"), (PATIENCE_MS, "bert"), (PATIENCE_MS + 1, "anna")):
        assert agents_of(asked(1, T, "anna"), answered(1, T + after, "bert")) == {"m1": whose}


def test_a_payload_that_comes_twice_changes_nothing():
    payloads = [asked(1, T), answered(1, T + 1, "anna")]
    inbox = SharedInbox()
    first = [inbox.take(one) for one in payloads]
    again = [inbox.take(one) for one in payloads]
    ids = [event.event_id for one in first for event in one.events]
    assert sorted(ids) == ["a1", "m1"]
    assert [event.agent_id for one in again for event in chats(one) if event.event_id == "m1"] == ["anna"]


def test_an_answer_that_comes_before_its_question_is_found():
    payloads = [asked(1, T), asked(2, T + 2), answered(1, T + 1, "anna"), answered(2, T + 3, "bert")]
    for turn in itertools.permutations(payloads):
        order = [one.answers[0].ts for one in turn if one.answers]
        if order == sorted(order):
            assert agents_of(*turn) == {"m1": "anna", "m2": "bert"}


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 50), st.sampled_from(["anna", "bert", "carl"])), max_size=12
    )
)
def test_in_the_order_of_time_it_is_the_first_answer_at_or_after(said):
    said.sort(key=lambda one: (one[1], one[0]))  # the buyer's before an agent's at one millisecond
    payloads = [
        answered(n, T + at, agent) if by_agent else asked(n, T + at, "dora")
        for n, (by_agent, at, agent) in enumerate(said)
    ]
    expected = {
        f"m{n}": next((agent for by, then, agent in said if by and then >= at), "dora")
        for n, (by_agent, at, _) in enumerate(said)
        if not by_agent
    }
    if any(
        by and other and a == b and x != y for (by, a, x), (other, b, y) in itertools.combinations(said, 2)
    ):
        return  # two answer at one millisecond: whichever came first
    assert agents_of(*payloads) == expected
