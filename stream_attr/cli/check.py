"""``stream-attr check``: what of files would go to the dead letters, before anything is sent."""

from __future__ import annotations

import sys
from collections import Counter

import click

from stream_attr.cli.params import FilesCommand
from stream_attr.cli.progress import Progress
from stream_attr.cli.terminal import echo
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.replay.check import check
from stream_attr.replay.run import Inputs

__all__ = ["command"]


@click.command(name="check", cls=FilesCommand)
@click.option("--chat", metavar="FILE…", multiple=True, help="Chat events.")
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records.")
@click.option("--settings", metavar="FILE…", multiple=True, help="Settings records, the oldest first.")
def command(
    chat: tuple[str, ...], orders: tuple[str, ...], roster: tuple[str, ...], settings: tuple[str, ...]
) -> None:
    """Check JSON-lines files and print what would go to the dead letters, a line each:
    FILE:LINE: code: field: message.

    Ends with status 1 if there is any. Files may be .gz; - is standard input. An order is an
    incomplete_order if no file given tells its creation; give all files that belong together.

    What hangs on the live stream cannot be known here: too_late, future_timestamp, key_mismatch (lines
    have no key), and a change of settings or roster that is sent after the day from which it is to hold.
    """
    names = chat + orders + roster + settings
    if not names:
        raise click.UsageError("nothing to check: give --chat, --orders, --roster or --settings.")
    if names.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    progress = _Counted(Progress("checked"))
    codes: Counter[str] = Counter()
    try:
        for problem in check(Inputs(chat, orders, roster, settings), progress=progress):
            progress.shown.clear()
            echo(str(problem))
            codes[problem.code] += 1
    finally:
        progress.shown.clear()
    found = ", ".join(f"{count:,} {code}" for code, count in codes.most_common())
    echo(f"{progress.lines:,} lines checked: {found or 'no problems'}", err=True)
    sys.exit(1 if codes else 0)


class _Counted:
    """Progress that remembers how far it was told to be."""

    def __init__(self, shown: Progress) -> None:
        self.shown = shown
        self.lines = 0

    def __call__(self, lines: int) -> None:
        """``lines`` are read so far."""
        self.lines = lines
        self.shown(lines)
