"""A report as a command asks for it, made in one snapshot of the ledger."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from stream_attr.cli.database import Where, ledger_module
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError
from stream_attr.ledger.texts import LANGUAGES
from stream_attr.rules.shop.days import day_number

__all__ = ["made", "output_options", "show", "write"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

FORMATS = ("table", "csv", "xlsx", "json", "html", "parquet")
_FILES = ("xlsx", "parquet")
"""Formats that are no text."""
_SCREEN = ("", ".txt", ".table")
"""How files end that hold a report as the screen shows it."""


@contextmanager
def made(
    name: str,
    *,
    where: Where,
    shops: tuple[str, ...],
    first: str,
    last: str | None,
    as_known_on: str | None = None,
    against: str | None = None,
    against_to: str | None = None,
    **others: Any,
) -> Iterator[Any]:
    """Make a report, whose rows can be read within the block.

    Raises UnusableError where there is no ledger, or what is asked for does not exist.
    """
    require_schema = ledger_module("database.schema").require_schema
    scope = ledger_module("reports.scope")
    report_of = ledger_module(f"reports.{name}").report
    period = ledger_module("periods").period
    if against_to is not None and against is None:
        raise click.UsageError("--against-to goes with --against.")
    options = scope.Options(
        shops,
        period(first, last),
        against=None if against is None else period(against, against_to, ("--against", "--against-to")),
        as_known_on=None if as_known_on is None else _day(as_known_on),
        **others,
    )
    with (
        ledger_module("database.connect").Database(*where, create=False) as database,
        database.connection(application=f"stream-attr report {name}") as connection,
    ):
        require_schema(connection)
        with scope.snapshot(connection):
            report = report_of(connection, options)
            yield replace(report, notes=[*report.notes, *scope.other_days(connection, options)])


def _ending(context: click.Context, _option: click.Parameter, out: Path | None) -> Path | None:
    """Refuse a file whose ending names no format, where nothing else does."""
    if out is None or context.params["format_"] is not None:
        return out
    ending = out.suffix.lower()
    endings = [f".{one}" for one in FORMATS if one != "table"]
    if ending not in (*_SCREEN, *endings):
        raise click.BadParameter(
            f"{ending} is no format; there are {', '.join(endings)}, and .txt for the table of the screen; "
            "or name one with --format."
        )
    return out


def output_options(function: _Command) -> _Command:
    """Add ``--format``, ``--out`` and ``--lang``, which `write` takes."""
    options = [
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            is_eager=True,
            help="How to show it.  [default: by how FILE ends, else table]",
        ),
        click.option(
            "--out",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            callback=_ending,
            help="Write it to this file.",
        ),
        click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", show_default=True),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def show(name: str, *, format_: str | None, out: Path | None, language: str, **asked: Any) -> None:
    """Make a report, and show or write it."""
    _check_output(format_, out)
    with made(name, **asked) as report:
        write(report, format_=format_, out=out, language=language)


def write(report: Any, *, format_: str | None, out: Path | None, language: str) -> None:
    """Show a report, or write it to a file."""
    _check_output(format_, out)
    if format_ is None:
        ending = "" if out is None else out.suffix.lower()
        format_ = "table" if ending in _SCREEN else ending.removeprefix(".")
    output = ledger_module("formats.output")
    if out is not None:
        with output.complete_file(out) as file:
            output.WRITERS[format_](report, language, file)
        echo(f"wrote {out}", err=True)
    elif format_ == "table":
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in ledger_module("formats.screen").lines_of(report, language, width):
            echo(line)
    else:
        output.WRITERS[format_](report, language, click.get_binary_stream("stdout"))


def _check_output(format_: str | None, out: Path | None) -> None:
    if format_ in _FILES and out is None:
        raise click.UsageError(f"--format {format_} needs --out FILE.")


def _day(text: str) -> int:
    try:
        return day_number(text)
    except ValueError:
        raise UnusableError(f"--as-known-on {text!r} is not a day like 2026-11-01") from None
