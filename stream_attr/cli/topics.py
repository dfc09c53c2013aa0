"""``stream-attr topics``: the topics of the contract on a broker."""

from __future__ import annotations

import sys

import click

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.cli.params import broker_option, topic_prefix_option
from stream_attr.cli.secured import security_options
from stream_attr.cli.terminal import echo
from stream_attr.kafka.admin import DEFAULT_PARTITIONS, Standing, create_topics
from stream_attr.kafka.security import Security
from stream_attr.kafka.topic_settings import sentences


@click.group(name="topics")
def command() -> None:
    """Create or check the topics on a broker."""


@command.command()
@broker_option
@topic_prefix_option
@security_options
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    default=DEFAULT_PARTITIONS,
    show_default=True,
    help="Partitions of the topics keyed by buyer; cannot be changed later.",
)
@click.option(
    "--replication-factor",
    type=click.IntRange(1, 32767),
    help="Copies of each partition.  [default: 3, or the number of brokers where there are fewer]",
)
@click.option(
    "--raw",
    metavar="PLATFORM",
    multiple=True,
    type=click.Choice(sorted(ADAPTERS)),
    help="Also raw.PLATFORM, of what stream-attr gateway keeps; may be repeated.",
)
def create(
    broker: str,
    topic_prefix: str,
    security: Security,
    partitions: int,
    replication_factor: int | None,
    raw: tuple[str, ...],
) -> None:
    """Create the missing topics and check the others. Never changes an existing topic.

    Exits with 1 if existing topics have another number of partitions, or settings that give wrong results;
    the message names the topic and the remedy. A setting that may lose data is a warning.
    """
    states = create_topics(
        broker,
        partitions=partitions,
        replication_factor=replication_factor,
        prefix=topic_prefix,
        security=security,
        platforms=raw,
    )
    for state in states:
        echo(f"{state.standing.value:8} {state.topic} ({state.partitions} partitions)")
    differing = [state for state in states if state.standing is Standing.DIFFERS]
    for state in differing:
        echo(f"Error: topic {state.topic}: {state.problem}", err=True)
    for warning in sentences(found for state in states for found in state.at_risk):
        echo(f"Warning: {warning}", err=True)
    sys.exit(1 if differing else 0)
