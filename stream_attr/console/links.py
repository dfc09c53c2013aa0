"""Addresses of screens: every number leads to its rows, every row to its receipt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from stream_attr.ledger.figures import FIGURES, Figure
from stream_attr.ledger.formulas import Total
from stream_attr.ledger.periods import period
from stream_attr.ledger.reports.measured import AGENTS, CHOSEN, SHOP, SILENT
from stream_attr.ledger.reports.orders import BEHIND
from stream_attr.ledger.reports.report import Cell, Column
from stream_attr.ledger.reports.review import rows_behind
from stream_attr.ledger.texts import Text
from stream_attr.rules.shop.days import day_name

__all__ = ["LOST", "RECEPTIONS", "changed", "link_of", "to"]

Pairs = Sequence[tuple[str, str]]
_AGENTS: Final = ("agent", "placing_agent", "payment_agent", "credit", "other_agent")
"""Columns that name an agent by id."""

_ORDERS: Final = ("orders", "open_orders")
"""Columns that name orders by id; one leads to it."""
LOST: Final = {
    "inquiries.lost": "lost",
    "payments.payment_lost": "payment_lost",
    "workload.unreplied": "unreplied",
    "workload.slow_receptions": "slow",
}
"""Figures that count rows of the report of losses, and their kind."""
RECEPTIONS: Final = {"workload.receptions": ("counted",), "workload.consults": ("counted", "filtered")}
"""Figures that count rows of the report of receptions, and their kinds."""
_BY_NAME: Final = {one.name: one for one in FIGURES.values()}


def to(path: str, **query: str | Sequence[str] | None) -> str:
    """Return an address; what is None is left out."""
    pairs = []
    for name, value in query.items():
        values = [value] if isinstance(value, str) else value or ()
        pairs += [(name.removesuffix("_"), one) for one in values]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def changed(path: str, pairs: Pairs, **changes: str | None) -> str:
    """Return an address with some of its values replaced; None: left out."""
    names = {name.removesuffix("_"): value for name, value in changes.items()}
    kept = [(name, value) for name, value in pairs if name not in names and value]
    kept += [(name, value) for name, value in names.items() if value is not None]
    return f"{path}?{urlencode(kept)}" if kept else path


def link_of(
    column: Column,
    value: Cell,
    row: Mapping[str, Cell],
    pairs: Pairs,
    shop_id: str,
    own: Collection[str] | None = None,
) -> str | None:
    """Return where a cell of a report leads; None: nowhere.

    ``row``: its cells by column. ``pairs``: the query string of the screen, whose period is kept, and in a
    row that names nobody its agents, too. ``own``: the agents whose pages there are for the reader; None:
    all.
    """
    if value is None or isinstance(value, Text):
        return None
    of = named if isinstance(named := row.get("shop"), str) else shop_id
    days = {name: text for name, text in pairs if name in ("from", "to")}
    if column.key in ("order", "order_id"):
        return to("/order", shop=of, order=str(value))
    if column.key in _ORDERS and isinstance(value, str) and "," not in value:
        return to("/order", shop=of, order=value)
    if column.key in _AGENTS or (column.key in ("from", "to") and "from_basis" in row):
        if own is not None and value not in own:
            return None
        return to("/agent", shop=of, agent=str(value), from_=days.get("from"), to=days.get("to"))
    if column.key == "buyer":
        return to("/buyer", shop=of, buyer=str(value), **_days_of_buyer(row))
    if column.key in ("now", "then") and "dimension" in row:
        return _review_link(column.key, row, pairs, of)
    if column.key == "receptions":
        return _receptions_link(row, pairs, of, days)
    figure = _goal(row) if column.key == "actual" else FIGURES.get(column.key)
    if figure is None or not isinstance(figure.formula, Total) or figure.formula.less is not None:
        return None
    when, whose = _when(row, days), _whose(row, pairs, figure.group)
    if when is None or whose is None:
        return None
    if figure.group in BEHIND:
        return to("/orders", shop=of, from_=when[0], to=when[1], behind=figure.group, **whose)
    if figure.key == "workload.receptions" or (figure.key in RECEPTIONS and whose):
        kinds = RECEPTIONS[figure.key]
        return to("/receptions", shop=of, from_=when[0], to=when[1], kind=kinds, **whose)
    if figure.key in LOST and whose:  # of the shop each buyer counts once
        return to("/losses", shop=of, from_=when[0], to=when[1], kind=LOST[figure.key], **whose)
    return None


def _goal(row: Mapping[str, Cell]) -> Figure | None:
    """Return the figure of a row of goals."""
    return _BY_NAME.get(name) if isinstance(name := row.get("figure"), Text) else None


def _receptions_link(
    row: Mapping[str, Cell], pairs: Pairs, shop_id: str, days: Mapping[str, str]
) -> str | None:
    """Return where the receptions are that began in an hour of pressure, or came in on a day."""
    if isinstance(day := row.get("day"), str):
        return to("/receptions", shop=shop_id, from_=day, to=day)
    weekday, hour = row.get("weekday"), row.get("hour")
    if not isinstance(weekday, Text) or not isinstance(hour, str):
        return None
    return to(
        "/receptions",
        shop=shop_id,
        from_=days.get("from"),
        to=days.get("to"),
        kind="counted",
        weekday=weekday.english.lower(),
        hour=hour,
        **_agents_asked(pairs),
    )


def _review_link(side: str, row: Mapping[str, Cell], pairs: Pairs, shop_id: str) -> str | None:
    """Return where the orders or receptions are that a number of one of two periods is of."""
    behind, days = rows_behind(row), dict(pairs)
    if behind is None:
        return None
    report, asked = behind
    of = period(days["from"], days["to"])
    of = of if side == "now" else of.before
    agents = [
        (name, one) for name, one in pairs if name in ("agent", "group", "person") and name not in asked
    ]
    query = [("shop", shop_id), ("from", day_name(of.first)), ("to", day_name(of.last)), *agents]
    return f"/{report}?{urlencode([*query, *asked.items()])}"


def _when(row: Mapping[str, Cell], days: Mapping[str, str]) -> tuple[str | None, str | None] | None:
    """Return the first and last day of a row; None: it is of some hours of them."""
    if "hour" in row:
        return None
    if "target" in row:
        return str(row["from"]), str(row["to"])
    for name in ("day", "week", "month"):
        if isinstance(label := row.get(name), str):
            first, _, last = label.partition(" \N{EN DASH} ")
            return first, last or first
    return days.get("from"), days.get("to")


def _whose(row: Mapping[str, Cell], pairs: Pairs, group: str) -> dict[str, str | list[str]] | None:
    """Return whose orders or receptions a row is about, as a query string says it; None: it cannot."""
    if "target" in row:
        return {"agent": agent} if isinstance(agent := row["agent"], str) else {}
    label = next((one for one in row.values() if isinstance(one, Text)), None)
    if label == SHOP or (label == AGENTS and group == "workload"):  # no reception is nobody's
        return {}
    if label in (AGENTS, SILENT):
        outcome = "credited" if label == AGENTS else "silent"
        return {"outcome": outcome} if group in ("sales", "refunds") else None
    if label is not None and label != CHOSEN:  # those of no group
        return None
    for name in ("agent", "person", "group"):
        if label is None and name in row:
            return {name: value} if isinstance(value := row[name], str) else None
    return _agents_asked(pairs)


def _agents_asked(pairs: Pairs) -> dict[str, str | list[str]]:
    """Return which agents the screen is asked for, as a query string says it."""
    return {
        name: found
        for name in ("agent", "person", "group")
        if (found := [value for key, value in pairs if key == name and value])
    }


def _days_of_buyer(row: Mapping[str, Cell]) -> dict[str, str]:
    """Return which of a buyer's days a row is about: its own, or those of its order."""
    day, order = row.get("day"), row.get("order")
    if isinstance(day, str):
        return {"from_": day, "to": day}
    return {"order": order} if isinstance(order, str) else {}
