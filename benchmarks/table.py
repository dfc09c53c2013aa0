"""What a benchmark has to say, and how all of it is shown: ratios within one run, beside what is promised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from stream_attr import __version__
from stream_attr.core import attribution

__all__ = ["Row", "show"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    value: str
    """With its unit."""
    target: str = ""
    """What was promised; empty: nothing, the figure is for information."""
    spread: str = ""
    """Least and greatest of the repetitions; empty: there was one."""
    note: str = ""
    met: bool | None = None
    """Whether the promise is kept; None where there is none."""


def show(rows: Iterable[Row]) -> bool:
    """Print the rows as a table; whether every promise is kept."""
    rows = list(rows)
    how = "pure Python" if str(attribution.__file__).endswith(".py") else "compiled"
    table = Table(title=f"stream_attr {__version__}, {how}", title_justify="left")
    for heading in ("figure", "measured", "promised", "spread", "note"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        colour = {None: "", True: "green", False: "red"}[row.met]
        table.add_row(
            row.name,
            f"[{colour}]{row.value}[/]" if colour else row.value,
            row.target,
            row.spread,
            row.note,
        )
    Console().print(table)
    return all(row.met is not False for row in rows)
