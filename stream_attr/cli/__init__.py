"""The command ``stream-attr`` (RULEBOOK 13).

Each command lives in a module of its own, ``stream_attr.cli.<name>``, as ``command``, and is imported when it
is asked for: ``--help`` and a mistyped name must not wait for Kafka clients to load.
"""

from __future__ import annotations

import codecs
import errno
import importlib
import io
import os
import sys
from typing import Any

import click

from stream_attr import __version__
from stream_attr.cli.exits import Failed
from stream_attr.cli.process import end_in_an_orderly_way, open_standard_streams
from stream_attr.cli.terminal import echo, filter_streams, visible_usage_errors
from stream_attr.collector import without_collector
from stream_attr.errors import StreamAttrError
from stream_attr.worker.engine.signals import end_at_once

__all__ = ["main"]

_COMMANDS = {
    "demo": "The whole system on this machine: events in, verdicts out.",
    "broker": "The embedded broker alone, in the foreground.",
    "topics": "Create or check the topics on a broker.",
    "worker": "Judge the events of a broker as they come.",
    "publish": "Send JSON-lines files to the topics.",
    "import": "Make events of sheets and exports of chats and orders.",
    "replay": "Judge JSON-lines files without a broker.",
    "ledger": "Keep the results in a PostgreSQL database, for reports.",
    "gateway": "Receive what platforms send, and keep it.",
    "pull": "Ask platforms for what was changed, and keep it.",
    "adapt": "Make events of what a platform sent.",
    "generate": "Generate realistic traffic from a seed.",
    "explain": "Explain the decision on an order, or a buyer's day.",
    "check": "Check JSON-lines files against the schemas.",
    "settings": "Show a shop's rules on a day, and where each comes from.",
    "goal": "Set what shops and agents are to reach.",
    "report": "Show sales, orders, losses and other figures of the ledger.",
    "pay": "Pay persons by schemes, month by month.",
    "lab": "Judge stored events by other rules, side by side.",
    "rule": "Give the sale of an order to somebody, over the rules.",
    "appeal": "Appeal against decisions, and answer appeals.",
    "console": "Show the ledger in a browser.",
    "alerts": "Tell people when a figure leaves its limits.",
    "dead-letters": "List and replay records that could not be used.",
}


_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as this process; tests call ``main``."""
        open_standard_streams()
        if sys.argv[1:2] == ["worker"]:
            end_at_once()
        else:
            end_in_an_orderly_way()
        return super().__call__(*args, **kwargs)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, whatever standard output is: a full disk, or an encoding without Chinese."""
        _show_any_character()
        filter_streams()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.filename is not None or error.errno not in _DISK_FULL:
                raise  # a file: the command names it
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 -- where what is still in the buffer goes
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            echo(f"Error: standard output cannot be written: {error.strerror}", err=True)
            sys.exit(1)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with visible_usage_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with visible_usage_errors():
            try:
                return super().invoke(ctx)
            except StreamAttrError as error:
                raise Failed(error) from error

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = "import_" if cmd_name == "import" else cmd_name.replace("-", "_")  # it is a word of Python
        with without_collector():
            command = importlib.import_module(f"stream_attr.cli.{module}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _show_any_character() -> None:
    """Show characters that standard output or error cannot encode as ``\\u4e1a``, instead of failing.

    ASCII means that no encoding is configured: such an output gets UTF-8, as in click.echo.
    """
    for out in (sys.stdout, sys.stderr):
        if not isinstance(out, io.TextIOWrapper):
            continue
        encoding = codecs.lookup(out.encoding).name
        if encoding == "ascii":
            out.reconfigure(encoding="utf-8", errors="backslashreplace")
        elif out.errors != "backslashreplace":
            out.reconfigure(errors="backslashreplace")


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stream-attr")
def main() -> None:
    """Decide, as a stream, which customer-service agent earned each order."""
