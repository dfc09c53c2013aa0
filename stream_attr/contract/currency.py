"""Digits of a currency's minor unit."""

from __future__ import annotations

from functools import cache

__all__ = ["minor_digits"]


@cache
def minor_digits(currency: str) -> int | None:
    """Return the digits of the minor unit by ISO 4217: 2 for ``CNY``, 0 for ``JPY``.

    None: the code is not in its list, or is that of something without a minor unit, such as gold.
    """
    from iso4217 import Currency  # noqa: PLC0415 -- reads its list, and a worker has no need of it

    try:
        digits: int | None = Currency(currency).exponent
    except ValueError:
        return None
    return digits
