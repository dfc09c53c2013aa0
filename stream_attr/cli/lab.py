"""``stream-attr lab``: what other rules would have done (docs/guides/lab.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import click

from stream_attr.cli.optional import optional_module
from stream_attr.cli.params import (
    EXISTING_FOLDER,
    FOLDER,
    FilesCommand,
    accept_future_option,
    broker_option,
    topic_prefix_option,
)
from stream_attr.cli.progress import Progress
from stream_attr.cli.report_made import output_options, write
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo
from stream_attr.errors import UnusableError
from stream_attr.files.inputs import Inputs
from stream_attr.kafka.security import Security
from stream_attr.replay.processes import MOST_PROCESSES
from stream_attr.rules.shop.settings import PRESETS
from stream_attr.wall_clock import wall_clock_ms

_Command = TypeVar("_Command", bound=Callable[..., Any])

CURRENT = "current"
"""The name of the shop's own settings."""
VIEWS = ("pairs", "agents", "flows", "orders", "pay")


def lab_module(name: str) -> ModuleType:
    """Import a module of ``stream_attr.lab``. Raises as `optional_module`."""
    return optional_module(f"lab.{name}", "ledger", "the lab")


@click.group(name="lab")
def command() -> None:
    """Judge stored events by other rules, and see what they would have done."""


@command.command()
@broker_option
@topic_prefix_option
@security_options
@click.option(
    "--out",
    metavar="FOLDER",
    type=FOLDER,
    required=True,
    help="Where to store them; a folder of an earlier run is kept up: what has come since is added.",
)
def export(broker: str, topic_prefix: str, security: Security, out: Path) -> None:
    """Store the events of the topics in FOLDER, up to their present ends, by shop and day.

    It holds what buyers and agents wrote, as the topics do: only its owner can read a folder that is made.
    """
    exporting = lab_module("export")
    progress = Progress("read")
    try:
        done = exporting.export(exporting.Broker(broker, security, topic_prefix), out, progress)
    finally:
        progress.clear()
    stored = ", ".join(f"{count:,} {topic}" for topic, count in sorted(done.records.items())) or "nothing new"
    echo(f"stored {stored} in {out}", err=True)
    if done.refused:
        codes = ", ".join(f"{count:,} {code}" for code, count in done.refused.most_common())
        echo(f"not stored, as no worker can use them: {codes}", err=True)
    for problem in done.problems:
        echo(f"!!! {problem}", err=True)


def _view_options(function: _Command) -> _Command:
    """Add what to show, and how."""
    options = [
        click.option(
            "--show",
            "view",
            type=click.Choice(VIEWS),
            default="pairs",
            show_default=True,
            help="How much moves between each two rule sets; each agent's money; from whom to whom; which "
            "orders; each person's pay.",
        ),
        click.option(
            "--between", nargs=2, metavar="NAME NAME", help="Two of the rule sets.  [default: each two]"
        ),
        output_options,
    ]
    for option in reversed(options):
        function = option(function)
    return function


