"""Digits of minor units, by ISO 4217."""

from __future__ import annotations

import pytest

from stream_attr.contract.currency import minor_digits


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("CNY", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XAU", None), ("ZZZ", None), ("cny", None)],
)
def test_a_currency_has_the_digits_that_iso_4217_says(currency, digits):
    assert minor_digits(currency) == digits
