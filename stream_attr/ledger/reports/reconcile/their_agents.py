"""The agents of a platform's sheet: figures as exact numbers, with the digits that the sheet has."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from stream_attr.ledger.figures import FIGURES
from stream_attr.ledger.formulas import Kind
from stream_attr.ledger.reports.reconcile.sheet import TheirSheet
from stream_attr.sheets.cells import amount, count, duration, minor_units, rate
from stream_attr.sheets.columns import Dropped
from stream_attr.sheets.exports import AGENT, NO_REFUND
from stream_attr.sheets.places import Cell, SheetError

__all__ = ["SheetFigure", "TheirAgent", "TheirAgents", "read_agents"]

_OUR_UNIT: Final = {Kind.RATE: Decimal("0.0001"), Kind.RATIO: Decimal("0.0001"), Kind.SECONDS: Decimal(1)}
"""Of rates and ratios we have four decimals, of durations milliseconds."""


class SheetFigure(NamedTuple):
    """A figure as a sheet says it."""

    number: Decimal
    """In our units: minor units of money, milliseconds, a rate as a ratio."""
    unit: Decimal | None
    """Of its last digit, ours where that is more; None: it is exact."""

    def is_like(self, ours: Decimal) -> bool:
        """Whether a number of ours is the same as far as the digits go, be the sheet's rounded or cut off."""
        return self.number == ours if self.unit is None else abs(self.number - ours) < self.unit


@dataclass(slots=True)
class TheirAgent:
    """An agent as the sheet has it."""

    name: str
    row: int
    figures: dict[str, SheetFigure | None] = field(default_factory=dict)
    """By key; None: the sheet says that there is nothing."""


@dataclass(slots=True)
class TheirAgents:
    """What a sheet of agents says."""

    agents: list[TheirAgent] = field(default_factory=list)
    dropped: Dropped = field(default_factory=Dropped)


def read_agents(sheet: TheirSheet, currency: str) -> TheirAgents:
    """Return the agents of a sheet; amounts are in ``currency``.

    Raises SheetError for a cell that cannot be read, and for an agent in two rows.
    """
    found = TheirAgents()
    rows: dict[str, int] = {}
    for row in sheet.rows(found.dropped):
        cell = sheet.cell(row, AGENT)
        assert cell is not None
        if cell.text in rows:
            raise SheetError(f"{cell.place}: agent {cell.text!r} is in row {rows[cell.text]} too: delete one")
        rows[cell.text] = row.number
        agent = TheirAgent(cell.text, row.number)
        for key in sheet.positions:
            if key != AGENT:
                of_figure = sheet.cell(row, key)
                assert of_figure is not None
                agent.figures[key] = _figure_of(of_figure, FIGURES[key].kind, currency)
        found.agents.append(agent)
    return found


def _figure_of(cell: Cell, kind: Kind, currency: str) -> SheetFigure | None:
    if kind is Kind.MONEY:
        minor = 0 if cell.text in NO_REFUND else minor_units(cell, currency)
        return None if minor is None else SheetFigure(Decimal(minor), None)
    if kind is Kind.COUNT:
        whole = count(cell)
        return None if whole is None else SheetFigure(Decimal(whole), None)
    read = {Kind.RATE: rate, Kind.SECONDS: duration}.get(kind, amount)
    number = read(cell)
    if number is None:
        return None
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    scale = 1000 if kind is Kind.SECONDS else 1
    return SheetFigure(number * scale, max(Decimal(1).scaleb(exponent) * scale, _OUR_UNIT[kind]))
