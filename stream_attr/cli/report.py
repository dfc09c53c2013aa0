"""``stream-attr report``: what managers, agents and payroll read, out of the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stream_attr.cli.database import database_options
from stream_attr.cli.params import FilesCommand
from stream_attr.cli.report_made import output_options, show
from stream_attr.cli.report_saved import COMMANDS
from stream_attr.ledger.by import BY
from stream_attr.rules.vocabulary import BASES, NOTICES, OUTCOMES, REASONS, STATUSES, Vocabulary

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(name="report")
def command() -> None:
    """Show sales, orders, losses and other figures of the ledger, on the screen or as a sheet."""


def _common(function: _Command) -> _Command:
    """Add the options of every report."""
    options = [
        click.option(
            "--shop", "shops", metavar="SHOP…", multiple=True, required=True, help="The shop, or several."
        ),
        click.option(
            "--from",
            "first",
            metavar="DAY",
            required=True,
            help="First day, 2026-11-01, or a month, 2026-11.",
        ),
        click.option(
            "--to", "last", metavar="DAY", help="Last day or month, included.  [default: as --from]"
        ),
        click.option("--agent", "agents", metavar="AGENT…", multiple=True, help="Agents, by id or name."),
        click.option("--group", "groups", metavar="GROUP…", multiple=True, help="Agents of these groups."),
        click.option(
            "--person", "persons", metavar="PERSON…", multiple=True, help="Agents who are these persons."
        ),
        output_options,
        database_options,
    ]
    for option in reversed(options):
        function = option(function)
    return function


_by = click.option(
    "--by", multiple=True, type=click.Choice(BY), help="What rows are by: one of the first four, and times."
)
_as_known_on = click.option(
    "--as-known-on", metavar="DAY", help="Decisions as they were known at the end of this day."
)


def _listed(_ctx: click.Context, _param: click.Parameter, text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(one.strip() for one in text.split(",") if one.strip())


def _words(option: str, name: str, vocabulary: Vocabulary, text: str) -> Callable[[_Command], _Command]:
    return click.option(option, name, multiple=True, type=click.Choice(list(vocabulary)), help=text)


@command.command(cls=FilesCommand)
@_by
@_as_known_on
@_common
def sales(**options: Any) -> None:
    """销售分析: credited orders, buyers, items, amount, refunds and net sales, and silent ones beside them.

    Says whether the agents' and the silent sales add up to the shop's.
    """
    show("sales", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--figures",
    callback=_listed,
    metavar="FIGURE,…",
    help="Figures, by name in either language or as GROUP.NAME; with :share, :before or :change behind it "
    "its share of the shop's, its value in the period before, or the change.",
)
@_by
@_common
def agents(**options: Any) -> None:
    """自定义报表: any figures of agents' days."""
    show("agents", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--behind",
    metavar="GROUP",
    help="The orders behind a group of figures: sales, silent, placed, paid, refunds.  [default: all orders]",
)
@_words("--status", "statuses", STATUSES, "Only orders of this status.")
@_words("--outcome", "outcomes", OUTCOMES, "Only orders of this outcome.")
@_words("--basis", "bases", BASES, "Only orders credited on this basis.")
@_words("--reason", "reasons", REASONS, "Only orders whose last revision has this reason.")
@_words("--notice", "notices", NOTICES, "Only orders with this notice.")
@click.option(
    "--product",
    "products",
    metavar="PRODUCT…",
    multiple=True,
    help="Only orders of this product and no other.",
)
@click.option(
    "--basket",
    "baskets",
    multiple=True,
    type=click.Choice(("several", "none")),
    help="Only orders of several products, or of none that is named.",
)
@click.option("--profile", help="Orders as a further profile judges them.  [default: official]")
@_as_known_on
@_common
def orders(**options: Any) -> None:
    """绩效明细: the orders behind any number."""
    show("orders", **options)


