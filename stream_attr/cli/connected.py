"""Options of the commands that connect platforms: ``gateway`` and ``adapt``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import click

from stream_attr.cli.optional import optional_module
from stream_attr.cli.params import broker_option, topic_prefix_option
from stream_attr.cli.secured import security_options
from stream_attr.cli.watched import Web, web_options
from stream_attr.kafka.security import Security

__all__ = ["Connected", "connected_options", "gateway_module"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Connected(NamedTuple):
    """Where the topics are, and who watches."""

    topics: tuple[str, Security, str]
    """Bootstrap servers, how they are reached, prefix."""
    web: Web


def gateway_module(name: str) -> ModuleType:
    """Import a module of ``stream_attr.gateway``. Raises as `optional_module`."""
    return optional_module(f"gateway.{name}", "gateway", "this command")


def connected_options(web_port: int) -> Callable[[_Command], _Command]:
    """Add ``--connections``, those of the broker and of the web port, given as one ``connected``."""

    def add(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_options(
            *arguments: Any,
            broker: str,
            topic_prefix: str,
            security: Security,
            web: Web,
            **others: Any,
        ) -> Any:
            where = Connected((broker, security, topic_prefix), web)
            return command(*arguments, connected=where, **others)

        options = (
            click.option(
                "--connections",
                metavar="FILE",
                required=True,
                envvar="STREAM_ATTR_CONNECTIONS",
                show_envvar=True,
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="The connected accounts, JSON: see docs/guides/connecting.md.",
            ),
            broker_option,
            topic_prefix_option,
            security_options,
            web_options(web_port),
        )
        made: Any = with_options
        for option in reversed(options):
            made = option(made)
        return made  # type: ignore[no-any-return]

    return add
