"""Hostile bytes: the answer hangs on what was sent, and on nothing that the sender quotes or nests."""

from __future__ import annotations

import sys

import pytest

from stream_attr.codec.decoding import MAX_DEPTH
from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.rules.vocabulary import CREDIT_RULES

CHAT = (
    b'{"event_id":"m1","shop_id":"jd:1","buyer_id":"b-1","agent_id":"A","ts":1793498400000,'
    b'"sender":"buyer"%s}'
)


def answer(value, decode=decode_chat):
    """The code and the field that a record gets; None if it is accepted."""
    try:
        decode(value)
    except RefusedRecord as refusal:
        return refusal.code.value, refusal.field
    return None


@pytest.mark.parametrize("garbage", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe4\xbd"])
@pytest.mark.parametrize("place", [b',"x":"%s"', b',"%s":1', b',"text":"%s"'])
def test_what_is_not_utf_8_is_not_json_wherever_it_stands(garbage, place):
    assert answer(CHAT % (place % garbage)) == ("not_json", None)
    assert answer(CHAT % (place % "好".encode())) is None


@pytest.mark.parametrize("extra", [(-1, None), (0, None), (1, ("not_json", None))])
@pytest.mark.parametrize("frames", [0, 400])
def test_how_deep_a_record_may_be_nested_hangs_on_no_stack(extra, frames):
    depth = MAX_DEPTH - 1 + extra[0]  # the record itself is one
    value = CHAT % (b',"x":' + b"[" * depth + b"]" * depth)

    def deeper(count):
        return answer(value) if count == 0 else deeper(count - 1)

    assert sys.getrecursionlimit() > frames + MAX_DEPTH
    assert deeper(frames) == extra[1]


def test_brackets_in_a_text_nest_nothing():
    assert answer(CHAT % (b',"text":"%s"' % (b'\\"[{' * 1000))) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"x":1e999,"ts":"abc"}', ("bad_type", "ts")),
        (CHAT % (b',"text_length":' + b"9" * 309), ("bad_value", "text_length")),
        (b"1e999", ("not_an_object", None)),
        (CHAT % b',"kind":"missing required field"', ("bad_value", "kind")),
        (CHAT % b',"kind":"Object missing required field `ts`"', ("bad_value", "kind")),
        (CHAT % b',"kind":"x, got `int`"', ("bad_value", "kind")),
        (CHAT % b',"kind":"Expected `int`, got `str`"', ("bad_value", "kind")),
        (CHAT % b',"kind":"x` - at `$.ts`"', ("bad_value", "kind")),
    ],
)
def test_code_and_field_are_those_of_the_first_thing_wrong_whatever_it_says(value, expected):
    assert answer(value) == expected


@pytest.mark.parametrize("name", ["missing required field", ", got `x"])
def test_an_unknown_setting_is_named_whatever_its_name(name):
    value = b'{"shop_id":"jd:1","effective_from":"2026-12-01","%s":1}' % name.encode()
    assert answer(value, decode_settings) == ("bad_value", name)


@pytest.mark.parametrize(
    ("value", "decoder", "message"),
    [
        (
            CHAT.replace(b'buyer"', b'robot"') % b"",
            decode_chat,
            "`sender`: Invalid enum value 'robot'; it is one of agent, buyer",
        ),
        (
            b'{"shop_id":"jd:1","effective_from":"2026-11-01","credit_rule":"nobody"}',
            decode_settings,
            f"`credit_rule`: Invalid enum value 'nobody'; it is one of {', '.join(CREDIT_RULES)}",
        ),
        (
            b'{"shop_id":"jd:1","effective_from":"2026-11-01","profiles":{"x":{"unlisted_agents":"no"}}}',
            decode_settings,
            "`profiles.x.unlisted_agents`: Invalid enum value 'no'; it is one of frozen, presale",
        ),
    ],
)
def test_of_a_word_that_is_not_known_the_known_ones_are_told(value, decoder, message):
    with pytest.raises(RefusedRecord) as refused:
        decoder(value)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (b'{"shop_id":"jd:1","effective_from":"2026-12-01","%s":1}' % (b"x" * 200_000), "x" * 299 + "…"),
        (b'{"shop_id":"jd:1","effective_from":"2026-12-01","preset":1}', "preset"),
        (
            b'{"shop_id":"jd:1","effective_from":"2026-12-01","credit_rule":"%s"}' % (b"x" * 9_000),
            "credit_rule",
        ),
    ],
)
def test_a_dead_letter_quotes_no_more_of_the_sender_than_people_read(value, field):
    with pytest.raises(RefusedRecord) as refused:
        decode_settings(value)
    assert refused.value.field == field
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("value", [CHAT % b"", CHAT % b',"kind":"x"', b"{"])
def test_a_byte_order_mark_is_told(value):
    with pytest.raises(RefusedRecord, match="begins with a byte order mark") as refused:
        decode_chat(b"\xef\xbb\xbf" + value)
    assert refused.value.code == "not_json"
