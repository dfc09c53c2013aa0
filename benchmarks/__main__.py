"""``python benchmarks``: every figure that is promised, as ratios within one run, in one table.

It measures the stream_attr that the Python in use has installed: ``make bench`` and ``make performance`` a
compiled one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import click

from table import Row, show, write

QUICK = ("replay", "memory", "poison", "worker", "gateway", "ledger")
"""Modules whose ``run`` measures something; together they take less than five minutes."""
THOROUGH = (
    *("imports", "reports", "console", "lab", "where", "worker_parts", "asof", "ceiling", "kafka_streams"),
    *("latency", "events", "buyers", "workers"),
)
"""What takes longer, or needs more installed: drawn, too."""
OF_SCALE = ("events", "buyers", "workers")
"""Functions of the module ``scale``."""


@click.command()
@click.option("--only", multiple=True, type=click.Choice(QUICK + THOROUGH), help="Measure this alone.")
@click.option("--thorough", is_flag=True, help="Measure what takes longer, too (an hour).")
@click.option(
    "--write",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Put the rows, as they are measured, in the place of those in this file's table; "
    "drawings into plots/ beside it.",
)
def command(only: tuple[str, ...], thorough: bool, file: Path | None) -> None:
    """Measure, and print the figures beside what is promised; exit status 1 where a promise is not kept."""
    rows: list[Row] = []
    plots = (Path(".cache") if file is None else file.parent) / "plots"
    for name in only or (QUICK + THOROUGH if thorough else QUICK):
        click.echo(f"measuring: {name}", err=True)
        measure = _benchmark(name)
        measured = measure(plots) if name in THOROUGH else measure()
        if file is not None:
            write(measured, file)
        rows += measured
    sys.exit(0 if show(rows) else 1)


def _benchmark(name: str) -> Callable[..., list[Row]]:
    """Import one only when it is asked for: not all that the others need may be installed."""
    if name in OF_SCALE:
        measure: Callable[..., list[Row]] = getattr(importlib.import_module("scale"), name)
        return measure
    run: Callable[..., list[Row]] = importlib.import_module(name).run
    return run


if __name__ == "__main__":
    command()
