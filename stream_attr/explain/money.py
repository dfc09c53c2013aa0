"""Amounts of money as people write them."""

from __future__ import annotations

from functools import cache

__all__ = ["format_money"]


def format_money(amount: int, currency: str) -> str:
    """Return an amount in minor units with its ISO 4217 code: ``129_000`` of ``CNY`` is ``1,290.00 CNY``."""
    digits = _minor_digits(currency)
    if not digits:
        return f"{amount:,} {currency}"
    major, minor = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{major:,}.{minor:0{digits}} {currency}"


@cache
def _minor_digits(currency: str) -> int:
    """Return the digits of the minor unit by ISO 4217; 2 for a code that is not in its list."""
    from iso4217 import Currency  # noqa: PLC0415 -- only for commands that show money, not for the worker

    try:
        digits: int | None = Currency(currency).exponent
    except ValueError:
        return 2
    return 2 if digits is None else digits
