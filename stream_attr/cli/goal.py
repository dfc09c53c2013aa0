"""``stream-attr goal``: what shops and agents are to reach, for the report ``goals``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(name="goal")
def command() -> None:
    """Set what a shop or an agent is to reach in a period; stream-attr report goals says how it stands."""


def _whose(function: _Command) -> _Command:
    """Add the options that name a goal."""
    options = [
        click.option("--shop", required=True, help="The shop."),
        click.option("--agent", help="An agent, by id or name.  [default: the whole shop]"),
        click.option(
            "--figure", required=True, help="The figure, by name in either language or as GROUP.NAME."
        ),
        click.option(
            "--from",
            "first",
            metavar="DAY",
            required=True,
            help="First day, or a month: 2026-11.",
        ),
        click.option(
            "--to", "last", metavar="DAY", help="Last day or month, included.  [default: as --from]"
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@command.command(name="set")
@_whose
@click.option(
    "--target",
    required=True,
    help="An amount like 50000.00, a number, seconds like 30, or a rate like 45%.",
)
@click.option("--currency", metavar="CODE", help="Of an amount.  [default: CNY]")
@database_options
def set_(
    shop: str,
    agent: str | None,
    figure: str,
    first: str,
    last: str | None,
    target: str,
    currency: str | None,
    where: Where,
) -> None:
    """Set a goal, in place of the one of the same shop, agent, figure and period."""
    with _goals(where) as goals:
        goal = _checked(goals, shop, agent, figure, first, last, target, currency)
        goals.store([goal])
    echo(f"set {_described(goal)}", err=True)


@command.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@database_options
def import_(file: Path, where: Where) -> None:
    """Set the goals of a CSV file, all of them or none.

    Its first line names the columns: shop, agent (empty: the whole shop), figure, from, to (empty: as from),
    target, currency; or 店铺, 客服, 指标, 开始, 结束, 目标, 币种. UTF-8 or GB18030.
    """
    with _goals(where) as goals:
        found = ledger_module("goals_csv").read_goals(file, goals)
        goals.store(found)
    echo(f"set {len(found):,} goals of {file}", err=True)


@command.command(name="list")
@click.option("--shop", required=True, help="The shop.")
@database_options
def list_(shop: str, where: Where) -> None:
    """Show the goals of a shop, as a CSV file that import takes."""
    with _goals(where) as goals:
        for line in ledger_module("goals_csv").text_of(goals.of(shop)).splitlines():
            echo(line)


@command.command()
@_whose
@database_options
def delete(shop: str, agent: str | None, figure: str, first: str, last: str | None, where: Where) -> None:
    """Delete the goal of a shop, agent, figure and period."""
    with _goals(where) as goals:
        goal = _checked(goals, shop, agent, figure, first, last, "0", None)
        if not goals.delete(goal):
            raise UnusableError(f"there is no goal {_of(goal)}: see stream-attr goal list --shop {shop}")
    echo(f"deleted {_of(goal)}", err=True)


@contextmanager
def _goals(where: Where) -> Iterator[Any]:
    """Open the ledger's goals, and keep what the block has done to them."""
    require_schema = ledger_module("database.schema").require_schema
    with (
        ledger_module("database.connect").Database(*where, create=False) as database,
        database.connection(application="stream-attr goal") as connection,
    ):
        require_schema(connection)
        yield ledger_module("goals").Goals(connection)


def _checked(goals: Any, *entered: str | None) -> Any:
    module = ledger_module("goals")
    try:
        return goals.checked(module.Entered(*entered))
    except module.GoalError as error:
        raise UnusableError(f"--{error.field}: {error}") from None


def _of(goal: Any) -> str:
    shop, agent, figure, first, last, *_ = goal.fields
    return f"of {figure} of {agent or 'the shop'}, {shop}, {first} to {last}"


def _described(goal: Any) -> str:
    *_, target, currency = goal.fields
    return f"{' '.join(filter(None, (target, currency)))} {_of(goal)}"
