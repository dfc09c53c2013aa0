"""Options of the commands that connect platforms: ``gateway`` and ``adapt``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import click

from stream_attr.cli.optional import optional_module
from stream_attr.cli.params import PORT, broker_option, topic_prefix_option
from stream_attr.cli.secured import security_options, web_token_option
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Security
from stream_attr.worker.startup.host_check import HostCheckError, require_address

__all__ = ["Connected", "connected_options", "gateway_module", "require_web"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Connected(NamedTuple):
    """Where the topics are, and who watches."""

    topics: tuple[str, Security, str]
    """Bootstrap servers, how they are reached, prefix."""
    web: tuple[str, int, Secret | None]
    """Host, port, token."""


def gateway_module(name: str) -> ModuleType:
    """Import a module of ``stream_attr.gateway``. Raises as `optional_module`."""
    return optional_module(f"gateway.{name}", "gateway", "this command")


def require_web(connected: Connected) -> None:
    """Check that the web port can be listened on, and that it has a token where other machines reach it.

    Raises:
        HostCheckError: otherwise.
    """
    host, port, token = connected.web
    if require_address(host, port) and token is None:
        raise HostCheckError(
            f"--web-host {host} lets other machines reach the web port: it needs a token, --web-token-file "
            "or STREAM_ATTR_WEB_TOKEN"
        )


def connected_options(web_port: int) -> Callable[[_Command], _Command]:
    """Add ``--connections``, those of the broker and of the web port, given as one ``connected``."""

    def add(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_options(
            *arguments: Any,
            broker: str,
            topic_prefix: str,
            security: Security,
            web_host: str,
            web_port: int,
            web_token: Secret | None,
            **others: Any,
        ) -> Any:
            where = Connected((broker, security, topic_prefix), (web_host, web_port, web_token))
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
            click.option(
                "--web-host",
                default="127.0.0.1",
                show_default=True,
                help="Interface of the web port; other than loopback it needs a token.",
            ),
            click.option(
                "--web-port",
                type=PORT,
                default=web_port,
                show_default=True,
                help="Port of /health, /ready and /metrics.",
            ),
            web_token_option,
        )
        made: Any = with_options
        for option in reversed(options):
            made = option(made)
        return made  # type: ignore[no-any-return]

    return add
