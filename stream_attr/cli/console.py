"""``stream-attr console``: the ledger in a browser, and who may look at it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from stream_attr.cli.console_doors import Doors, doors_options
from stream_attr.cli.console_user import console_module, user
from stream_attr.cli.database import Where, database_options, ledger_module
from stream_attr.cli.optional import optional_module
from stream_attr.cli.params import BROKER, EXISTING_FOLDER, PORT, WEB_URL, topic_prefix_option
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo
from stream_attr.cli.watched import Web, web_options
from stream_attr.errors import UnusableError
from stream_attr.kafka.address import BROKER_VARIABLE
from stream_attr.kafka.security import Security
from stream_attr.kafka.writer import TopicWriter
from stream_attr.worker.ops.logs import set_up
from stream_attr.worker.startup.host_check import HostCheckError, is_this_machine, require_address

_WAIT_S = 10.0
"""How long a page waits for a connection to the database."""


@click.group(name="console", invoke_without_command=True)
@click.pass_context
@database_options
@click.option(
    "--broker",
    metavar="HOST:PORT,…",
    type=BROKER,
    envvar=BROKER_VARIABLE,
    show_envvar=True,
    help="Bootstrap servers, which take what is decided here.  [default: nothing can be published]",
)
@topic_prefix_option
@security_options
@click.option(
    "--events",
    metavar="FOLDER",
    type=EXISTING_FOLDER,
    help="Events that stream-attr lab export has stored, to try rules on.  [default: rules cannot be tried]",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Interface to listen on; other than loopback it needs --public-url https://….",
)
@click.option("--port", type=PORT, default=8080, show_default=True, help="Port to listen on.")
@doors_options
@web_options(port=6071)
@click.option(
    "--public-url",
    metavar="URL",
    type=WEB_URL,
    help="The address in people's browsers, where a proxy with a certificate stands before it. With https "
    "its cookie is for HTTPS alone.  [default: http://HOST:PORT]",
)
def command(
    context: click.Context,
    where: Where,
    broker: str | None,
    topic_prefix: str,
    security: Security,
    events: Path | None,
    host: str,
    port: int,
    doors: Doors,
    web: Web,
    public_url: str | None,
) -> None:
    """Show the ledger in a browser, in Chinese and English: stream-attr console.

    Everybody needs an account: stream-attr console user add.
    """
    context.obj = where, public_url or f"http://{host}:{port}"
    if context.invoked_subcommand is None:
        writer = None if broker is None else TopicWriter(broker, security, topic_prefix)
        _serve(where, writer, events, host, port, public_url, doors, web)


def _serve(
    where: Where,
    writer: TopicWriter | None,
    events: Path | None,
    host: str,
    port: int,
    public_url: str | None,
    doors: Doors,
    web: Web,
) -> None:
    """Serve until a signal."""
    set_up()
    app = console_module("app")
    secure = public_url is not None and urlsplit(public_url).scheme == "https"
    is_published = public_url is not None and is_this_machine(urlsplit(public_url).hostname)
    if require_address(host, port) and not (secure or is_published):
        raise HostCheckError(
            f"--host {host} lets other machines read the ledger: put a proxy with a certificate before it, "
            "and name its address with --public-url https://…; or http://127.0.0.1:PORT, where a container's "
            "port is published on this machine alone: requests to another name are refused then"
        )
    web.require()
    address = public_url or f"http://{host}:{port}"
    provider = None
    if doors.oidc is not None:
        provider = doors.oidc.provider(f"{address.rstrip('/')}{app.OIDC_BACK}")
    settings = app.Settings(secure, writer, address, doors.proxies, doors.login_header, provider)
    uvicorn = importlib.import_module("uvicorn")
    migrate = ledger_module("database.migrate").migrate
    with ledger_module("database.connect").Database(*where, create=False) as database:
        to_do = migrate(database)
        if to_do is not None:
            echo(f"Warning: {to_do}", err=True)
        with database.connection(autocommit=True) as connection:
            refused = ledger_module("database.publish").may_become_console(connection)
            if refused is not None:
                raise UnusableError(refused)
            if not console_module("accounts").Accounts(connection).all():
                echo(
                    "Nobody can log in yet: stream-attr console user add LOGIN --name NAME --role admin",
                    err=True,
                )
        metrics, watched = (
            console_module("metrics").ConsoleMetrics(),
            optional_module("gateway.web", "console", "the console"),
        )
        with (
            database.pool(autocommit=True, application="stream-attr console", wait_s=_WAIT_S) as pool,
            console_module("watch").Watch(database, pool, metrics) as watch,
            watched.serving(
                watched.watched(metrics.registry, watch.why_not, web.token),
                web.host,
                web.port,
                "--web-host and --web-port",
            ),
            _lab(pool, events) as lab,
        ):
            metrics.watch(pool)
            echo(f"console on {address}")
            uvicorn.run(
                app.application(pool, settings._replace(lab=lab), metrics),
                host=host,
                port=port,
                access_log=False,
                log_config=None,  # ours, which shows no values
                server_header=False,
                proxy_headers=False,  # the application has its own
            )


@contextmanager
def _lab(pool: Any, events: Path | None) -> Iterator[Any]:
    """Yield what judges trials of rules until the block ends; None: there are no events."""
    if events is None:
        yield None
        return
    lab = optional_module("lab.runner", "console", "the console").Runner(pool, events)
    lab.start()
    try:
        yield lab
    finally:
        lab.stop()


command.add_command(user)
