"""Options of ``stream-attr console`` that say who may come in, and how: proxies, OpenID Connect."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from stream_attr.cli.optional import optional_module
from stream_attr.cli.params import WEB_URL
from stream_attr.kafka.secret import Secret, read_secret

__all__ = ["OIDC_SECRET_VARIABLE", "Doors", "Oidc", "doors_options"]

OIDC_SECRET_VARIABLE = "STREAM_ATTR_OIDC_CLIENT_SECRET"
_SECRET_FILE = "--oidc-client-secret-file"
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_NOT_A_LOGIN = ("authorization", "cookie", "host", "origin", "x-forwarded-for", "x-forwarded-proto")

_Command = TypeVar("_Command", bound=Callable[..., Any])
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Network(click.ParamType):
    """An address, or a network as 10.0.0.0/24."""

    name = "network"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Network:
        try:
            return ipaddress.ip_network(value)
        except ValueError as error:
            self.fail(f"{value!r} is not an address like 10.0.0.4 or 10.0.0.0/24: {error}.", param, ctx)


class _Header(click.ParamType):
    """The name of a header that only says who somebody is."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _HEADER.fullmatch(value) or value.lower() in _NOT_A_LOGIN:
            self.fail(f"{value!r} is not the name of such a header, as X-Remote-User.", param, ctx)
        return str(value)


class Oidc(NamedTuple):
    """A provider at which people log in."""

    issuer: str
    client_id: str
    secret: Secret | None
    """None: a public client."""
    claim: str

    def provider(self, redirect_uri: str) -> Any:
        """Return it as the console takes it.

        Raises:
            UnusableError: its library is not installed, or it is reached without TLS.
        """
        module = optional_module("console.oidc", "oidc", "--oidc-issuer")
        return module.Provider(self.issuer, self.client_id, self.secret, self.claim, redirect_uri)


class Doors(NamedTuple):
    """Who may come in beside those with a password."""

    proxies: tuple[Network, ...]
    login_header: str | None
    oidc: Oidc | None


def doors_options(command: _Command) -> _Command:
    """Add them, given to the command as one ``doors``."""

    @functools.wraps(command)
    def with_doors(
        *arguments: Any,
        proxies: tuple[Network, ...],
        login_header: str | None,
        oidc_issuer: str | None,
        oidc_client_id: str | None,
        oidc_client_secret_file: Path | None,
        oidc_claim: str,
        **others: Any,
    ) -> Any:
        if login_header is not None and not proxies:
            raise click.UsageError("--login-header needs --proxy: only a proxy's word counts on who asks.")
        secret = read_secret(oidc_client_secret_file, _SECRET_FILE, OIDC_SECRET_VARIABLE)
        if (oidc_issuer is None) != (oidc_client_id is None):
            raise click.UsageError("--oidc-issuer and --oidc-client-id go together.")
        oidc = None
        if oidc_issuer is not None and oidc_client_id is not None:
            oidc = Oidc(oidc_issuer, oidc_client_id, secret, oidc_claim)
        elif oidc_client_secret_file is not None:
            raise click.UsageError(f"{_SECRET_FILE} goes with --oidc-issuer.")
        return command(*arguments, doors=Doors(proxies, login_header, oidc), **others)

    options = (
        click.option(
            "--proxy",
            "proxies",
            metavar="ADDRESS[/BITS]…",
            type=_Network(),
            multiple=True,
            help="A proxy before it, whose X-Forwarded-For says who asks.  [default: nobody is believed]",
        ),
        click.option(
            "--login-header",
            metavar="NAME",
            type=_Header(),
            help="Header in which --proxy says as whom it has let somebody in: the login of an account. The "
            "proxy must take it out of what others send.  [default: none is believed]",
        ),
        click.option(
            "--oidc-issuer",
            metavar="URL",
            type=WEB_URL,
            envvar="STREAM_ATTR_OIDC_ISSUER",
            show_envvar=True,
            help="OpenID Connect provider at which people can log in, as its tokens name it.",
        ),
        click.option(
            "--oidc-client-id",
            metavar="ID",
            envvar="STREAM_ATTR_OIDC_CLIENT_ID",
            show_envvar=True,
            help="What this console is called there; it sends browsers back to PUBLIC-URL/oidc/callback.",
        ),
        click.option(
            _SECRET_FILE,
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            envvar="STREAM_ATTR_OIDC_CLIENT_SECRET_FILE",
            show_envvar=True,
            help=f"File with its secret on one line; or set {OIDC_SECRET_VARIABLE} to it.  [default: a "
            "public client]",
        ),
        click.option(
            "--oidc-claim",
            metavar="NAME",
            default="preferred_username",
            show_default=True,
            envvar="STREAM_ATTR_OIDC_CLAIM",
            show_envvar=True,
            help="Claim that holds the login of an account; one that people cannot choose themselves. Of "
            "email only a verified one counts.",
        ),
    )
    for option in reversed(options):
        with_doors = option(with_doors)
    return with_doors  # type: ignore[return-value]
