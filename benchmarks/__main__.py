"""``python benchmarks``: every figure that is promised, as ratios within one run, in one table.

It measures the stream_attr that the Python in use has installed: ``make bench`` a compiled one.
"""

from __future__ import annotations

import sys

import click

import memory
import poison
import replay
import worker
from table import Row, show

BENCHMARKS = {"replay": replay.run, "memory": memory.run, "poison": poison.run, "worker": worker.run}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(BENCHMARKS)), help="Measure this alone.")
def command(only: tuple[str, ...]) -> None:
    """Measure, and print the figures beside what is promised; exit status 1 where a promise is not kept."""
    rows: list[Row] = []
    for name in only or BENCHMARKS:
        click.echo(f"measuring: {name}", err=True)
        rows += BENCHMARKS[name]()
    sys.exit(0 if show(rows) else 1)


if __name__ == "__main__":
    command()
