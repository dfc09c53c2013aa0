"""``stream-attr import``: exports of chats and orders as events, in files, on topics, or judged at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from stream_attr.adapters.skips import MEANINGS
from stream_attr.cli.params import (
    FOLDER,
    FilesCommand,
    broker_option,
    delivery_timeout_option,
    topic_prefix_option,
)
from stream_attr.cli.progress import Progress
from stream_attr.cli.publish import send
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo
from stream_attr.codec.decoding import check_id
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.topics import CHAT, ORDERS
from stream_attr.errors import UnusableError
from stream_attr.files.atomic import atomic_files
from stream_attr.importing.column_map import read_map
from stream_attr.importing.describe import describe
from stream_attr.importing.reading import ImportOptions
from stream_attr.importing.refused import Account
from stream_attr.importing.run import TOPICS, imported
from stream_attr.importing.source import Source, source_of
from stream_attr.importing.tables import about_rows
from stream_attr.kafka.publish import Inputs
from stream_attr.kafka.security import Security
from stream_attr.rules.shop.days import Zone

_REFUSED = "refused-rows"
_FILE = click.Path(path_type=Path)


def _zone(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            Zone(value)
        except ValueError as error:
            raise click.BadParameter(f"{error}, such as Asia/Shanghai.") from error
    return value


def _shop(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            check_id(value, "shop_id")
        except RefusedRecord as refused:
            raise click.BadParameter(f"{refused.message}.") from refused
        if not 0 < len(value) <= 128:
            raise click.BadParameter("an id has 1 to 128 characters.")
    return value


@click.command(name="import", cls=FilesCommand)
@click.argument("files", metavar="FILE…", nargs=-1, type=_FILE)
@click.option(
    "--describe",
    "described",
    metavar="FILE",
    type=_FILE,
    help="Show what is recognised in each column of FILE, and propose a column map.",
)
@click.option(
    "--save",
    metavar="MAP",
    type=_FILE,
    help="With --describe: where the proposed map is written.  [default: FILE.toml in the current folder]",
)
@click.option(
    "--map",
    "maps",
    metavar="MAP…",
    type=_FILE,
    multiple=True,
    help="Column maps (.toml, .json), of which each FILE takes the one that fits; orders of Taobao, "
    "Douyin and Pinduoduo are known without one.",
)
@click.option("--shop", metavar="ID", callback=_shop, help="The shop of rows that do not name one.")
@click.option(
    "--zone",
    metavar="ZONE",
    callback=_zone,
    help="IANA time zone of times that do not say theirs.  [default: the map's]",
)
@click.option("--with-text", is_flag=True, help="Events carry what was written; otherwise its length alone.")
@click.option(
    "--out",
    metavar="DIR",
    type=FOLDER,
    help=f"Folder for {CHAT}.jsonl, {ORDERS}.jsonl and {_REFUSED}.jsonl.",
)
@click.option("--overwrite", is_flag=True, help="Replace what DIR already holds of these.")
@click.option("--publish", "is_published", is_flag=True, help="Then send the events to the topics.")
@broker_option
@topic_prefix_option
@security_options
@delivery_timeout_option
@click.option("--replay", metavar="DIR", type=FOLDER, help="Then judge the events, with the results in DIR.")
@click.option("--settings", metavar="FILE…", multiple=True, help="With --replay: settings records.")
@click.option("--roster", metavar="FILE…", multiple=True, help="With --replay: roster records.")
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    described: Path | None,
    save: Path | None,
    maps: tuple[Path, ...],
    shop: str | None,
    zone: str | None,
    with_text: bool,
    out: Path | None,
    overwrite: bool,
    is_published: bool,
    broker: str,
    topic_prefix: str,
    security: Security,
    delivery_timeout: int,
    replay: Path | None,
    settings: tuple[str, ...],
    roster: tuple[str, ...],
) -> None:
    """Make events of sheets (xlsx, xls), CSV (UTF-8, GB18030) and JSON lines of chats and orders, in DIR,
    sorted by time. Files come before the options.

    A column map says which column is what; --describe FILE proposes one. Rows of one order are put together,
    also from several files. Rows that cannot be used are written with their reason to refused-rows.jsonl, and
    the command ends with status 1 if there are any. The same files again give the same events with the same
    ids, so sending them twice changes nothing.
    """
    if described is not None:
        if files:
            raise click.UsageError("--describe takes one file, and imports none.")
        _describe(described, save)
        return
    if save is not None:
        raise click.UsageError("--save goes with --describe.")
    if not files:
        raise click.UsageError("nothing to import: name files, or --describe one.")
    if out is None:
        raise click.UsageError("nowhere to write to: give --out DIR.")
    if (settings or roster) and replay is None:
        raise click.UsageError("--settings and --roster go with --replay.")
    known = [read_map(path) for path in maps]
    sources = [source_of(path, number, known) for number, path in enumerate(files)]
    if shop is None:
        _require_shops(sources)
    topics = sorted({TOPICS[source.map.of] for source in sources})
    if not overwrite:
        _require_no_events(out)
    account = _import(sources, ImportOptions(shop, zone, with_text), out, topics)
    _report(account, sources, out)
    written = {
        topic: (str(out / f"{topic}.jsonl"),) if account.events[topic] else () for topic in TOPICS.values()
    }
    failed = bool(account.refused)
    if is_published and account.events:
        inputs = Inputs(written.get(CHAT, ()), written.get(ORDERS, ()))
        published = send(broker, inputs, topic_prefix, security, delivery_timeout_ms=delivery_timeout)
        failed |= bool(published.too_long)
    if replay is not None and account.events:
        from stream_attr.cli.replay import command as judge  # noqa: PLC0415 -- loads the judging

        context.invoke(
            judge,
            chat=written.get(CHAT, ()),
            orders=written.get(ORDERS, ()),
            settings=settings,
            roster=roster,
            out=replay,
            overwrite=overwrite,
        )
    sys.exit(1 if failed else 0)


def _require_shops(sources: Sequence[Source]) -> None:
    for source in sources:
        if "shop" not in source.positions:
            raise click.UsageError(f"no column of {source.columns.sheet.file} says the shop: give --shop ID.")


def _require_no_events(out: Path) -> None:
    there = [name for topic in (CHAT, ORDERS, _REFUSED) if (out / (name := f"{topic}.jsonl")).exists()]
    if there:
        raise UnusableError(
            f"{out} already holds {', '.join(there)}: choose another folder with --out, or replace them with "
            "--overwrite"
        )


def _import(sources: Sequence[Source], options: ImportOptions, out: Path, topics: Sequence[str]) -> Account:
    """Write the events to the folder in place of what it holds."""
    sheets = [source.columns.sheet for source in sources]
    sizes = [sheet.height or about_rows(Path(sheet.file)) for sheet in sheets]
    progress = Progress("read", total=None if None in sizes else sum(filter(None, sizes)))
    try:
        with atomic_files(out, [*topics, _REFUSED]) as opened:

            def refuse(line: bytes) -> None:
                opened[_REFUSED].write(line + b"\n")

            account = Account(refuse)
            events = imported(sources, options, account, progress)
            written: Progress | None = None
            for number, (topic, event) in enumerate(events, 1):
                written = written or Progress("written")  # the first comes when all rows have been read
                opened[topic].write(event + b"\n")
                written(number)
    finally:
        progress.clear()
    for topic in {CHAT, ORDERS} - set(topics):
        (out / f"{topic}.jsonl").unlink(missing_ok=True)
    return account


def _report(account: Account, sources: Sequence[Source], out: Path) -> None:
    """Say what became of the rows."""
    for source in sources:
        sheet = source.columns.sheet
        where = "" if sheet.name is None else f", sheet {sheet.name!r}"
        read = ", ".join(f"{source.columns.names[at]} → {field}" for field, at in source.positions.items())
        echo(f"{sheet.file}{where}: {source.map.of}, by {source.map.name}: {read}", err=True)
    left_out = {
        "totals": sum(one.sums for one in account.dropped.values()),
        "repeated heads": sum(one.heads for one in account.dropped.values()),
        "remarks": sum(one.remarks for one in account.dropped.values()),
    }
    counts = [f"{account.rows:,} rows"]
    counts += [f"{account.events[topic]:,} {topic}" for topic in TOPICS.values() if account.events[topic]]
    counts += [f"{account.repeated:,} repeated"] if account.repeated else []
    counts += [f"{count:,} {what} left out" for what, count in left_out.items() if count]
    counts.append(f"{account.refused.total():,} refused")
    echo(f"{', '.join(counts)} in {out}", err=True)
    for (reason, about), count in sorted(account.skipped.items()):
        echo(f"without an event: {count:,} {reason}: {about}: {MEANINGS[reason]}", err=True)
    for reason, count in sorted(account.refused.items()):
        echo(f"refused: {count:,} {reason}, the first: {account.first[reason]}", err=True)


def _describe(path: Path, save: Path | None) -> None:
    target = Path(f"{path.name}.toml") if save is None else save
    if target.exists():
        raise UnusableError(f"{target} is there already: name another file with --save")
    proposal = describe(path)
    for line in proposal.lines:
        echo(line)
    if proposal.toml is not None:
        try:
            target.write_text(proposal.toml, encoding="utf-8")
        except OSError as error:
            raise UnusableError(f"{target}: cannot be written: {error.strerror or error}") from error
        echo(f"The map is in {target}: look at it, edit it, then")
        echo(f"  stream-attr import {path} --map {target} --shop SHOP --out events")
