"""Texts that show nothing, and what is left of a character that was cut (RULEBOOK 4 and 11), by hand."""

from __future__ import annotations

import pytest

from tests.reference.facts import facts
from tests.reference.shorthand import NOON, Json, message, shop_settings


def fact_of(answer: Json, **settings: object) -> Json:
    chat = [message(NOON, "A", "buyer"), answer]
    (fact,) = facts(chat, [], shop_settings(**settings), [], None).values()
    return fact


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t\n", "\u3000", "\u00a0"),
        *("\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060", "\U000e0041"),  # category Cf
        *("\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"),
        "\u200b \u2800",
    ],
)
def test_a_reply_that_shows_nothing_is_none(text: str) -> None:
    assert fact_of(message(NOON + 1, "A", "agent", text=text))["replied"] is False


@pytest.mark.parametrize(
    "text", [".", "\u200ba", "\ufe0f", "\u0301", "\ufffd", "x\ud83d", "\u2801", "\u3163"]
)
def test_a_reply_that_shows_anything_is_one(text: str) -> None:
    fact = fact_of(message(NOON + 1, "A", "agent", text=text))
    assert (fact["replied"], fact["agent_characters"]) == (True, len(text))


def test_a_reply_cut_inside_an_emoji_is_read_with_a_replacement_character() -> None:
    cut = message(NOON + 1, "A", "agent", text="好的\ud83d")
    assert fact_of(cut)["agent_characters"] == 3
    advert: dict[str, object] = {"enabled": True, "phrase": "好的\ufffd"}
    assert fact_of(cut, filters={"advert": advert})["filtered"] == "advert"
    prefixed = message(NOON + 1, "A", "agent", text="\udc4d好的")
    assert fact_of(prefixed, auto_reply={"identify": True, "prefix": "\ufffd"})["agent_messages"] == 0
