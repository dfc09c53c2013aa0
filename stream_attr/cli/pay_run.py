"""``stream-attr pay run``, ``statement`` and ``simulate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.pay_ledger import BY, looked, noted, opened
from stream_attr.cli.report_made import output_options, write
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError

__all__ = ["COMMANDS"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group()
def run() -> None:
    """Make a month's run of a scheme: drafted, checked, approved by another person, closed."""


def _which(function: _Command) -> _Command:
    """Add the options that name a run."""
    scheme = click.option("--scheme", "scheme_id", required=True, help="The scheme.")
    month = click.option("--month", metavar="MONTH", required=True, help="The month, such as 2026-11.")
    return scheme(month(function))


@contextmanager
def _snapshot(connection: Any) -> Iterator[None]:
    """Let the block see one state of the ledger; what was noted before it stays."""
    connection.commit()
    with ledger_module("reports.scope").snapshot(connection):
        yield


def _id(scheme_id: str, month: str) -> Any:
    runs = ledger_module("pay.runs")
    return runs.RunId(scheme_id, runs.month_asked(month))


@run.command()
@_which
@BY
@database_options
def draft(scheme_id: str, month: str, by: str, where: Where) -> None:
    """Calculate a month from the ledger, in place of a draft that is there."""
    asked = _id(scheme_id, month)
    with opened(where) as connection:
        ledger_module("pay.drafts").draft(connection, asked, by)
        noted(connection, by, "draft pay run", f"{scheme_id} {month}")
    echo(f"drafted {scheme_id} {month}: see it with stream-attr pay run show", err=True)


@run.command()
@_which
@output_options
@database_options
def show(scheme_id: str, month: str, where: Where, **output: Any) -> None:
    """Show a run: each person's components, corrections and total."""
    asked = _id(scheme_id, month)
    with opened(where) as connection:
        looked(connection, f"run {scheme_id} {month}")
        with _snapshot(connection):
            write(ledger_module("pay.sheets").run_report(connection, asked), **output)


@run.command(name="list")
@database_options
def list_(where: Where) -> None:
    """Show which runs there are."""
    with opened(where) as connection:
        for one in ledger_module("pay.runs").Runs(connection).all():
            echo(f"{one.id.month} {one.id.scheme_id}: {one.state}, {one.statements} statements")


def _typed(connection: Any, by: str) -> Any:
    """Return who a name is that somebody has typed."""
    return ledger_module("acting").acting(connection, by, is_account=False)


def _step(name: str, done: str, about: str) -> click.Command:
    @_which
    @BY
    @database_options
    def step(scheme_id: str, month: str, by: str, where: Where) -> None:
        asked = _id(scheme_id, month)
        with opened(where) as connection:
            ledger_module("pay.runs").Runs(connection).step(asked, name, _typed(connection, by))
            noted(connection, by, f"{name} pay run", f"{scheme_id} {month}")
        echo(f"{done} {scheme_id} {month}", err=True)

    return click.command(name=name, help=about)(step)


run.add_command(_step("check", "checked", "Say that a draft has been checked."))
run.add_command(
    _step("approve", "approved", "Approve what was checked; who drafted it, or is paid by it, cannot.")
)


@run.command()
@_which
@BY
@click.option("--as-it-stands", is_flag=True, help="Close it although something of it could still change.")
@database_options
def close(scheme_id: str, month: str, by: str, where: Where, *, as_it_stands: bool) -> None:
    """Close what was approved: from then on it never changes."""
    asked = _id(scheme_id, month)
    with opened(where) as connection:
        runs = ledger_module("pay.runs").Runs(connection)
        runs.step(asked, "close", _typed(connection, by), as_it_stands=as_it_stands)
        how = " as it stands" if as_it_stands else ""
        noted(connection, by, "close pay run", f"{scheme_id} {month}{how}")
    echo(f"closed {scheme_id} {month}", err=True)


@run.command()
@_which
@database_options
def discard(scheme_id: str, month: str, where: Where) -> None:
    """Delete a run that is not closed."""
    asked = _id(scheme_id, month)
    with opened(where) as connection:
        ledger_module("pay.runs").Runs(connection).discard(asked)
        noted(connection, None, "discard pay run", f"{scheme_id} {month}")
    echo(f"discarded {scheme_id} {month}", err=True)


@click.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--month", metavar="MONTH", required=True, help="The month, such as 2026-11.")
@output_options
@database_options
def statement(person_id: str, month: str, where: Where, **output: Any) -> None:
    """Show a person's statement: each line with what it is made of and its orders."""
    asked = ledger_module("pay.runs").month_asked(month)
    with opened(where) as connection:
        looked(connection, f"statement {person_id} {month}")
        with _snapshot(connection):
            write(ledger_module("pay.statements").statement_report(connection, person_id, asked), **output)


@click.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--month", metavar="MONTH", required=True, help="The month, such as 2026-11.")
@click.option(
    "--figure",
    "figures",
    metavar="KEY=VALUE",
    multiple=True,
    help="Another value of a figure that the scheme pays by, such as sales.net_amount=50000.00.",
)
@click.option("--order", "orders", metavar="AMOUNT", multiple=True, help="An order more of this amount.")
@click.option(
    "--scheme",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another scheme, of the whole team.",
)
@output_options
@database_options
def simulate(
    person_id: str,
    month: str,
    figures: tuple[str, ...],
    orders: tuple[str, ...],
    file: Path | None,
    where: Where,
    **output: Any,
) -> None:
    """Show what a person would earn, and what the next tier needs; nothing of it is kept."""
    module = ledger_module("pay.simulator")
    values = {}
    for one in figures:
        key, sign, text = one.partition("=")
        if not sign:
            raise UnusableError(f"--figure {one!r}: write KEY=VALUE, such as sales.net_amount=50000.00")
        values[key] = text
    other = None if file is None else ledger_module("pay.schemes").read_file(file)
    asked = module.WhatIf(person_id, ledger_module("pay.runs").month_asked(month), values, orders, other)
    with opened(where) as connection:
        looked(connection, f"what would be of {person_id} {month}")
        with _snapshot(connection):
            write(module.simulation(connection, asked), **output)


COMMANDS: Final = (run, statement, simulate)
"""To be added to the group."""
