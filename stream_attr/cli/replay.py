"""``stream-attr replay``: judges files as the worker judges topics, without a broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import orjson

from stream_attr.cli.database import Where, database_options
from stream_attr.cli.ledger_files import fill, open_ledger
from stream_attr.cli.params import (
    DURATION,
    FOLDER,
    TIME,
    FilesCommand,
    accept_future_option,
    retention_options,
)
from stream_attr.cli.progress import Progress
from stream_attr.cli.terminal import echo
from stream_attr.collector import without_collector
from stream_attr.contract.topics import DEAD_LETTERS, OUTPUTS, REPORTS, ROSTER, RULINGS, SETTINGS
from stream_attr.errors import UnusableError
from stream_attr.files.atomic import atomic_files
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.processor.options import FACT_BYTES
from stream_attr.processor.ports import Output
from stream_attr.replay.memory_limit import memory_limit_mib
from stream_attr.replay.processes import MOST_PROCESSES, sensible_number
from stream_attr.replay.run import Inputs, replay
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.wall_clock import wall_clock_ms

LEAST_CACHE_MIB = 16
_MOST_WARNINGS = 10
_WITHOUT = {
    SETTINGS: "its shop is judged by its earlier settings, or by the defaults where it has none",
    ROSTER: "all is judged as if the record were not there",
}
"""What follows when a record of a topic is refused that others are judged by."""


@click.command(name="replay", cls=FilesCommand)
@click.option("--chat", metavar="FILE…", multiple=True, help="Chat events.")
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="Rulings on the credit of orders.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records.")
@click.option(
    "--settings",
    metavar="FILE…",
    multiple=True,
    help="Settings records; they hold from any day that they name.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=FOLDER,
    help="Folder for the results, one .jsonl file per topic; with --ledger it may be left out.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results that DIR already holds.")
@click.option("--ledger", is_flag=True, help="Fill the ledger's database with the results, for reports.")
@click.option(
    "--rebuild",
    is_flag=True,
    help="With --ledger: empty it first of all that came from records; name all files, those of before, too.",
)
@database_options
@click.option(
    "--until",
    metavar="TIME",
    type=TIME,
    help="Where the watermark stops (RFC 3339 or epoch milliseconds); what is not final then stays pending.  "
    "[default: everything becomes final]",
)
@click.option(
    "--allowed-lateness",
    metavar="DURATION",
    type=DURATION,
    default="5m",
    show_default=True,
    help="How far the watermark stays behind the newest event; 60d for unsorted files.",
)
@accept_future_option
@retention_options
@click.option(
    "--cache-mib",
    metavar="MIB",
    type=click.IntRange(LEAST_CACHE_MIB),
    help="Memory in MiB for the most recent buyers, of all processes together; the more, the faster.  "
    "[default: half of the machine's memory, or of its container's]",
)
@click.option(
    "--decisions-only",
    is_flag=True,
    help="Write decisions only, in half the time: no reception facts, inquiry outcomes or agents' days.",
)
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(1, MOST_PROCESSES),
    help="Processes that share the work by buyer; the outputs are the same.  [default: by the size of the "
    "files, at most one for each core]",
)
def command(
    chat: tuple[str, ...],
    orders: tuple[str, ...],
    rulings: tuple[str, ...],
    roster: tuple[str, ...],
    settings: tuple[str, ...],
    out: Path | None,
    overwrite: bool,
    ledger: bool,
    rebuild: bool,
    where: Where,
    until: int | None,
    allowed_lateness: int,
    accept_future: bool,
    history_days: int,
    order_retention_days: int,
    cache_mib: int | None,
    decisions_only: bool,
    processes: int | None,
) -> None:
    """Judge JSON-lines files and write every revision, in the order of its emission, to DIR.

    Each file is read in its own order, the files merged by ts. Files may be .gz; - is standard input. A DIR
    that already holds results is refused, unless --overwrite is given.

    With --ledger the results, settings, roster and rulings then go to the ledger, as by stream-attr ledger
    --from DIR: the same files again change nothing, others are refused, unless --rebuild is given.
    """
    names = chat + orders + roster + settings + rulings
    if not chat and not orders:
        raise click.UsageError("nothing to judge: give --chat, --orders or both.")
    if names.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    if ledger and STANDARD_INPUT in roster + settings + rulings:
        raise click.UsageError("--ledger reads roster, settings and rulings again: give files, not -.")
    if rebuild and not ledger:
        raise click.UsageError("--rebuild goes with --ledger.")
    if out is None and not ledger:
        raise click.UsageError("nowhere to write to: give --out DIR, --ledger or both.")
    if out is not None and not overwrite:
        _require_no_results(out)
    inputs = Inputs(chat, orders, roster, settings, rulings)
    if processes is None:
        processes = sensible_number(inputs)
    elif processes > 1 and STANDARD_INPUT in names:
        raise click.UsageError("standard input (-) cannot be shared by several processes: --processes 1.")
    if cache_mib is None:
        cache_mib = max(memory_limit_mib() // 2, LEAST_CACHE_MIB)
    progress = Progress("replayed")
    outputs = replay(
        inputs,
        until=until,
        wall_clock_ts=None if accept_future else wall_clock_ms(),
        allowed_lateness_ms=allowed_lateness,
        retention=Retention(history_days * DAY_MS, order_retention_days * DAY_MS),
        processes=processes,
        reports=not decisions_only,
        cached_facts=(cache_mib << 20) // FACT_BYTES,
        progress=progress,
    )
    topics = [topic for topic in OUTPUTS if not decisions_only or topic not in REPORTS]
    with ExitStack() as stack:
        stack.enter_context(without_collector())
        stack.enter_context(closing(outputs))
        database = stack.enter_context(open_ledger(where)) if ledger else None
        folder = out or Path(stack.enter_context(TemporaryDirectory(prefix="stream-attr-replay-")))
        warnings: list[str] = []
        try:
            summary = _write(outputs, folder, topics, warnings)
        finally:
            progress.clear()
        for warning in warnings[:_MOST_WARNINGS]:
            echo(warning, err=True)
        if (more := len(warnings) - _MOST_WARNINGS) > 0:
            echo(f"Warning: {more:,} more of settings and roster are refused: see {DEAD_LETTERS}", err=True)
        echo(f"judged: {summary}" if out is None else f"{summary} in {out}", err=True)
        if database is not None:
            inputs_kept = {SETTINGS: settings, ROSTER: roster, RULINGS: rulings}
            fill(database, folder, inputs_kept, rebuild=rebuild)


def _require_no_results(out: Path) -> None:
    found = [file.name for topic in OUTPUTS if (file := _file(out, topic)).exists()]
    if found:
        raise UnusableError(
            f"{out} already holds results ({', '.join(found)}): choose another folder with --out, "
            "or replace them with --overwrite"
        )


def _write(outputs: Iterable[Output], folder: Path, topics: Sequence[str], warnings: list[str]) -> str:
    """Write outputs to the folder in place of what it holds; return how many there are of each topic.

    ``warnings`` gets a sentence for each refused record of settings and roster.
    """
    written = dict.fromkeys(topics, 0)
    codes: Counter[str] = Counter()
    with atomic_files(folder, topics) as files:
        for output in outputs:
            file = files[output.topic]
            file.write(output.value)
            file.write(b"\n")
            written[output.topic] += 1
            if output.topic == DEAD_LETTERS:
                letter = orjson.loads(output.value)
                codes[letter["code"]] += 1
                if letter["topic"] in _WITHOUT:
                    warnings.append(_refused(letter))
    for topic in set(OUTPUTS) - set(topics):
        _file(folder, topic).unlink(missing_ok=True)
    summary = ", ".join(
        f"{count:,} {topic}" for topic, count in written.items() if count or topic == DEAD_LETTERS
    )
    if codes:
        summary += f" ({', '.join(f'{count:,} {code}' for code, count in codes.most_common())})"
    return summary


def _refused(letter: dict[str, Any]) -> str:
    """Say of a refused record of settings or roster where it is, what is wrong, and what follows."""
    field, message = letter["field"], letter["message"]
    named = "" if field is None or f"`{field}`" in message else f"`{field}`: "
    return f"Warning: {letter['file']}, line {letter['line']}: {named}{message}; {_WITHOUT[letter['topic']]}"


def _file(out: Path, topic: str) -> Path:
    return out / f"{topic}.jsonl"
