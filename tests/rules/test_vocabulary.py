"""The words of the contract are complete, and their numbers in state never change."""

from __future__ import annotations

from typing import Literal

import pytest

from stream_attr.rules.vocabulary import (
    CREDIT_RULES,
    STATE_NUMBERS,
    STATE_WORDS,
    VOCABULARIES,
    CreditRule,
    Vocabulary,
    Word,
)

NUMBERS_FOR_EVER = {
    None: 0, "pending": 1, "final": 2, "awaiting_payment": 3, "credited": 4, "silent": 5, "unpaid": 7,
    "none": 8, "semi": 9, "full": 10, "placing": 11, "payment": 12, "followup": 13, "order": 14,
    "created": 15, "paid": 16, "cancelled": 17, "refund": 18, "chat": 19, "settings": 20, "timer": 21,
    "late_event": 22, "deposit": 23, "excluded": 24, "several_payments": 25, "over_refunded": 26,
    "paid_and_cancelled": 27, "currency_differs": 28, "ruling": 29,
}  # fmt: skip
"""What state that lies on disks and brokers is written with. Add a number with a word; change none."""


def test_a_number_in_state_stays_its_words():
    assert STATE_NUMBERS == NUMBERS_FOR_EVER
    assert dict(STATE_WORDS) == {6: "cancelled"} | {number: word for word, number in NUMBERS_FOR_EVER.items()}


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=lambda one: one.title)
def test_every_word_has_a_meaning_and_a_chinese_name(vocabulary):
    assert vocabulary.chinese
    for word, row in vocabulary.items():
        assert row.meaning, word
        assert row.chinese == vocabulary.chinese_of(word), word
        assert any("\u4e00" <= char <= "\u9fff" for char in row.chinese), word


def test_a_vocabulary_has_the_words_of_its_type_and_no_others():
    assert list(CREDIT_RULES) == list(CreditRule)
    row = Word("a meaning", "意思")
    with pytest.raises(AssertionError, match="letters"):
        Vocabulary("letters", "字母", Literal["a", "b"], {"a": row})
    with pytest.raises(AssertionError, match="letters"):
        Vocabulary("letters", "字母", Literal["a"], {"a": row, "b": row})
