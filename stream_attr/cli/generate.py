"""``stream-attr generate``: realistic traffic from a seed, as files for ``publish`` and ``replay``."""

from __future__ import annotations

from pathlib import Path

import click

from stream_attr.cli.params import FOLDER, TIME
from stream_attr.cli.progress import Progress
from stream_attr.generate import Plan, write

__all__ = ["command"]


@click.command(name="generate")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="The same seed gives the same bytes.",
)
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="Number of lines of chat and orders together; rulings are added to them.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3_650),
    default=15,
    show_default=True,
    help="Days that the sample covers.",
)
@click.option(
    "--end",
    type=TIME,
    metavar="TIME",
    default="2026-11-12T00:00:00+08:00",
    show_default=True,
    help="End of the sample (RFC 3339 or epoch milliseconds).",
)
@click.option(
    "--shops",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Number of shops, each with its own preset; the first is the largest.",
)
@click.option(
    "--buyers",
    type=click.IntRange(min=1),
    help="Number of buyers per shop.  [default: by the number of events]",
)
@click.option(
    "--agents",
    type=click.IntRange(min=4),
    help="Number of agents per shop.  [default: by the number of events]",
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder for chat.jsonl, orders.jsonl, rulings.jsonl, roster.jsonl and settings.jsonl; files there "
    "are replaced.",
)
def command(
    seed: int, events: int, days: int, end: int, shops: int, buyers: int | None, agents: int | None, out: Path
) -> None:
    """Generate realistic traffic of a shop: files in the order in which the events arrived.

    Peaks of the day and of promotions, several agents per buyer, transfers, questions at midnight, silent
    orders, instalments, deposits, refunds, excluded orders, rulings, late and repeated events, and some bad
    records. With three days or more, two agents change their role on the
    middle day: replay accepts these roster records, a live worker refuses them if that day is past. A sample
    that ends in the future is for commands with --accept-future.
    """
    try:
        plan = Plan(
            seed=seed, events=events, days=days, end_ts=end, shops=shops, buyers=buyers, agents=agents
        )
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="'--end' / '--days'") from error
    progress = Progress("generated")
    try:
        write(plan, out, progress)
    finally:
        progress.clear()