@command.command(cls=FilesCommand)
@_by
@_common
def pending(**options: Any) -> None:
    """待定明细: what can still change and until when; with --by the range of each one's credit."""
    show("pending", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--kind",
    "kinds",
    metavar="KIND…",
    multiple=True,
    help="lost, payment_lost, unreplied, slow, open.  [default: all but open]",
)
@_common
def losses(**options: Any) -> None:
    """流失明细: whom the shop has lost, and who can still be called back."""
    show("losses", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--kind",
    "kinds",
    metavar="KIND…",
    multiple=True,
    help="counted, filtered, frozen.  [default: all]",
)
@click.option(
    "--weekday",
    "weekdays",
    metavar="WEEKDAY…",
    multiple=True,
    help="Only those begun on this weekday by the clock, such as Wednesday or 周三.",
)
@click.option(
    "--hour", "hours", metavar="HOUR…", multiple=True, help="Only those begun in this hour, such as 09:00."
)
@_common
def receptions(**options: Any) -> None:
    """接待明细: the receptions behind any number of them, and why some do not count."""
    show("receptions", **options)


@command.command(cls=FilesCommand)
@click.option("--profile", help="The profile to compare with.  [default: the only one there is]")
@_by
@_common
def compare(**options: Any) -> None:
    """规则对比: which orders another profile would give to whom, and with --by whose money moves."""
    show("compare", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--capacity",
    metavar="N",
    type=click.IntRange(1),
    help="Buyers that an agent can serve at one time: shows the agents needed, and days that are short.",
)
@_common
def pressure(**options: Any) -> None:
    """接待压力: how many buyers are there at one time, by weekday and hour."""
    show("pressure", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--against",
    metavar="DAY",
    help="First day, or month, of the other period.  [default: the period before]",
)
@click.option("--against-to", metavar="DAY", help="Its last day or month, included.  [default: as --against]")
@_common
def review(**options: Any) -> None:
    """大促复盘: one period against another: reception, trade, loss, service, and what moved most."""
    show("review", **options)


@command.command(cls=FilesCommand)
@click.option(
    "--signal",
    "kinds",
    metavar="SIGNAL…",
    multiple=True,
    help="late_words, to_and_fro, single_sentence, templates, short_losses.  [default: all]",
)
@_common
def signals(**options: Any) -> None:
    """异常行为: what is worth a look, each with the rows behind it; never to punish by."""
    show("signals", **options)


@command.command(cls=FilesCommand)
@_common
def goals(**options: Any) -> None:
    """目标完成: targets against what was reached, what the rest must bring, and a forecast."""
    show("goals", **options)


@command.command(cls=FilesCommand)
@_common
def quality(**options: Any) -> None:
    """数据体检: what came in day by day beside the days before, and what to look at."""
    show("quality", **options)


@command.command(cls=FilesCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "maps",
    metavar="COLUMN=FIELD…",
    multiple=True,
    help="What a column says. Of orders: order, line, amount, refund, created, paid, status, after_sales, "
    "agent; of agents: agent, and figures such as sales.amount.",
)
@click.option("--sheet", metavar="NAME", help="Which sheet of the file.  [default: the one that is known]")
@click.option(
    "--days-of",
    type=click.Choice(("paid", "created")),
    default="paid",
    show_default=True,
    help="By what an order is of a day: as the sheet was exported.",
)
@click.option(
    "--result",
    "results",
    multiple=True,
    type=click.Choice(("matched", "differs", "only_there", "only_here")),
    help="Show these results only.  [default: all but matched]",
)
@_common
def reconcile(**options: Any) -> None:
    """对账: FILE, a platform's exported sheet of orders or agents (xlsx, xls, csv), against the ledger.

    Known are the exports of Taobao, JD, Pinduoduo and Douyin, and any other sheet by --map. Times without an
    offset are by the clocks of the shop's zone.
    """
    show("reconcile", **options)


for _one in COMMANDS:
    command.add_command(_one)
