"""What a benchmark has to say, and how all of it is shown: ratios within one run, beside what is promised."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from stream_attr import __version__
from stream_attr.rules.order import attribution

__all__ = ["Row", "show", "write"]

BEGIN, END = "<!-- made by `make performance` -->", "<!-- end of what is made -->"


HEADINGS = ("figure", "measured", "promised", "spread", "note")


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
    table = Table(title=_measured_of(), title_justify="left")
    for heading in HEADINGS:
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


def write(rows: Iterable[Row], file: Path) -> None:
    """Put the rows in the place of those of the same names in a Markdown file, and others behind these."""
    before, _, rest = file.read_text(encoding="utf-8").partition(f"{BEGIN}\n")
    known, _, after = rest.partition(END)
    heads = [f"| {' | '.join(cells)} |" for cells in (HEADINGS, ("---",) * len(HEADINGS))]
    lines = {line.split(" | ")[0]: line for line in known.splitlines() if line.startswith("| ")}
    for row in rows:
        kept = " **(not kept)**" if row.met is False else ""
        cells = (row.name, row.value, row.target + kept, row.spread, row.note)
        lines[f"| {row.name}"] = f"| {' | '.join(cells)} |"
    table = "\n".join([*heads, *[line for line in lines.values() if line not in heads]])
    made = f"{_measured_of()}, Python {platform.python_version()}, {os.cpu_count()} cores, {_processor()}"
    file.write_text(f"{before}{BEGIN}\n{made}\n\n{table}\n{END}{after}", encoding="utf-8")


def _measured_of() -> str:
    how = "pure Python" if str(attribution.__file__).endswith(".py") else "compiled"
    return f"stream_attr {__version__}, {how}"


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
