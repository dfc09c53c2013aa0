"""Escaped lone surrogates: U+FFFD in texts, refused in identifiers, and harmless elsewhere (RULEBOOK 11)."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from stream_attr.codec.records.chat_event import _SHOWS_NOTHING, decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.records.tick import peek_ts
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.codec.surrogates import loads, mended
from stream_attr.contract.topics import CHAT
from stream_attr.kafka.publish import record_key
from stream_attr.rules.vocabulary import Code

T = 1_793_500_000_000
CHAT_EVENT = {"event_id": "m", "shop_id": "s", "buyer_id": "b", "agent_id": "A", "ts": T, "sender": "buyer"}
ORDER = {"event_id": "e", "shop_id": "s", "buyer_id": "b", "order_id": "o", "ts": T, "type": "cancelled"}
SETTINGS = {"shop_id": "s", "effective_from": "2026-11-01"}
IDENTIFIERS = ["event_id", "shop_id", "buyer_id", "agent_id", "product_id", "to_agent_id"]
HIGH, LOW = "\ud83d", "\ude00"


def data(record, **fields):
    return json.dumps({**record, **fields}).encode()  # json escapes what is not ASCII


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (HIGH, "\ufffd"),
        (LOW, "\ufffd"),
        (f"a{HIGH}", "a\ufffd"),
        (f"{HIGH}b", "\ufffdb"),
        (f"{LOW}{HIGH}", "\ufffd\ufffd"),
        (f"{HIGH}\U0001f600", "\ufffd\U0001f600"),
        (f"\\{HIGH}", "\\\ufffd"),
        (f"\\u{LOW}\\ud83d", "\\u\ufffd\\ud83d"),
    ],
)
def test_a_lone_surrogate_in_a_text_is_read_as_the_replacement_character(text, read):
    assert decode_chat(data(CHAT_EVENT, text=text)).text == read


def test_whole_pairs_and_escaped_backslashes_stay_as_they_are():
    whole = rb'{"a": "\ud83d\ude00", "b": "\\ud83d", "c": "\\\\\\uDE00"}'
    assert mended(whole) is None
    assert mended(rb'"\\\ud83d"') == rb'"\\\ufffd"'
    assert mended(rb'"\ud83d\u0041"') == rb'"\ufffd\u0041"'


@pytest.mark.parametrize(
    "unknown", [{"x": HIGH}, {"x": {"y": [LOW]}}, {HIGH: 1}], ids=["field", "nested", "name of a field"]
)
def test_a_field_that_is_not_known_is_passed_over(unknown):
    assert decode_chat(data(CHAT_EVENT, **unknown)) == decode_chat(data(CHAT_EVENT))
    assert decode_order(data(ORDER, **unknown)) == decode_order(data(ORDER))


@pytest.mark.parametrize("field", IDENTIFIERS)
def test_an_identifier_with_one_is_refused(field):
    with pytest.raises(RefusedRecord, match="an escaped lone surrogate") as refused:
        decode_chat(data(CHAT_EVENT, text=HIGH, **{field: f"x{HIGH}"}))
    assert (refused.value.code, refused.value.field) == (Code.BAD_VALUE, field)


@pytest.mark.parametrize("field", ["order_id", "product_ids"])
def test_an_identifier_of_an_order_event_with_one_is_refused(field):
    with pytest.raises(RefusedRecord) as refused:
        decode_order(data(ORDER, **{field: [LOW] if field == "product_ids" else LOW}))
    assert (refused.value.code, refused.value.field) == (Code.BAD_VALUE, field)


def test_the_replacement_character_itself_is_good_in_an_identifier():
    assert decode_chat(data(CHAT_EVENT, buyer_id="\ufffd", text=LOW)).buyer_id == "\ufffd"


def test_what_else_is_wrong_is_said_and_not_the_surrogate():
    for fields, code, field in (
        ({"ts": "x"}, Code.BAD_TYPE, "ts"),
        ({"sender": HIGH}, Code.BAD_VALUE, "sender"),
        ({"buyer_id": "a|b"}, Code.BAD_VALUE, "buyer_id"),
    ):
        with pytest.raises(RefusedRecord) as refused:
            decode_chat(data(CHAT_EVENT, **{"text": HIGH, **fields}))
        assert (refused.value.code, refused.value.field) == (code, field)
    with pytest.raises(RefusedRecord) as refused:
        decode_chat(data(CHAT_EVENT, text=HIGH)[:-1])
    assert refused.value.code == Code.NOT_JSON


def test_texts_of_roster_and_settings_are_mended_and_their_identifiers_refused():
    roster = {"shop_id": "s", "agent_id": "A", "role": "presale", "effective_from": "2026-11-01"}
    assert decode_roster(data(roster, name=f"Ann {HIGH}")).name == "Ann \ufffd"
    with pytest.raises(RefusedRecord, match="agent_id"):
        decode_roster(data(roster, agent_id=HIGH))
    advert = {"filters": {"advert": {"enabled": True, "phrase": LOW}}}
    settings = decode_settings(data(SETTINGS, **advert, profiles={"p": advert}))
    assert settings.settings.filters.advert_phrase == "\ufffd"
    assert settings.profiles["p"].filters.advert_phrase == "\ufffd"
    for accounts in ({"official_accounts": [HIGH]}, {"profiles": {"p": {"official_accounts": [HIGH]}}}):
        with pytest.raises(RefusedRecord, match="official_accounts"):
            decode_settings(data(SETTINGS, **accounts))


def test_its_time_and_its_key_are_found():
    value = data(CHAT_EVENT, text=HIGH)
    assert peek_ts(value) == T
    assert record_key(CHAT, loads(value)) == "s|b"


def test_what_shows_nothing_is_white_space_and_the_category_cf_of_any_unicode_and_five_fillers():
    every = map(chr, range(sys.maxunicode + 1))
    named = {one for one in every if one.isspace() or unicodedata.category(one) == "Cf"}
    assert named | set("\u115f\u1160\u2800\u3164\uffa0") <= _SHOWS_NOTHING
    later = {one for one in _SHOWS_NOTHING - named if unicodedata.category(one) == "Cn"}
    assert later <= set(map(chr, range(0x13439, 0x13440)))  # of Unicode 15: Python 3.11 has 14
