"""All that commands show: standard output and standard error, without what would control a terminal.

A line goes out by ``echo``. Whatever else is written, by libraries or as a traceback, passes the same filter,
because ``filter_streams`` puts it before both streams when the program starts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

import click

from stream_attr.codec.visible import visible, visible_lines

__all__ = ["echo", "echo_data", "filter_streams", "unfiltered", "visible_usage_errors"]


class _Filtered:
    """A text stream that shows what a terminal would obey, and is otherwise the stream behind it."""

    def __init__(self, stream: TextIO) -> None:
        self.unfiltered = stream

    def write(self, text: str) -> int:
        self.unfiltered.write(visible_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unfiltered, name)


def filter_streams() -> None:
    """Filter what is written to standard output and standard error as text, for the rest of the process."""
    if not isinstance(sys.stdout, _Filtered):
        sys.stdout = cast(TextIO, _Filtered(sys.stdout))
    if not isinstance(sys.stderr, _Filtered):
        sys.stderr = cast(TextIO, _Filtered(sys.stderr))


def unfiltered(stream: TextIO) -> TextIO:
    """Return the stream behind the filter: for escape sequences of our own alone."""
    return stream.unfiltered if isinstance(stream, _Filtered) else stream


def echo(line: str = "", *, err: bool = False) -> None:
    """Show one line on standard output or standard error; a line feed in it begins no other."""
    click.echo(visible(line), err=err)  # noqa: TID251 -- here


def echo_data(line: bytes) -> None:
    """Write one line to standard output as it stands, for a file or another program: it is not filtered."""
    click.echo(line)  # noqa: TID251 -- here


@contextmanager
def visible_usage_errors() -> Iterator[None]:
    """Let an error in the usage quote what was typed visibly, and on one line."""
    try:
        yield
    except click.UsageError as error:
        error.message = visible(error.message)
        raise
