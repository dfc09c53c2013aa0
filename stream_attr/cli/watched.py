"""Options of commands with a web port for those who watch: health, readiness, metrics."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from stream_attr.cli.params import PORT
from stream_attr.cli.secured import web_token_option
from stream_attr.kafka.secret import Secret
from stream_attr.worker.startup.host_check import HostCheckError, require_address

__all__ = ["Web", "web_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Web(NamedTuple):
    """Where a command answers those who watch."""

    host: str
    port: int
    token: Secret | None

    def require(self) -> None:
        """Check that it can be listened on, and that it has a token where other machines reach it.

        Raises:
            HostCheckError: otherwise.
        """
        if require_address(self.host, self.port) and self.token is None:
            raise HostCheckError(
                f"--web-host {self.host} lets other machines reach the web port: it needs a token, "
                "--web-token-file or STREAM_ATTR_WEB_TOKEN"
            )


def web_options(port: int) -> Callable[[_Command], _Command]:
    """Add ``--web-host``, ``--web-port`` and the token's, given to the command as one ``web``."""

    def add(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_web(
            *arguments: Any, web_host: str, web_port: int, web_token: Secret | None, **others: Any
        ) -> Any:
            return command(*arguments, web=Web(web_host, web_port, web_token), **others)

        host = click.option(
            "--web-host",
            default="127.0.0.1",
            show_default=True,
            help="Interface of the web port; other than loopback it needs a token.",
        )
        number = click.option(
            "--web-port",
            type=PORT,
            default=port,
            show_default=True,
            help="Port of /health, /ready and /metrics.",
        )
        return host(number(web_token_option(with_web)))  # type: ignore[return-value]

    return add
