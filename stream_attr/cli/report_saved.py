"""Reports that are kept by a name, with all their options, in the ledger itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from click.core import ParameterSource

from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.report_made import made, show
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError

__all__ = ["COMMANDS"]

_PASSED_ON: Final = {"ignore_unknown_options": True}
_OF_OUTPUT: Final = ("format_", "out", "language")
_WHERE: Final = ("database", "database_password_file", "data_dir")


@click.command(context_settings=_PASSED_ON)
@click.argument("name")
@click.argument("report")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@database_options
@click.pass_context
def save(ctx: click.Context, name: str, report: str, options: tuple[str, ...], where: Where) -> None:
    """Keep a report with its options as NAME, in place of what is kept by that name.

    It is made once, so that what is kept can be made.
    """
    ledger_module("saved").check_name(name)
    asked = _asked(ctx, report, list(options))
    params = sorted(asked.command.params, key=lambda one: one.opts[0].startswith("-"))  # arguments first
    given = {
        param.opts[0]: _texts(param, asked.params[param.name])
        for param in params
        if param.name is not None and asked.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    }
    others = {key: one for key, one in _without_where(asked).items() if key not in _OF_OUTPUT}
    with made(report, where=where, **others):
        pass
    with _saved(where) as saved:
        saved.save(saved.of(name, report, given))
    echo(f"saved {name}: {_shown(report, given)}", err=True)


@click.command(context_settings=_PASSED_ON)
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@database_options
@click.pass_context
def use(ctx: click.Context, name: str, options: tuple[str, ...], where: Where) -> None:
    """Show the report that is kept as NAME; options given here take the place of those kept."""
    with _saved(where) as saved:
        found = saved.find(name)
    given = {one.partition("=")[0] for one in options if one.startswith("-")}
    has_argument = bool(options) and not options[0].startswith("-")
    kept = {
        option: values
        for option, values in found.options.items()
        if option not in given and not (has_argument and not option.startswith("-"))
    }
    asked = _asked(
        ctx, found.report, [*options, *_arguments(kept)] if has_argument else [*_arguments(kept), *options]
    )
    show(found.report, where=where, **_without_where(asked))


@click.command(name="list")
@database_options
def list_(where: Where) -> None:
    """Show the reports that are kept, with their options."""
    with _saved(where) as saved:
        for one in saved.all():
            echo(f"{one.name}: {_shown(one.report, one.options)}")


@click.command()
@click.argument("name")
@database_options
def delete(name: str, where: Where) -> None:
    """Delete what is kept as NAME."""
    with _saved(where) as saved:
        saved.delete(name)
    echo(f"deleted {name}", err=True)


COMMANDS: Final = (save, use, list_, delete)
"""To be added to the group whose other commands are the reports."""


def _asked(ctx: click.Context, report: str, arguments: list[str]) -> click.Context:
    """Return a report's command with its options read."""
    assert ctx.parent is not None
    group = ctx.parent.command
    assert isinstance(group, click.Group)
    reports = {name: one for name, one in group.commands.items() if one not in COMMANDS}
    if report not in reports:
        raise UnusableError(f"there is no report {report!r}; there are {', '.join(reports)}")
    return reports[report].make_context(report, arguments, parent=ctx.parent)


def _without_where(asked: click.Context) -> dict[str, Any]:
    """Return what a report is asked for, but for where the ledger is: this command has an option for that."""
    return {key: one for key, one in asked.params.items() if key not in _WHERE}


def _texts(param: click.Parameter, value: Any) -> list[str]:
    """Return the values of an option as they are given; a flag has none, a list separated by commas one."""
    if isinstance(value, bool):
        return []
    if not isinstance(value, tuple):
        return [str(value)]
    return list(map(str, value)) if param.multiple else [",".join(value)]


def _arguments(options: dict[str, list[str]]) -> Iterator[str]:
    for option, values in options.items():
        if option.startswith("-"):
            yield option
        yield from values


def _shown(report: str, options: dict[str, list[str]]) -> str:
    return shlex.join([report, *_arguments(options)])


@contextmanager
def _saved(where: Where) -> Iterator[Any]:
    """Open the saved reports of a ledger, and keep what the block has done to them."""
    require_schema = ledger_module("database.schema").require_schema
    with (
        ledger_module("database.connect").Database(*where, create=False) as database,
        database.connection(application="stream-attr report") as connection,
    ):
        require_schema(connection)
        yield ledger_module("saved").SavedReports(connection)
