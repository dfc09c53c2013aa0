"""What is kept of a message, its text above all: nothing but its length and its flags (RULEBOOK 2, 4)."""

from __future__ import annotations

import json

import pytest

from stream_attr.codec.records.chat_event import decode_chat, message_of
from stream_attr.codec.records.order_event import decode_order, placed_of
from stream_attr.rules.chat.message import (
    AGENT,
    AUTO_REPLY,
    BLANK,
    BROADCAST,
    BUYER,
    PRODUCT_PAGE,
    SUBACCOUNT,
    Message,
)
from stream_attr.rules.order.facts import Placed
from stream_attr.rules.shop.day_rules import SettingsRecord
from stream_attr.rules.shop.settings import AutoReply, Filters, Settings
from stream_attr.rules.shop.shop import Shop

T = 1_793_500_000_000
SECRET = "我的电话是 13800000000"
IDS = {"event_id": "m1", "shop_id": "jd:1", "buyer_id": "b-1", "agent_id": "A", "ts": T}


@pytest.fixture
def shop():
    rules = Settings(
        auto_reply=AutoReply(identify=True, prefix="^"), filters=Filters(advert=True, advert_phrase="^bye")
    )
    shop = Shop("jd:1")
    shop.add_settings(SettingsRecord(0, 0, rules, {}), "Asia/Shanghai")
    return shop


def kept(shop, **fields):
    return message_of(decode_chat(json.dumps({**IDS, "sender": "agent", **fields}).encode()), shop)


@pytest.mark.parametrize(
    ("fields", "blank", "characters"),
    [
        ({}, False, 0),
        ({"text": "hi"}, False, 2),
        ({"text": "祝生活愉快"}, False, 5),
        ({"text": "😀"}, False, 1),
        ({"text": ""}, True, 0),
        ({"text": " \t\n\u3000\u00a0"}, True, 5),
        ({"text": "\u200b"}, True, 1),
        ({"text": "\ufeff\u2060 \u00ad\U000e0041"}, True, 5),
        ({"text": "\u115f\u1160\u2800\u3164\uffa0"}, True, 5),
        ({"text": "\u3164a"}, False, 2),
        ({"text": "\u2800\u2801"}, False, 2),
        ({"text": "\u200b", "kind": "image"}, False, 1),
        ({"text": "\ufe0f"}, False, 1),  # a variation selector is a mark (Mn)
        ({"text_length": 0}, True, 0),
        ({"text_length": 1}, False, 1),
        ({"text": "hi", "text_length": 0}, False, 2),
        ({"text": " ", "text_length": 9}, True, 1),
        ({"text": "", "kind": "image"}, False, 0),
        ({"text": "", "kind": "card"}, False, 0),
        ({"text_length": 0, "kind": "image"}, False, 0),
        ({"text": "", "kind": "broadcast"}, True, 0),
        ({"text": "", "kind": "auto_reply"}, True, 0),
    ],
)
@pytest.mark.parametrize("sender", ["buyer", "agent"])
def test_blank_and_characters(shop, fields, blank, characters, sender):
    message = kept(shop, sender=sender, **fields)
    assert (bool(message.flags & BLANK), message.characters) == (blank, characters)


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({}, 0),
        ({"kind": "broadcast"}, BROADCAST),
        ({"kind": "auto_reply"}, AUTO_REPLY),
        ({"entry": "product_page"}, 0),
        ({"sender": "buyer", "entry": "product_page"}, PRODUCT_PAGE),
        ({"sender": "buyer", "entry": "order_page"}, 0),
        ({"sender": "buyer", "buyer_is_subaccount": True}, SUBACCOUNT),
        ({"buyer_is_subaccount": True}, SUBACCOUNT),
        ({"buyer_is_subaccount": False}, 0),
    ],
)
def test_flags(shop, fields, flags):
    assert kept(shop, **fields).flags == flags


@pytest.mark.parametrize(
    ("text", "patterns"),
    [("^hello", {"^"}), ("hello^", set()), ("^bye", {"^", "^bye"}), ("^bye ", {"^"}), ("bye", set())],
)
def test_texts_are_matched_against_the_patterns_of_the_day(shop, text, patterns):
    flags = kept(shop, text=text).flags
    assert {pattern.text for pattern, bit in shop.patterns_on(0).items() if flags & bit} == patterns
    assert kept(shop, sender="buyer", text=text).flags == 0


def test_nothing_of_the_text_is_kept(shop):
    message = kept(shop, text=SECRET)
    assert message == Message(T, AGENT, "m1", 0, len(SECRET), None)
    assert not set(map(str, message)) & set(SECRET.split())


def test_what_else_is_kept(shop):
    assert kept(shop, sender="buyer", product_id="p-1") == Message(T, BUYER, "m1", 0, 0, "p-1")


def test_what_is_kept_of_an_order_event():
    ids = {"event_id": "e1", "shop_id": "jd:1", "buyer_id": "b-1", "order_id": "o-1", "ts": T}
    least = {**ids, "type": "created", "amount": 5}
    most = {**ids, "type": "paid", "amount": 5, "quantity": 2, "currency": "EUR", "created_ts": T - 1}
    most["product_ids"] = ["p-1", "p-2"]
    assert placed_of(decode_order(json.dumps(least).encode())) == Placed(T, "e1", 5, None, None, (), None)
    assert placed_of(decode_order(json.dumps(most).encode())) == Placed(
        T, "e1", 5, 2, "EUR", ("p-1", "p-2"), T - 1
    )