@command.command(cls=FilesCommand)
@click.option(
    "--events",
    metavar="FOLDER",
    type=EXISTING_FOLDER,
    help="Events that lab export has stored.  Instead of it files:",
)
@click.option("--chat", metavar="FILE…", multiple=True, help="Chat events.")
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="Rulings on the credit of orders.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records.")
@click.option("--settings", metavar="FILE…", multiple=True, help="Settings records.")
@click.option("--shop", "shop_id", metavar="SHOP", help="The shop.  [default: the only one of FOLDER]")
@click.option(
    "--from", "first", metavar="DAY", required=True, help="First day, 2026-11-01, or a month, 2026-11."
)
@click.option("--to", "last", metavar="DAY", help="Last day or month, included.  [default: as --from]")
@click.option(
    "--rules",
    metavar="RULES…",
    multiple=True,
    required=True,
    help=f"Rule sets: {CURRENT} (the shop's settings, on each day those of the day), a preset's name, or "
    "NAME=FILE with rules in JSON as in a settings record.",
)
@click.option(
    "--scheme",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A pay scheme, by which all agents of the roster are paid for the period, a month.",
)
@click.option(
    "--keep",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep what was found, for lab show.",
)
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1, MOST_PROCESSES),
    help="Processes that share the work.  [default: by the size of the files, at most one for each core]",
)
@accept_future_option
@_view_options
def run(
    *,
    events: Path | None,
    shop_id: str | None,
    first: str,
    last: str | None,
    rules: tuple[str, ...],
    scheme: Path | None,
    keep: Path | None,
    processes: int | None,
    accept_future: bool,
    view: str,
    between: tuple[str, str] | None,
    format_: str | None,
    out: Path | None,
    language: str,
    **files: tuple[str, ...],
) -> None:
    """Judge the orders that a shop was paid in a period by each of several rule sets.

    All that can be used of FOLDER, or of the files, is read: chat from before the period, refunds after it.
    Orders are judged to their end, as if nothing more came. A ruling holds under all rules.
    """
    judging = lab_module("judge")
    rule_sets = [_rule_set(text) for text in rules]
    source = _source(events, files)
    if shop_id is None:
        shop_id = _only_shop(events)
    days = optional_module("ledger.periods", "ledger", "the lab").period(first, last)
    shown: list[Progress] = []

    def show_progress(read: int, of: int) -> None:
        if not shown:
            shown.append(Progress("judged", total=of))
        shown[0](read)

    try:
        result = judging.judge(
            source,
            shop_id,
            rule_sets,
            days,
            payroll=None if scheme is None else _payroll(scheme, first, shop_id, source),
            processes=processes,
            wall_clock_ts=None if accept_future else wall_clock_ms(),
            progress=show_progress,
        )
    finally:
        for progress in shown:
            progress.clear()
    if keep is not None:
        output = optional_module("ledger.formats.output", "ledger", "the lab")
        with output.complete_file(keep) as file:
            file.write(lab_module("kept").encode_result(result))
    made = lab_module("report").report(result, view, between)
    write(made, format_=format_, out=out, language=language)


@command.command(name="show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_view_options
def show_(
    *,
    file: Path,
    view: str,
    between: tuple[str, str] | None,
    format_: str | None,
    out: Path | None,
    language: str,
) -> None:
    """Show what lab run --keep FILE has found, another way."""
    result = lab_module("kept").decode_result(file.read_bytes(), str(file))
    made = lab_module("report").report(result, view, between)
    write(made, format_=format_, out=out, language=language)


def _rule_set(text: str) -> Any:
    rule_sets = lab_module("rule_sets")
    name, is_file, file = text.partition("=")
    if is_file:
        try:
            return rule_sets.read_rules(Path(file).read_bytes(), name)
        except OSError as error:
            raise UnusableError(f"--rules {text}: {file}: {error.strerror or error}") from None
    if name == CURRENT:
        return rule_sets.AS_IT_STOOD
    if name not in PRESETS:
        raise UnusableError(
            f"--rules {text}: it is {CURRENT}, a preset ({', '.join(PRESETS)}), or NAME=FILE of rules in JSON"
        )
    return rule_sets.preset(name)


def _source(events: Path | None, files: dict[str, tuple[str, ...]]) -> Path | Inputs:
    named = {kind: some for kind, some in files.items() if some}
    if events is not None:
        if named:
            raise click.UsageError(f"--{next(iter(named))} does not go with --events: name one of them.")
        return events
    if not named.keys() & {"chat", "orders"}:
        raise click.UsageError("nothing to judge: give --events FOLDER, or files with --chat and --orders.")
    return Inputs(**named)


def _payroll(scheme: Path, month: str, shop_id: str, source: Path | Inputs) -> Any:
    found = optional_module("ledger.pay.schemes", "ledger", "the lab").read_file(scheme)
    if isinstance(source, Inputs):
        roster = source.roster
    else:
        roster = lab_module("event_folder").EventFolder(source).shop(shop_id).settings_and_roster.roster
    return lab_module("pay").payroll_of_roster(found, month, shop_id, roster)


def _only_shop(events: Path | None) -> str:
    shops: list[str] = [] if events is None else lab_module("event_folder").EventFolder(events).shops
    if len(shops) != 1:
        there = f": there are {', '.join(shops[:20])}" if shops else ""
        raise click.UsageError(f"say which shop with --shop{there}.")
    return shops[0]
