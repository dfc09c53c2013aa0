"""Options of every command that talks to brokers or to the web port: authentication and TLS.

A password or token is read from a file or the environment. No option takes one: others on the machine see
the command line.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from stream_attr.kafka.secret import checked_token, read_secret
from stream_attr.kafka.security import Mechanism, Protocol, Security

__all__ = ["PASSWORD_VARIABLE", "TOKEN_VARIABLE", "security_options", "web_token_option"]

PASSWORD_VARIABLE = "STREAM_ATTR_SASL_PASSWORD"
TOKEN_VARIABLE = "STREAM_ATTR_WEB_TOKEN"

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _option(name: str, help_text: str, **attributes: Any) -> Callable[[_Command], _Command]:
    variable = "STREAM_ATTR_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, envvar=variable, show_envvar=True, help=help_text, **attributes)


def security_options(command: _Command) -> _Command:
    """How the brokers are reached, given to the command as one ``security``."""

    @functools.wraps(command)
    def secured(
        *arguments: Any,
        security_protocol: str,
        sasl_mechanism: str,
        sasl_user: str | None,
        sasl_password_file: Path | None,
        tls_ca_file: Path | None,
        tls_cert_file: Path | None,
        tls_key_file: Path | None,
        tls_any_hostname: bool,
        **others: Any,
    ) -> Any:
        security = Security(
            protocol=Protocol(security_protocol),
            mechanism=Mechanism(sasl_mechanism),
            user=sasl_user,
            password=read_secret(sasl_password_file, "--sasl-password-file", PASSWORD_VARIABLE),
            ca_file=tls_ca_file,
            cert_file=tls_cert_file,
            key_file=tls_key_file,
            any_hostname=tls_any_hostname,
        )
        return command(*arguments, security=security, **others)

    options = (
        _option(
            "--security-protocol",
            "Protocol of the brokers' port: SASL with authentication, SSL with TLS.",
            type=click.Choice([protocol.value for protocol in Protocol], case_sensitive=False),
            default=Protocol.PLAINTEXT.value,
            show_default=True,
        ),
        _option(
            "--sasl-mechanism",
            "SASL mechanism.",
            type=click.Choice([mechanism.value for mechanism in Mechanism], case_sensitive=False),
            default=Mechanism.SCRAM_SHA_512.value,
            show_default=True,
        ),
        _option("--sasl-user", "SASL user name.", metavar="NAME"),
        _option(
            "--sasl-password-file",
            f"File with the password on one line; or set {PASSWORD_VARIABLE} to the password.",
            metavar="FILE",
            type=_FILE,
        ),
        _option(
            "--tls-ca-file",
            "Trusted CA certificates (PEM).  [default: the system's]",
            metavar="FILE",
            type=_FILE,
        ),
        _option(
            "--tls-cert-file",
            "Client certificate (PEM), where the broker asks for one.",
            metavar="FILE",
            type=_FILE,
        ),
        _option(
            "--tls-key-file",
            "Key of the client certificate (PEM, not encrypted).",
            metavar="FILE",
            type=_FILE,
        ),
        _option("--tls-any-hostname", "Skip host name verification.", is_flag=True),
    )
    for option in reversed(options):
        secured = option(secured)
    return secured  # type: ignore[return-value]


def web_token_option(command: _Command) -> _Command:
    """The bearer token of the web port, given to the command as ``web_token``."""

    @functools.wraps(command)
    def with_token(*arguments: Any, web_token_file: Path | None, **others: Any) -> Any:
        token = read_secret(web_token_file, "--web-token-file", TOKEN_VARIABLE)
        if token is not None:
            where = TOKEN_VARIABLE if web_token_file is None else f"--web-token-file {web_token_file}"
            checked_token(token, where)
        return command(*arguments, web_token=token, **others)

    return _option(
        "--web-token-file",
        f"File with the web port's bearer token on one line; or set {TOKEN_VARIABLE} to the token.",
        metavar="FILE",
        type=_FILE,
    )(with_token)  # type: ignore[return-value]
