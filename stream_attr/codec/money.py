"""Amounts of money as people write them."""

from __future__ import annotations

from stream_attr.contract.currency import minor_digits

__all__ = ["decimal_amount", "format_money", "shown_digits"]


def format_money(amount: int, currency: str) -> str:
    """Return an amount in minor units with its ISO 4217 code: ``129_000`` of ``CNY`` is ``1,290.00 CNY``."""
    return f"{decimal_amount(amount, currency, grouped=True)} {currency}"


def decimal_amount(amount: int, currency: str, *, grouped: bool) -> str:
    """Return an amount in minor units without its currency: ``1290.00``, or ``grouped`` ``1,290.00``."""
    digits = shown_digits(currency)
    major, minor = divmod(abs(amount), 10**digits)
    sign, whole = "-" if amount < 0 else "", f"{major:,}" if grouped else f"{major}"
    return f"{sign}{whole}.{minor:0{digits}}" if digits else f"{sign}{whole}"


def shown_digits(currency: str) -> int:
    """Return the digits of the minor unit by ISO 4217; 2 for a code that is not in its list."""
    digits = minor_digits(currency)
    return 2 if digits is None else digits
