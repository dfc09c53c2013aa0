"""Amounts of money as people write them."""

from __future__ import annotations

__all__ = ["format_money"]

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}
"""Digits of a currency's minor unit, if they are not two."""


def format_money(amount: int, currency: str) -> str:
    """Return an amount in minor units with its ISO 4217 code: ``129_000`` of ``CNY`` is ``1,290.00 CNY``."""
    digits = MINOR_DIGITS.get(currency, 2)
    if not digits:
        return f"{amount:,} {currency}"
    major, minor = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{major:,}.{minor:0{digits}} {currency}"
