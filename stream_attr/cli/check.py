"""``stream-attr check``: lines that would become dead letters, and warnings, before anything is sent."""

from __future__ import annotations

import sys
from collections import Counter

import click

from stream_attr.audit import AuditWarning
from stream_attr.cli.params import FilesCommand, accept_future_option
from stream_attr.cli.progress import Progress
from stream_attr.cli.terminal import echo
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.replay.check import check
from stream_attr.replay.run import Inputs
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["command"]


@click.command(name="check", cls=FilesCommand)
@click.option("--chat", metavar="FILE…", multiple=True, help="Chat events.")
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="Rulings on the credit of orders.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records.")
@click.option("--settings", metavar="FILE…", multiple=True, help="Settings records, the oldest first.")
@accept_future_option
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
def command(
    chat: tuple[str, ...],
    orders: tuple[str, ...],
    rulings: tuple[str, ...],
    roster: tuple[str, ...],
    settings: tuple[str, ...],
    accept_future: bool,
    strict: bool,
) -> None:
    """Check JSON-lines files and print which lines would become dead letters, each as
    FILE:LINE: code: field: message.

    Exits with 1 if there are any. Files may be .gz; - is standard input. An order is an incomplete_order if
    no file has its creation: give all files that belong together.

    Then come warnings, as FILE:LINE: warning: code: message, with the lines and the remedy. They are about
    records that can be used, but suggest a mistake of the export: repeated event ids or chat, an order under
    two buyers, buyers without chat or with very many orders, agents not in the roster, refunds above the
    amount, second payments, cancelled orders that were paid, jumps in time.

    Not checked, as it depends on the live stream: too_late, key_mismatch (lines have no key),
    and changes of settings or roster that are sent after the day that they name.
    """
    names = chat + orders + roster + settings + rulings
    if not names:
        raise click.UsageError("nothing to check: give --chat, --orders, --rulings, --roster or --settings.")
    if names.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    progress = _Counted(Progress("checked"))
    codes: Counter[str] = Counter()
    warnings = 0
    try:
        inputs = Inputs(chat, orders, roster, settings, rulings)
        now = None if accept_future else wall_clock_ms()
        for found in check(inputs, wall_clock_ts=now, progress=progress):
            progress.shown.clear()
            if isinstance(found, AuditWarning):
                warnings += 1
                for line in found.lines():
                    echo(line)
            else:
                echo(str(found))
                codes[found.code] += 1
    finally:
        progress.shown.clear()
    counts = [f"{count:,} {code}" for code, count in codes.most_common()] or ["no problems"]
    if warnings:
        counts.append("1 warning" if warnings == 1 else f"{warnings:,} warnings")
    echo(f"{progress.lines:,} lines checked: {', '.join(counts)}", err=True)
    sys.exit(1 if codes or (strict and warnings) else 0)


class _Counted:
    """Progress that keeps the number of lines."""

    def __init__(self, shown: Progress) -> None:
        self.shown = shown
        self.lines = 0

    def __call__(self, lines: int) -> None:
        """``lines`` are read so far."""
        self.lines = lines
        self.shown(lines)
