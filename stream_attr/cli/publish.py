"""``stream-attr publish``: JSON-lines files to the input topics."""

from __future__ import annotations

import sys

import click

from stream_attr.cli.params import (
    SPEED,
    TIME,
    FilesCommand,
    accept_future_option,
    broker_option,
    delivery_timeout_option,
    topic_prefix_option,
)
from stream_attr.cli.progress import Progress, of_sending
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo
from stream_attr.errors import StreamAttrError
from stream_attr.files.jsonl import STANDARD_INPUT
from stream_attr.kafka.publish import Inputs, publish
from stream_attr.kafka.security import Security
from stream_attr.kafka.sender import Published
from stream_attr.processor.intake import AHEAD_OF_CLOCK_MS
from stream_attr.wall_clock import wall_clock_ms


@click.command(name="publish", cls=FilesCommand)
@broker_option
@topic_prefix_option
@security_options
@click.option("--chat", metavar="FILE…", multiple=True, help="Chat events.")
@click.option("--orders", metavar="FILE…", multiple=True, help="Order events.")
@click.option("--rulings", metavar="FILE…", multiple=True, help="Rulings on the credit of orders.")
@click.option("--roster", metavar="FILE…", multiple=True, help="Roster records.")
@click.option("--settings", metavar="FILE…", multiple=True, help="Settings records.")
@click.option(
    "--speed",
    metavar="N",
    type=SPEED,
    help="Send the events N times as fast as they happened.  [default: as fast as possible]",
)
@accept_future_option
@delivery_timeout_option
@click.option(
    "--send-refused",
    is_flag=True,
    help="Send settings and roster records that a worker will refuse, too: they become dead letters.",
)
@click.option(
    "--until",
    metavar="TIME",
    type=TIME,
    help="Send ticks of this time (RFC 3339 or epoch milliseconds) to every partition at the end: "
    "what is due by then becomes final.",
)
def command(
    broker: str,
    topic_prefix: str,
    security: Security,
    chat: tuple[str, ...],
    orders: tuple[str, ...],
    rulings: tuple[str, ...],
    roster: tuple[str, ...],
    settings: tuple[str, ...],
    speed: float | None,
    until: int | None,
    accept_future: bool,
    delivery_timeout: int,
    send_refused: bool,
) -> None:
    """Send JSON-lines files to the topics, settings and roster before the events.

    A file may be .gz, and - is standard input; an option takes several files. Chat, orders and rulings
    are merged by their ts, each file in its own order. An event without a usable key is sent as it is, to
    partition 0: the worker turns it into a dead letter.

    Settings and roster are checked against the records on their topics before anything is sent: if a worker
    would refuse one, nothing is sent, and the command ends with status 1 and each reason.
    """
    inputs = Inputs(chat, orders, roster, settings, rulings)
    names = chat + orders + roster + settings + rulings
    if not names and until is None:
        raise click.UsageError(
            "nothing to publish: give --chat, --orders, --rulings, --roster, --settings or --until."
        )
    if names.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input (-) can be read once only.")
    if until is not None and not accept_future and until > wall_clock_ms() + AHEAD_OF_CLOCK_MS:
        echo(
            "--until lies more than 10 minutes ahead of the wall clock: workers will refuse these ticks as "
            "future_timestamp, unless started with --accept-future",
            err=True,
        )
    published = send(
        broker,
        inputs,
        topic_prefix,
        security,
        speed=speed,
        until=until,
        delivery_timeout_ms=delivery_timeout,
        send_refused=send_refused,
        accept_future=accept_future,
    )
    sys.exit(2 if published.too_long else 0)


def send(
    broker: str,
    inputs: Inputs,
    topic_prefix: str,
    security: Security,
    *,
    delivery_timeout_ms: int,
    speed: float | None = None,
    until: int | None = None,
    send_refused: bool = False,
    accept_future: bool = False,
) -> Published:
    """Send files with progress shown, and say what was sent, also when it breaks off; see `publish`."""
    progress = Progress("published")
    published = Published()
    try:
        publish(
            broker,
            inputs,
            prefix=topic_prefix,
            security=security,
            speed=speed,
            until=until,
            delivery_timeout_ms=delivery_timeout_ms,
            send_refused=send_refused,
            accept_future=accept_future,
            progress=of_sending(progress, broker, delivery_timeout_ms),
            published=published,
        )
    except StreamAttrError as error:
        error.args += (broken_off(published, broker),)
        raise
    except KeyboardInterrupt:
        progress.clear()
        echo(broken_off(published, broker), err=True)
        raise
    finally:
        progress.clear()
    _report(published)
    return published


def _sent(published: Published) -> str:
    return ", ".join(f"{count:,} to {topic}" for topic, count in published.records.items() if count)


def broken_off(published: Published, broker: str) -> str:
    """What was acknowledged, in a sentence, and what to do now."""
    if not published.records:
        return f"Nothing was sent to {broker}."
    return (
        f"Acknowledged before that: {_sent(published) or 'nothing'} on {broker}. "
        "Sending all again is safe: repeated events count once."
    )


def _report(published: Published) -> None:
    echo(f"published {_sent(published) or 'nothing'}", err=True)
    if published.without_key:
        echo(
            f"{published.without_key:,} of them without a key, to partition 0: they will be dead letters",
            err=True,
        )
    if published.of_future:
        echo(
            f"{published.of_future:,} of them more than 10 minutes ahead of the wall clock: workers will "
            "refuse them as future_timestamp, unless started with --accept-future",
            err=True,
        )
    if published.present:
        echo(f"{published.present:,} not sent again: on the settings or roster topic already", err=True)
    for line in published.too_long:
        echo(f"Error: not published: {line}", err=True)
