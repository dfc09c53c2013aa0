"""Text that others chose as people see it: what a terminal would obey, or what is not seen, is an escape."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_attr.codec.visible import visible, visible_json, visible_lines

UNSEEN = (
    "\x00\x07\b\t\n\r\x1b\x7f\x80\x85\x9b\x9d\xad"
    "\u034f\u061c\u115f\u1160\u17b4\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2064\u2066\u2067\u2068\u2069\u206f\u2800\u3164\ufeff\uffa0\ufff9\ud800\udc9b\udfff"
    "\U0001d173\U000e0001\U000e0041\ufe0f\U000e0100"
)
HOSTILE = st.text(st.one_of(st.sampled_from(UNSEEN), st.characters(), st.sampled_from('a归\\"\n😀')))
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def controls(text: str) -> set[str]:
    """What of a text no terminal may be sent."""
    return {char for char in text if unicodedata.category(char) in FORBIDDEN}


@given(HOSTILE)
def test_nothing_unseen_is_left_and_a_line_stays_one_line(text: str) -> None:
    shown = visible(text)
    assert not controls(shown)
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@given(HOSTILE)
def test_lines_keep_their_line_feeds_and_no_other_control(text: str) -> None:
    shown = visible_lines(text)
    assert controls(shown) <= {"\n"}
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize("char", UNSEEN)
def test_what_is_not_seen_is_shown_as_an_escape(char: str) -> None:
    assert visible(f"an{char}na") == f"an{char.encode('unicode_escape').decode()}na"


@pytest.mark.parametrize(
    "name",
    [
        "客服小雨",
        "欧阳\u3000娜娜",  # an ideographic space
        "葛\U000e0100城",  # the form of a character that a name is written with
        "Zoe\u0308",  # a combining letter
        "Nguyễn Thị Ánh",
        "שרה",
        "สมชาย",
        "प्रिया",
        "❤\ufe0f 👍🏽 😀",
        "C:\\agents\\anna",
        "a/b|c (d) 'e'",
        "",
    ],
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert visible(name) == name
    assert json.loads(visible_json(json.dumps(name, ensure_ascii=False).encode())) == name
    assert visible_json(json.dumps(name, ensure_ascii=False).encode()).decode() == json.dumps(
        name, ensure_ascii=False
    )


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | HOSTILE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4),
    max_leaves=8,
)


@given(values, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_json_shows_nothing_unseen_and_parses_to_the_same_value(
    value: object, escaped: bool, indent: int | str | None
) -> None:
    try:
        data = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
    except UnicodeEncodeError:  # a lone surrogate has no other spelling in UTF-8 than an escape
        data = json.dumps(value, indent=indent).encode()
    shown = visible_json(data)
    assert not controls(shown.decode())
    assert len(shown.decode().splitlines()) == 1
    assert json.loads(shown) == value


def test_bytes_that_are_no_utf_8_show_that_they_are_not() -> None:
    assert visible_json(b'"\x9b31m\xff"').decode() == '"\ufffd31m\ufffd"'
