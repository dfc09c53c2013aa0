"""How anything is told in words: sentences of a language, times in a shop's zone, spans, money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from stream_attr.rules.shop.days import DAY_MS, HOUR_MS, MINUTE_MS

__all__ = ["Teller", "money"]

MINOR_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3}
"""Digits after the point of a currency (ISO 4217) where they are not two."""

LAST_TS = 253_402_300_800_000
"""The year 10000: what lies there is the end of time of a replay."""


def money(amount: int, currency: str) -> str:
    """An amount in minor units, as people write it: ``1,290.00 CNY``."""
    digits = MINOR_DIGITS.get(currency, 2)
    if not digits:
        return f"{amount:,} {currency}"
    whole, part = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{digits}} {currency}"


class Teller:
    """Tells in the sentences of one language, and the times of one zone."""

    def __init__(self, words: Mapping[str, str], zone: str) -> None:
        self._words = words
        self._zone = ZoneInfo(zone)

    def _say(self, key: str, **parts: object) -> str:
        return self._words[key].format(**parts)

    def _count(self, key: str, n: int) -> str:
        return self._say(key if n != 1 else f"{key}_1", n=n)

    def _section(self, name: str, lines: Sequence[str], **parts: object) -> Iterator[str]:
        if lines:
            yield ""
            yield self._say(f"head_{name}", **parts)
            yield from (f"  {line}" for line in lines)

    def _when(self, ts: int) -> str:
        if ts >= LAST_TS:
            return self._words["end_of_input"]
        moment = datetime.fromtimestamp(ts // 1000, UTC).astimezone(self._zone)
        thousandths = f".{ts % 1000:03}" if ts % 1000 else ""
        return f"{moment:%Y-%m-%d %H:%M:%S}{thousandths}"

    def _span(self, ms: int) -> str:
        """A length of time in its two largest units; below a minute to the millisecond."""
        if ms < MINUTE_MS:
            return self._exact(ms)
        units = (("days", DAY_MS), ("hours", HOUR_MS), ("minutes", MINUTE_MS), ("seconds", 1000))
        parts = []
        for name, unit in units:
            count, ms = divmod(ms, unit)
            if count:
                parts.append(self._say(name, n=count))
        return " ".join(parts[:2])

    def _exact(self, ms: int) -> str:
        """A length of time to the millisecond, in seconds, so that it can be reckoned with."""
        return self._say("seconds", n=f"{ms / 1000:.3f}".rstrip("0").rstrip("."))
