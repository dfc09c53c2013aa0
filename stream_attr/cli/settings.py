"""``stream-attr settings``: a shop's rules in force."""

from __future__ import annotations

import click
import orjson

from stream_attr.cli.params import FilesCommand, broker_option, topic_prefix_option
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo, echo_data
from stream_attr.contract.topics import ROSTER, SETTINGS
from stream_attr.explain.shop_rules import ShopHistory
from stream_attr.files.jsonl import STANDARD_INPUT, LinesFile
from stream_attr.kafka.security import Security
from stream_attr.kafka.shop_records import read_shop_records
from stream_attr.processor.ports import Record
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.wall_clock import wall_clock_ms


class _Day(click.ParamType):
    """A date ``YYYY-MM-DD``; the value is a day number."""

    name = "day"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return day_number(value)
        except ValueError:
            self.fail(f"{value!r} is not a date YYYY-MM-DD.", param, ctx)


@click.group(name="settings")
def command() -> None:
    """Show a shop's rules in force."""


@command.command(cls=FilesCommand)
@click.argument("shop")
@click.option(
    "--on", "day", metavar="DAY", type=_Day(), help="A date YYYY-MM-DD.  [default: the shop's today]"
)
@click.option("--profile", default=OFFICIAL, show_default=True, help="Rules of another profile of the shop.")
@broker_option
@topic_prefix_option
@security_options
@click.option("--settings", metavar="FILE…", multiple=True, help="Read settings records from files.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Read roster records from files.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(
    shop: str,
    day: int | None,
    profile: str,
    broker: str,
    topic_prefix: str,
    security: Security,
    settings: tuple[str, ...],
    roster: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the rules of SHOP on a day, and where each comes from: default, preset or record.

    Records are read from the broker; with --settings or --roster from those files, which are taken as they
    stand, as by replay. Refused records are named on standard error.
    """
    names = {SETTINGS: settings, ROSTER: roster}
    from_files = any(names.values())
    if (settings + roster).count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    history = ShopHistory(shop, names if from_files else None)
    if from_files:
        for topic, files in names.items():
            for index, name in enumerate(files):
                with LinesFile(name) as lines:
                    for number, value in lines:
                        history.add(Record(topic, index, number, 0, None, value))
    else:
        for record in read_shop_records(broker, topic_prefix, security):
            history.add(record)
    if profile not in history.profiles:
        known = ", ".join(sorted(history.profiles))
        raise click.UsageError(f"shop {shop} has no profile {profile!r}; it has: {known}.")
    found = history.on(history.day_of(wall_clock_ms()) if day is None else day, profile)
    if as_json:
        echo_data(orjson.dumps(found.as_json()))
    else:
        for line in found.lines():
            echo(line)
    for refusal in history.refusals:
        echo(f"refused, so not in force: {refusal.place}: {refusal.code}: {refusal.message}", err=True)
