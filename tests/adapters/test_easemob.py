"""Easemob: who spoke, who was rated, and what is no message."""

from __future__ import annotations

import pytest

from stream_attr.adapters.shared_inbox import SharedInbox
from tests.adapters.platforms import adapted, changed, chats, reasons, sample

MESSAGE, CLOSED = "legacy_callback_message", "ServiceSessionClosedEvent"
AT = 1772416820000


def message(**fields):
    return changed(sample("easemob", MESSAGE), **fields)


def asked(**fields):
    """The buyer's message twenty seconds before the agent's: without who answers."""
    buyers = {"payload__ext__weichat": {"originType": "webim"}, "from": "visitor501", "to": "kefu001"}
    return message(**buyers, timestamp=AT - 20_000, msg_id="1", **fields)


def test_the_buyers_message_is_of_the_agent_who_answers_it():
    inbox = SharedInbox()
    events = [event for one in (asked(), message()) for event in chats(inbox.take(adapted("easemob", one)))]
    assert [(event.sender, event.agent_id, event.buyer_id, event.ts) for event in events] == [
        ("buyer", "客服01", "visitor501", AT - 20_000),
        ("agent", "客服01", "visitor501", AT),
    ]


def test_an_agent_without_a_name_is_nobody():
    nameless = adapted("easemob", message(payload__ext__weichat__agent={"userNickname": None}))
    assert reasons(nameless) == ["missing_field"]
    named = adapted("easemob", message(payload__ext__weichat__agentUsername="kf-7@example.invalid"))
    assert [event.agent_id for event in chats(named)] == ["kf-7@example.invalid"]


def test_a_visitor_of_wechat_is_the_openid_on_both_sides():
    visitor = {"openid": "oSample", "source": "weixin"}
    given = adapted("easemob", message(payload__ext__weichat__visitor=visitor))
    assert [event.buyer_id for event in chats(given)] == ["oSample"]
    waiting = adapted("easemob", changed(asked(), payload__ext__weichat__visitor=visitor)).waiting
    assert [one.event.buyer_id for one in waiting] == ["oSample"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (message(eventType="chat_offline"), "ignored"),
        (message(payload__ext={}), "ignored"),
        (message(payload__ext__weichat__event={"eventName": "ServiceSessionOpenedEvent"}), "ignored"),
        (message(payload__bodies=[]), "missing_field"),
        (message(timestamp="yesterday"), "bad_time"),
        ({"event": "ServiceSessionMessageEvent", "payload": {}}, "ignored"),
        ({"a": 1}, "unknown"),
    ],
)
def test_what_is_no_message_is_counted(payload, reason):
    given = adapted("easemob", payload)
    assert (given.events, given.waiting, reasons(given)) == ((), (), [reason])


def session(**fields):
    inner = {f"payload__serviceSession__{name}": value for name, value in fields.items()}
    return changed(sample("easemob", CLOSED), **inner)


def test_a_rating_is_of_the_agent_and_not_of_a_robot():
    (rating,) = chats(adapted("easemob", session()))
    assert (rating.type, rating.agent_id, rating.score, rating.ts) == ("rating", "Agent 11", 5, 1772417100000)
    assert reasons(adapted("easemob", session(agent__type="Robot"))) == ["ignored"]
    assert reasons(adapted("easemob", session(enquiry__score=0))) == ["ignored"]
    assert reasons(adapted("easemob", session(enquiry__score=6))) == ["bad_value"]
    assert reasons(adapted("easemob", session(enquiry=None))) == ["ignored"]
