"""Checks of the broker before a worker starts: its topics, and whether it has transactions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka.admin import ClusterMetadata

from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import (
    BUYER_DAYS,
    CHANGELOG,
    CHAT,
    CLOSINGS,
    ORDERS,
    ROSTER,
    RULINGS,
    SETTINGS,
    TICKS,
)
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
    "check_topics",
]

EVENTS = (CHAT, ORDERS, RULINGS)
"""Topics whose records are judged in the order of their ``ts``; of one time in this order."""
INTERNAL_INPUTS = (BUYER_DAYS, CLOSINGS)
"""Repartition topics: outputs of some partitions that are inputs of others."""
INPUTS = (*EVENTS, TICKS, *INTERNAL_INPUTS)
"""Co-partitioned topics: partition p of all of them is assigned to the same worker."""
GLOBAL_TOPICS = (SETTINGS, ROSTER)
"""Topics of one partition that every worker reads completely."""

logger = logging.getLogger(__name__)


class TopicsCheckError(UnusableError):
    """The broker's topics are not as ``stream-attr topics create`` makes them."""


class TopicsFound(NamedTuple):
    """The result of the check."""

    partitions: int
    """Number of partitions of every topic keyed by buyer."""
    transactions: bool
    """Whether each batch is one transaction."""
    brokers: int
    """Number of brokers of the cluster."""
    retention_ms: Mapping[str, int]
    """``retention.ms`` by topic (without prefix), where it counts from timestamps that senders set."""


def check_topics(config: WorkerConfig) -> TopicsFound:
    """Check the broker's topics and decide on transactions; logs a warning for each setting that loses data.

    ``auto`` turns transactions off only on the embedded broker (known by its cluster id), which does not hide
    aborted records.

    Raises:
        BrokerUnreachable: no broker answers.
        TopicsCheckError: a topic is missing, or partition counts differ; the message names each and the
            command that helps.
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
        counted = ", ".join(f"{name} has {count}" for name, count in keyed.items())
        wrong.append(f"these topics must have the same number of partitions: {counted}")
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
