"""The command ``stream-attr`` (rulebook section 13).

Each command lives in a module of its own, ``stream_attr.cli.<name>``, as ``command``, and is imported when it
is asked for: ``--help`` and a mistyped name must not wait for Kafka clients to load.
"""

from __future__ import annotations

import importlib

import click

from stream_attr import __version__

__all__ = ["main"]

_COMMANDS = {
    "demo": "The whole system on this machine: events in, verdicts out.",
    "broker": "The embedded broker alone, in the foreground.",
    "topics": "Create or check the topics on a broker.",
    "worker": "Judge the events of a broker as they come.",
    "publish": "Send JSON-lines files to the topics.",
    "replay": "Judge JSON-lines files without a broker.",
    "generate": "Make realistic traffic from a seed.",
    "explain": "Tell in words how one order was judged.",
    "check": "Check JSON-lines files against the schemas.",
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"stream_attr.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stream-attr")
def main() -> None:
    """Decide, as a stream, which customer-service agent earned each order."""
