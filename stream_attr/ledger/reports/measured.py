"""Measures by whose they are, time and currency, and the rows that figures make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from stream_attr.ledger.asked import Asked
from stream_attr.ledger.figures import add
from stream_attr.ledger.formulas import Kind, Measures, value
from stream_attr.ledger.reports.report import Cell, Column, Money, Row
from stream_attr.ledger.reports.scope import ShopScope, Who, who_cells, who_columns, who_of
from stream_attr.ledger.texts import Text

__all__ = [
    "AGENTS",
    "CHOSEN",
    "SHOP",
    "SILENT",
    "Key",
    "Measured",
    "Part",
    "ShopMeasures",
    "columns_of",
    "rows_of",
    "totals_of",
]

Part = tuple[tuple[str, ...], str | None]
"""The labels of a time, and a currency; None: it is not known, or there are several."""
_TIMES: Final = {
    "month": Text("month", "月份"),
    "week": Text("week", "周"),
    "day": Text("day", "日期"),
    "hour": Text("hour", "时段"),
}
_CURRENCY: Final = Column("currency", Text("currency", "币种"))
AGENTS: Final = Text("agents", "客服合计")
SILENT: Final = Text("silent", "静默")
SHOP: Final = Text("shop", "店铺合计")
CHOSEN: Final = Text("total", "合计")
"""What begins a row of sums."""


class Key(NamedTuple):
    """Whose a row is, and of which time and currency."""

    who: Who
    part: Part


class ShopMeasures(NamedTuple):
    """The measures of one shop."""

    nothing: Measures
    """Those of a shop in which nothing happened."""
    agents: dict[tuple[str, Part], dict[str, int | None]]
    silent: dict[Part, dict[str, int | None]]
    """Of nobody."""
    shop: dict[Part, dict[str, int | None]]
    """Each buyer once."""

    def sums(self, which: str) -> dict[str | None, dict[str, int | None]]:
        """Return the sums of ``agents``, ``silent`` or ``shop``, by currency."""
        found: dict[str | None, dict[str, int | None]] = {}
        for key, measures in getattr(self, which).items():
            currency = key[1][1] if which == "agents" else key[1]
            add(found.setdefault(currency, {}), measures)
        return found


@dataclass(slots=True)
class Measured:
    """Measures of all shops that have been added up."""

    own: dict[Key, dict[str, int | None]] = field(default_factory=dict)
    """Of those that are asked for."""
    agents: dict[Part, dict[str, int | None]] = field(default_factory=dict)
    """Of those that are asked for, together."""
    silent: dict[Part, dict[str, int | None]] = field(default_factory=dict)
    """Of nobody."""
    shop: dict[Part, dict[str, int | None]] = field(default_factory=dict)
    """Of the shop, each buyer once."""

    @property
    def currencies(self) -> list[str]:
        """Return the currencies of all measures."""
        return sorted({currency for _, currency in self.shop if currency is not None})

    def add_shop(self, who: str | None, shop: ShopScope, found: ShopMeasures, *, of_shop: bool) -> None:
        """Add one shop's measures; ``of_shop``: the rows are shops' own, not sums over agents."""
        for into, parts in ((self.shop, found.shop), (self.silent, found.silent)):
            for part, measures in parts.items():
                add(into.setdefault(part, {}), measures)
        if of_shop:
            key = (shop.shop_id,) if who == "shop" else ()
            currencies = {currency for _, currency in found.shop} or {None}
            for labels in shop.labels:
                for currency in currencies:
                    part = (labels, currency)
                    add(self.own.setdefault(Key(key, part), {}), found.shop.get(part, found.nothing))
            return
        for (agent_id, part), measures in found.agents.items():
            if shop.chosen is None or agent_id in shop.chosen:
                add(self.own.setdefault(Key(who_of(who, shop, agent_id), part), {}), measures)
                add(self.agents.setdefault(part, {}), measures)


def columns_of(
    who: str | None, times: Sequence[str], measured: Measured, figures: Sequence[Asked], shops: int
) -> list[Column]:
    """Return whose, when, in which currency where there are several, and a column for each figure."""
    currencies = measured.currencies
    return [
        *who_columns(who, shops),
        *(Column(one, _TIMES[one], Kind.DAY if one == "day" else Kind.TEXT) for one in times),
        *([_CURRENCY] if len(currencies) > 1 else []),
        *(Column(one.key, one.name, one.kind, _unit(one, currencies)) for one in figures),
    ]


def _unit(one: Asked, currencies: Sequence[str]) -> Text | None:
    if one.kind is Kind.MONEY:
        return Text(currencies[0], currencies[0]) if len(currencies) == 1 else None
    return one.unit if one.kind is Kind.SECONDS else None


def _of(figures: Sequence[Asked], part: Part, own: Measures, shop: Measures, before: Measures | None) -> Row:
    cells: list[Cell] = []
    for one in figures:
        number = one.value(own, shop, before)
        is_money = one.kind is Kind.MONEY and isinstance(number, int | float)
        cells.append(Money(int(number), part[1]) if is_money and number is not None else number)
    return tuple(cells)


def rows_of(
    who: str | None,
    measured: Measured,
    figures: Sequence[Asked],
    shops: Sequence[ShopScope],
    before: Measured | None = None,
) -> Iterator[Row]:
    """Yield a row for each key: by time, then by the first figure, greatest first, then by whose it is."""
    several = len(measured.currencies) > 1

    def turn(key: Key) -> tuple[object, ...]:
        number = value(figures[0].figure.formula, measured.own[key]) if figures else None
        return key.part[0], key.part[1] or "", number is None, -(number or 0), key.who

    for key in sorted(measured.own, key=turn):
        part = key.part
        then = None if before is None else before.own.get(Key(key.who, part))
        numbers = _of(figures, part, measured.own[key], measured.shop.get(part, {}), then)
        yield (*who_cells(who, key.who, shops), *part[0], *([part[1]] if several else []), *numbers)


def totals_of(
    who: str | None,
    times: Sequence[str],
    measured: Measured,
    figures: Sequence[Asked],
    shops: Sequence[ShopScope],
    before: Measured | None = None,
    *,
    chosen: bool,
) -> list[Row]:
    """Return the sums below the rows, by currency: agents, silent and shop; or those ``chosen`` and shop."""
    several = len(measured.currencies) > 1
    width = len(who_columns(who, len(shops))) + len(times)
    then = before or Measured()
    together = {
        AGENTS: (measured.agents, then.agents),
        SILENT: (measured.silent, then.silent),
        SHOP: (measured.shop, then.shop),
    }
    if chosen:
        together = {CHOSEN: together[AGENTS], SHOP: together[SHOP]}
    elif who in (None, "shop"):
        together = {SHOP: together[SHOP]}
    if not width:
        return []
    found = []
    currencies: list[str | None] = [*measured.currencies] or [None]
    for currency in currencies:
        shop = _summed(measured.shop, currency)
        for name, (parts, parts_before) in together.items():
            own = _summed(parts, currency)
            if own:
                earlier = _summed(parts_before, currency)
                numbers = _of(figures, ((), currency), own, shop, earlier)
                label: list[Cell] = [name, *[None] * (width - 1)]
                found.append((*label, *([currency] if several else []), *numbers))
    return found


def _summed(parts: dict[Part, dict[str, int | None]], currency: str | None) -> dict[str, int | None]:
    sums: dict[str, int | None] = {}
    for (_, one), measures in parts.items():
        if one == currency:
            add(sums, measures)
    return sums
