"""Which rules hold: a figure of a sliding window against a threshold, or against the weeks before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from psycopg import Connection

from stream_attr.errors import UnusableError
from stream_attr.ledger.alerts.figures import FIGURES, Figure, Sums
from stream_attr.ledger.alerts.rules import Rule
from stream_attr.ledger.formats.cells import is_end
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.periods import shop_zone
from stream_attr.rules.shop.days import MINUTE_MS, Zone, day_name, zone

__all__ = ["ALL_SHOPS", "Judged", "judge"]

ALL_SHOPS: Final = "*"
"""Stands for the shop where a figure is of no shop."""
_WEEKS: Final = (7, 14, 21, 28)
"""Days before, of the same hours of the same weekday."""


class Judged(NamedTuple):
    """A rule of a shop, as of a window."""

    rule: Rule
    shop_id: str
    zone: Zone
    start: int
    end: int
    """The window, half-open, epoch milliseconds; its end is 0 where nothing is known yet."""
    sums: Sums
    value: Fraction | None
    usual: Fraction | None
    """Of the weeks before, of a count on average of those that have cases; None: it is not asked for, or
    there is too little."""
    holds: bool | None
    """None: there is too little to judge by, and nothing changes."""

    @property
    def figure(self) -> Figure:
        """Return its figure."""
        return FIGURES[self.rule.figure]

    @property
    def days(self) -> tuple[str, str]:
        """Return the first and the last day of the rows behind it."""
        first = self.zone.day_of(self.start) - self.figure.days_before
        return day_name(first), day_name(self.zone.day_of(self.end - 1))


def judge(connection: Connection[Any], rules: Sequence[Rule]) -> Iterator[Judged]:
    """Yield every rule of every shop that it is of, judged in one snapshot of the ledger.

    Raises:
        UnusableError: a rule names a shop that the ledger does not know.
    """
    query = "SELECT shop_id FROM shop_settings UNION SELECT shop_id FROM agent_day ORDER BY 1"
    known = [shop_id for (shop_id,) in connection.execute(query)]
    for rule in rules:
        for shop_id in rule.shops:
            if shop_id not in known:
                raise UnusableError(
                    f"rule {rule.name!r}: there is no shop {shop_id!r} in the ledger; there are "
                    f"{', '.join(known) or 'none'}"
                )
        every = FIGURES[rule.figure].topic is None
        for shop_id in [ALL_SHOPS] if every else rule.shops or known:
            yield _judged(connection, rule, shop_id)


def _judged(connection: Connection[Any], rule: Rule, shop_id: str) -> Judged:
    figure = FIGURES[rule.figure]
    of_shop = zone("UTC") if shop_id == ALL_SHOPS else shop_zone(connection, shop_id)
    end = _known_until(connection, figure, rule)
    start = end - rule.window_minutes * MINUTE_MS
    which, limit = rule.limit
    if end <= 0:
        return Judged(rule, shop_id, of_shop, 0, 0, Sums(0, 0), None, None, None)
    sums = figure.sums(connection, _bound(shop_id, of_shop, start, end))
    value, usual = sums.value(figure.kind), None
    enough = figure.kind is Kind.COUNT or sums.cases >= rule.least
    if which.endswith("_usual"):
        before = [
            figure.sums(connection, _bound(shop_id, of_shop, *_earlier(of_shop, days, start, end)))
            for days in _WEEKS
        ]
        pooled = Sums(sum(one.part for one in before), sum(one.cases for one in before))
        if pooled.cases >= rule.least:
            usual = pooled.value(figure.kind)
            if usual is not None and figure.kind is Kind.COUNT:
                usual /= sum(one.cases > 0 for one in before)
        enough = enough and usual is not None
    holds = None
    if enough and value is not None:
        if usual is not None:
            limit = usual * (1 + limit if which == "above_usual" else 1 - limit)
        holds = value > limit if which.startswith("above") else value < limit
    return Judged(rule, shop_id, of_shop, start, end, sums, value, usual, holds)


def _known_until(connection: Connection[Any], figure: Figure, rule: Rule) -> int:
    """Return where the window ends; 0 or less where nothing is known."""
    if figure.topic is None:
        ((known,),) = connection.execute("SELECT max(known_ts) FROM sink_offset").fetchall()
        return 0 if known is None else int(known) + 1
    query = "SELECT min(watermark) FROM sink_offset WHERE topic = %s"
    ((watermark,),) = connection.execute(query, [figure.topic]).fetchall()
    if watermark is None or is_end(watermark):  # the end of files: nothing slides any more
        return 0
    return int(watermark) - rule.delay_minutes * MINUTE_MS


def _earlier(of: Zone, days: int, start: int, end: int) -> tuple[int, int]:
    """Return a window so many days earlier: the same time after the beginning of its day."""
    day = of.day_of(start)
    moved = of.start_of(day - days) + start - of.start_of(day)
    return moved, moved + end - start


def _bound(shop_id: str, of: Zone, start: int, end: int) -> dict[str, Any]:
    first, last = day_name(of.day_of(start)), day_name(of.day_of(end - 1))
    return {"shop": shop_id, "start": start, "end": end, "first": first, "last": last}
