"""``stream-attr dead-letters``: records that could not be used, listed and sent again."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from stream_attr.cli.params import TIME, broker_option, delivery_timeout_option, topic_prefix_option
from stream_attr.cli.progress import Progress, of_resending
from stream_attr.cli.publish import broken_off
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo, echo_data
from stream_attr.codec.visible import visible, visible_json
from stream_attr.contract.topics import INPUTS
from stream_attr.errors import StreamAttrError
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.kafka.dead_letters import DeadLetter, Found, LettersOfFiles, LettersOfTopic, Selection
from stream_attr.kafka.resend import Account, Resending, Rules, Why, resend
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import (
    ANY_PARTITION,
    Published,
    Sender,
)
from stream_attr.rules.vocabulary import Code
from stream_attr.wall_clock import wall_clock_ms

_OFFSETS = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)
_Letters = LettersOfFiles | LettersOfTopic
_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Offsets(click.ParamType):
    """An offset, or the first and the last of several."""

    name = "offsets"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = _OFFSETS.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is neither an offset like 1047 nor two like 1000-1999.", param, ctx)
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        if last < first:
            self.fail(f"{value!r} ends before it begins.", param, ctx)
        return first, last


def _selecting(command: _Command) -> _Command:
    """Add the options that both commands choose dead letters by, and the files they may read."""
    options = [
        broker_option,
        topic_prefix_option,
        security_options,
        click.option(
            "--code",
            "codes",
            multiple=True,
            type=click.Choice([code.value for code in Code]),
            help="Only records refused with this code; may be repeated.",
        ),
        click.option(
            "--topic",
            "topics",
            multiple=True,
            type=click.Choice(INPUTS),
            help="Only records of this topic; may be repeated.",
        ),
        click.option(
            "--partition", type=click.IntRange(0), help="Only records of this partition of their topic."
        ),
        click.option(
            "--offset",
            "offsets",
            metavar="FIRST[-LAST]",
            type=_Offsets(),
            help="Only records at these offsets of their partition.",
        ),
        click.option("--shop", "shop_id", metavar="SHOP_ID", help="Only records of this shop."),
        click.option(
            "--since", metavar="TIME", type=TIME, help="Only records refused at this time or later."
        ),
        click.option("--before", metavar="TIME", type=TIME, help="Only records refused before this time."),
        click.argument("files", metavar="[FILE]...", nargs=-1),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(name="dead-letters")
def command() -> None:
    """List and replay records that could not be used."""


@command.command(name="list")
@_selecting
@click.option("--json", "as_json", is_flag=True, help="Write the dead letters themselves, as JSON lines.")
@click.option(
    "--values",
    "as_values",
    is_flag=True,
    help="Write the records as they were sent, one on each line, to correct and publish; needs one --topic.",
)
def list_command(
    broker: str,
    topic_prefix: str,
    security: Security,
    files: tuple[str, ...],
    as_json: bool,
    as_values: bool,
    **selected: Any,
) -> None:
    """List dead letters: when and why each record was refused, its topic, partition and offset, its shop.

    They come from a broker, or from FILEs of JSON lines (.gz, - for standard input). The records themselves,
    which may hold chat text, are shown with --json and --values only.
    """
    selection = _selection(files, **selected)
    if as_json and as_values:
        raise click.UsageError("--json and --values exclude each other.")
    if as_values and len(selection.topics) != 1:
        raise click.UsageError("--values needs one --topic: a file to be published holds records of one.")
    progress = Progress("read")
    codes: Counter[str] = Counter()
    partial = 0
    try:
        letters = _letters(broker, security, topic_prefix, files)
        for count, found in enumerate(letters, 1):
            progress(count)
            if found not in selection:
                continue
            codes[found.letter.code.value] += 1
            progress.clear()
            if as_json:
                echo_data(visible_json(found.data))
            elif not as_values:
                echo(_line(found))
            elif found.letter.value is not None and found.letter.is_complete:
                echo_data(_in_one_line(found.letter.value))
            else:
                partial += 1
    finally:
        progress.clear()
    counts = ", ".join(f"{count:,} {code}" for code, count in codes.most_common())
    part = " in the part that could be read" if letters.problems else ""
    echo(f"{codes.total():,} dead letters{part}{f': {counts}' if counts else ''}", err=True)
    if partial:
        echo(f"{partial:,} of them left out: no value, or only a part of it is kept", err=True)
    sys.exit(_show_problems(letters))


@command.command()
@_selecting
@click.option(
    "--fix-key",
    is_flag=True,
    help="Send a record whose key does not match its value under the key of its value.",
)
@delivery_timeout_option
@click.option(
    "--dry-run", is_flag=True, help="Send nothing; show each record that would be sent, and where to."
)
def replay(
    broker: str,
    topic_prefix: str,
    security: Security,
    files: tuple[str, ...],
    fix_key: bool,
    dry_run: bool,
    delivery_timeout: int,
    **selected: Any,
) -> None:
    """Send dead letters again: the same bytes, to the topic and partition they came from.

    They come from a broker, or from FILEs of JSON lines (.gz, - for standard input), as 'replay' and
    'dead-letters list --json' write them. A record without a partition, or with a corrected key, goes to the
    partition of its key. A record that was judged meanwhile counts once, by its event_id. What would be
    refused again is held back and named; then the exit code is 1.
    """
    selection = _selection(files, **selected)
    progress = Progress("read")
    on_read, on_sent = of_resending(progress, broker, delivery_timeout)
    account, published = Account(), Published()
    began_ms = wall_clock_ms()
    try:
        letters = _letters(broker, security, topic_prefix, files)
        sender = Sender(
            broker,
            security,
            topic_prefix,
            INPUTS,
            published,
            delivery_timeout,
            on_sent,
        )
        rules = Rules(
            began_ms,
            fix_key,
            selection.codes | selection.topics,
            {name.removeprefix(topic_prefix): count for name, count in sender.partitions.items()},
        )
        try:
            resend(letters, selection, rules, _shown if dry_run else _sending(sender), on_read, account)
            sender.flush()
        except BaseException:
            sender.abandon()
            raise
    except StreamAttrError as error:
        error.args += (broken_off(published, broker),)
        raise
    except KeyboardInterrupt:
        progress.clear()
        echo(broken_off(published, broker), err=True)
        raise
    finally:
        progress.clear()
    _report(account, dry_run=dry_run)
    if account.sent and not dry_run:
        echo(
            "Whatever is refused again is a new dead letter: "
            f"stream-attr dead-letters list --since {_utc(began_ms)}",
            err=True,
        )
    sys.exit(_show_problems(letters) or bool(account.held))


def _selection(
    files: tuple[str, ...],
    *,
    codes: tuple[str, ...],
    topics: tuple[str, ...],
    partition: int | None,
    offsets: tuple[int, int] | None,
    shop_id: str | None,
    since: int | None,
    before: int | None,
) -> Selection:
    if files and (since is not None or before is not None):
        raise click.UsageError(
            "files do not say when a record was refused: --since and --before need a broker."
        )
    if files.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    return Selection(frozenset(codes), frozenset(topics), partition, offsets, shop_id, since, before)


def _letters(broker: str, security: Security, topic_prefix: str, files: tuple[str, ...]) -> _Letters:
    return LettersOfFiles(files) if files else LettersOfTopic(broker, topic_prefix, security)


def _sending(sender: Sender) -> Callable[[Resending], bool]:
    def send(resending: Resending) -> bool:
        letter, key, partition = resending
        assert letter.value is not None
        return sender.send(letter.topic, letter.value, key, ANY_PARTITION if partition is None else partition)

    return send


def _shown(resending: Resending) -> bool:
    """Show what would be sent; True, as if it had been."""
    letter, key, partition = resending
    where = "by its key" if partition is None else f"partition {partition}"
    changed = (
        f" instead of {_readable(letter.key)}" if letter.partition is not None and key != letter.key else ""
    )
    echo(
        f"{letter.place}  {letter.code.value}  to {letter.topic}, {where}, key {_readable(key)}{changed}, "
        f"{letter.length:,} bytes"
    )
    return True


def _line(found: Found) -> str:
    letter = found.letter
    when = "-" if found.refused_ts is None else _utc(found.refused_ts)
    shop = "-" if letter.shop_id is None else letter.shop_id
    return f"{when}  {letter.code.value}  {letter.place}  {shop}  {letter.message}"


def _in_one_line(value: bytes) -> bytes:
    """A record on one line, as it was sent: between the tokens of JSON a space does as well as a line break.

    A terminal is shown it; only a file or another program gets what a terminal would obey.
    """
    if sys.stdout.isatty():
        return visible(value.decode(errors="backslashreplace")).encode()
    return value.replace(b"\r", b" ").replace(b"\n", b" ")


def _readable(data: bytes | None) -> str:
    """Show a key as text."""
    return "none" if data is None else data.decode(errors="backslashreplace")


def _utc(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _report(account: Account, *, dry_run: bool) -> None:
    """Show how many were sent, by code, and what was held back, by reason."""
    done = "would be sent" if dry_run else "sent again"
    rows: list[tuple[str, ...]] = [("code", done, "the same again", "held back")]
    rows += [
        (code, *(f"{counts[code]:,}" for counts in (account.sent, account.repeats, account.held)))
        for code in account.codes
    ]
    rows.append(("all", *(f"{c.total():,}" for c in (account.sent, account.repeats, account.held))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)),
        ]
        echo("  ".join(cells))
    for why, some in account.why.items():
        echo()
        echo(f"held back, {some.count:,}: {why.value}")
        for letter, detail in some.first:
            echo(f"  {_held_line(letter, detail, why)}")
        if some.count > len(some.first):
            echo(f"  … and {some.count - len(some.first):,} more: stream-attr dead-letters list shows all")


def _held_line(letter: DeadLetter, detail: str, why: Why) -> str:
    line = f"{letter.place}  {letter.code.value}  key {_readable(letter.key)}"
    if why is Why.PART:
        line += f"  {len(letter.value or b''):,} of {letter.length or 0:,} bytes"
    return f"{line}  {detail}" if detail else line


def _show_problems(letters: _Letters) -> int:
    """Show what could not be read; return the exit code."""
    for problem in letters.problems:
        echo(f"Error: {problem}", err=True)
    return 1 if letters.problems else 0
