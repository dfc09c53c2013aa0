"""What must be true of the broker before a worker starts: its topics, and what it can promise."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka.admin import ClusterMetadata

from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import BUYER_DAYS, CHANGELOG, CHAT, CLOSINGS, ORDERS, ROSTER, SETTINGS, TICKS
from stream_attr.errors import UnusableError
from stream_attr.kafka.address import topics_command
from stream_attr.kafka.connection import connect
from stream_attr.kafka.embedded.broker import CLUSTER_ID
from stream_attr.kafka.topic_settings import check_settings
from stream_attr.rules.shop.days import DAY_MS
from stream_attr.worker.config import Transactions, WorkerConfig

__all__ = [
    "EVENTS",
    "GLOBAL_TOPICS",
    "INPUTS",
    "INTERNAL_INPUTS",
    "TopicsCheckError",
    "TopicsFound",
    "inspect",
]

EVENTS = (CHAT, ORDERS)
"""Topics whose records are judged in the order of their ``ts``."""
INTERNAL_INPUTS = (BUYER_DAYS, CLOSINGS)
"""Topics by which partitions tell each other: outputs of some are inputs of others."""
INPUTS = (*EVENTS, TICKS, *INTERNAL_INPUTS)
"""Topics consumed by partition; partition p of all of them is one worker's at a time."""
GLOBAL_TOPICS = (SETTINGS, ROSTER)
"""Topics of one partition that every worker reads whole."""

logger = logging.getLogger(__name__)


class TopicsCheckError(UnusableError):
    """The broker's topics are not as ``stream-attr topics create`` makes them."""


class TopicsFound(NamedTuple):
    """What a worker needs to know of its broker."""

    partitions: int
    """Partitions of every topic that is keyed by buyer."""
    transactions: bool
    """Whether a batch is one transaction here."""
    brokers: int
    """How many brokers the cluster has."""
    retention_ms: Mapping[str, int]
    """How long topics keep records after the time that their senders gave them, by name without prefix."""


def inspect(config: WorkerConfig) -> TopicsFound:
    """Look at the broker's topics and decide on transactions; log a warning for each setting that loses data.

    ``auto`` turns them off on the embedded broker alone, known by its cluster id: it shows what was aborted.

    Raises:
        BrokerUnreachable: no broker answers.
        LayoutError: a topic is missing, or the partition counts do not fit together; the message names each
            and the command that helps.
    """
    definitions = topic_definitions().values()
    admin, cluster = connect(config.broker, config.security)
    names = [config.topic(definition.name) for definition in definitions]
    counts = {name: len(cluster.topics[name].partitions) for name in names if name in cluster.topics}
    keyed = {
        name: counts[name]
        for definition in definitions
        if definition.name in (*INPUTS, CHANGELOG) and (name := config.topic(definition.name)) in counts
    }
    wrong = [f"topic {name} is missing" for name in names if name not in counts]
    if len(set(keyed.values())) > 1:
        said = ", ".join(f"{name} has {count}" for name, count in keyed.items())
        wrong.append(f"these topics must have the same number of partitions: {said}")
    wrong += [
        f"topic {name} must have one partition and has {counts[name]}"
        for name in map(config.topic, GLOBAL_TOPICS)
        if counts.get(name, 1) != 1
    ]
    if wrong:
        raise TopicsCheckError(f"{'; '.join(wrong)}; {_remedy(config)}")
    check = check_settings(
        admin,
        cluster,
        prefix=config.topic_prefix,
        user=config.security.user,
        history_ms=config.history_days * DAY_MS,
    )
    for warning in check.warnings:
        logger.warning("%s", warning)
    return TopicsFound(
        counts[config.topic(CHAT)],
        _use_transactions(config, cluster),
        len(cluster.brokers),
        check.retention_ms,
    )


def _remedy(config: WorkerConfig) -> str:
    remedy = f"run '{topics_command(config.broker, config.topic_prefix)}', which creates or checks them"
    user = config.security.user
    return remedy if user is None else f"{remedy}, or let user {user} see them (docs/security.md)"


def _use_transactions(config: WorkerConfig, cluster: ClusterMetadata) -> bool:
    if config.transactions is not Transactions.AUTO:
        return config.transactions is Transactions.ON
    return bool(cluster.cluster_id != CLUSTER_ID)
