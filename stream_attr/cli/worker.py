"""``stream-attr worker``: events of a broker in, decisions out, until it is stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stream_attr.cli.params import (
    DURATION,
    FOLDER,
    PORT,
    SESSION,
    WEB_URL,
    accept_future_option,
    broker_option,
    retention_options,
    topic_prefix_option,
)
from stream_attr.cli.secured import security_options, web_token_option
from stream_attr.kafka.secret import Secret
from stream_attr.kafka.security import Security
from stream_attr.worker.config import Clock, LostInput, StoreKind, Transactions, WorkerConfig
from stream_attr.worker.engine.app import run
from stream_attr.worker.startup.wiring import processor_judging


def _named(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("it must not be empty.")
    return value


@click.command(name="worker")
@broker_option
@topic_prefix_option
@security_options
@click.option(
    "--app-id",
    default="stream-attr",
    show_default=True,
    callback=_named,
    help="Consumer group; one per installation.",
)
@click.option(
    "--data-dir",
    type=FOLDER,
    default="data",
    show_default=True,
    envvar="STREAM_ATTR_DATA_DIR",
    show_envvar=True,
    help="Folder of the local copy of the state; each worker of a machine needs its own.",
)
@click.option(
    "--store",
    type=click.Choice([kind.value for kind in StoreKind]),
    default=StoreKind.ROCKSDB.value,
    show_default=True,
    help="memory is for trials: each start then restores from the complete changelog.",
)
@click.option(
    "--cache-mib",
    type=click.IntRange(16),
    default=512,
    show_default=True,
    help="Memory in MiB for the most recent buyers and the local store's caches, of all partitions of this "
    "worker together.",
)
@click.option(
    "--web-host",
    default="127.0.0.1",
    show_default=True,
    help="Interface of the web port; other than loopback it needs a token.",
)
@click.option(
    "--web-port",
    type=PORT,
    default=6066,
    show_default=True,
    help="Port of /health, /ready, /metrics and /orders.",
)
@web_token_option
@click.option(
    "--web-url",
    metavar="URL",
    type=WEB_URL,
    help="Address at which other workers reach this one.  [default: http://WEB_HOST:WEB_PORT]",
)
@click.option(
    "--clock",
    type=click.Choice([clock.value for clock in Clock]),
    default=Clock.WALL.value,
    show_default=True,
    help="wall: idle partitions get ticks.  events: time comes from the records alone, for publishing "
    "history.",
)
@accept_future_option
@click.option(
    "--allowed-lateness",
    metavar="DURATION",
    type=DURATION,
    default="5m",
    show_default=True,
    help="How far the watermark stays behind the newest event.",
)
@retention_options
@click.option(
    "--decisions-only",
    is_flag=True,
    help="Emit decisions only: no reception facts, inquiry outcomes or agents' days.",
)
@click.option(
    "--transactions",
    type=click.Choice([mode.value for mode in Transactions]),
    default=Transactions.AUTO.value,
    show_default=True,
    help="auto: on, except on the embedded broker.",
)
@click.option(
    "--lost-input",
    type=click.Choice([policy.value for policy in LostInput]),
    default=LostInput.STOP.value,
    show_default=True,
    help="What to do when events were deleted before they were judged, by retention or with a recreated "
    "topic: stop, or continue without them (a recreated topic is read from its beginning).",
)
@click.option(
    "--session-timeout",
    metavar="DURATION",
    type=SESSION,
    default="10s",
    show_default=True,
    help="How long a worker may be silent before others take its partitions (Apache Kafka: at least 6s).",
)
def command(
    broker: str,
    topic_prefix: str,
    security: Security,
    app_id: str,
    data_dir: Path,
    store: str,
    cache_mib: int,
    web_host: str,
    web_port: int,
    web_url: str | None,
    web_token: Secret | None,
    clock: str,
    accept_future: bool,
    allowed_lateness: int,
    history_days: int,
    order_retention_days: int,
    decisions_only: bool,
    transactions: str,
    lost_input: str,
    session_timeout: int,
) -> None:
    """Judge the events of a broker as they come; SIGTERM, SIGHUP or Ctrl-C ends it after the current batch.

    Start as many as you like, each with its own --data-dir and --web-port: they share the partitions. The
    topics must exist: stream-attr topics create.
    """
    config = WorkerConfig(
        broker=broker,
        security=security,
        app_id=app_id,
        topic_prefix=topic_prefix,
        data_dir=data_dir,
        store=StoreKind(store),
        cache_mib=cache_mib,
        clock=Clock(clock),
        accept_future=accept_future,
        transactions=Transactions(transactions),
        lost_input=LostInput(lost_input),
        allowed_lateness_ms=allowed_lateness,
        history_days=history_days,
        order_retention_days=order_retention_days,
        reports=not decisions_only,
        web_host=web_host,
        web_port=web_port,
        web_url=web_url,
        web_token=web_token,
        session_timeout_s=session_timeout / 1000,
    )
    sys.exit(run(config, processor_judging(config)))
