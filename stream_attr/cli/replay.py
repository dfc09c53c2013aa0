"""``stream-attr replay``: judges files as the worker judges topics, without a broker."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path

import click
import orjson

from stream_attr.cli.params import (
    DURATION,
    FOLDER,
    TIME,
    FilesCommand,
    accept_future_option,
    retention_options,
    wall_clock_ts,
)
from stream_attr.cli.progress import Progress
from stream_attr.cli.terminal import echo
from stream_attr.contract.topics import DEAD_LETTERS, OUTPUTS, REPORTS
from stream_attr.errors import UnusableError
from stream_attr.files.atomic import atomic_files
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.processor.options import FACT_BYTES
from stream_attr.replay.memory_limit import memory_limit_mib
from stream_attr.replay.processes import sensible_number
from stream_attr.replay.run import Inputs, replay
from stream_attr.replay.steps import without_collector
from stream_attr.rules.buyer.retention import Retention
from stream_attr.rules.shop.days import DAY_MS

LEAST_CACHE_MIB = 16


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
    required=True,
    type=FOLDER,
    help="Folder for the results, one .jsonl file per topic.",
)
@click.option("--overwrite", is_flag=True, help="Replace the results that DIR already holds.")
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
    type=click.IntRange(1, 64),
    help="Processes that share the work by buyer; the outputs are the same.  [default: by the size of the "
    "files, at most one for each core]",
)
def command(
    chat: tuple[str, ...],
    orders: tuple[str, ...],
    rulings: tuple[str, ...],
    roster: tuple[str, ...],
    settings: tuple[str, ...],
    out: Path,
    overwrite: bool,
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
    """
    names = chat + orders + roster + settings + rulings
    if not chat and not orders:
        raise click.UsageError("nothing to judge: give --chat, --orders or both.")
    if names.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    found = [name for name in OUTPUTS if _file(out, name).exists()]
    if found and not overwrite:
        names_found = ", ".join(_file(out, name).name for name in found)
        raise UnusableError(
            f"{out} already holds results ({names_found}): choose another folder with --out, "
            "or replace them with --overwrite"
        )
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
        wall_clock_ts=None if accept_future else wall_clock_ts(),
        allowed_lateness_ms=allowed_lateness,
        retention=Retention(history_days * DAY_MS, order_retention_days * DAY_MS),
        processes=processes,
        reports=not decisions_only,
        cached_facts=(cache_mib << 20) // FACT_BYTES,
        progress=progress,
    )
    topics = [topic for topic in OUTPUTS if not decisions_only or topic not in REPORTS]
    written = dict.fromkeys(topics, 0)
    codes: Counter[str] = Counter()
    try:
        with ExitStack() as stack:
            stack.enter_context(without_collector())
            stack.enter_context(closing(outputs))
            files = stack.enter_context(atomic_files(out, topics))
            for output in outputs:
                file = files[output.topic]
                file.write(output.value)
                file.write(b"\n")
                written[output.topic] += 1
                if output.topic == DEAD_LETTERS:
                    codes[orjson.loads(output.value)["code"]] += 1
        for name in found:
            if name not in topics:
                _file(out, name).unlink(missing_ok=True)
    finally:
        progress.clear()
    summary = ", ".join(
        f"{count:,} {topic}" for topic, count in written.items() if count or topic == DEAD_LETTERS
    )
    if codes:
        summary += f" ({', '.join(f'{count:,} {code}' for code, count in codes.most_common())})"
    echo(f"{summary} in {out}", err=True)


def _file(out: Path, topic: str) -> Path:
    return out / f"{topic}.jsonl"
