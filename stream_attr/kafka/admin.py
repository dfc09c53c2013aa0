"""Creates missing topics of the contract on a broker and checks existing ones; it changes none."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import Enum

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, NewTopic

from stream_attr.contract.raw_topics import raw_topic_definitions
from stream_attr.contract.registry import TopicDefinition, topic_definitions
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.connection import BROKER_TIMEOUT_S, BrokerUnreachable, connect, reason_of
from stream_attr.kafka.security import UNSECURED, Security
from stream_attr.kafka.topic_settings import ENOUGH_COPIES, Finding, describe_topics, find

__all__ = [
    "DEFAULT_PARTITIONS",
    "PartitionCountError",
    "Standing",
    "TopicState",
    "create_topics",
    "partition_counts",
]

DEFAULT_PARTITIONS = 8
"""Partitions of the topics keyed by buyer; the most workers that can share the work."""
_MOVING = "docs/operations.md, 'Adding partitions', shows how to move to a second installation"


class PartitionCountError(StreamAttrError):
    """The topics that are there have another number of partitions, or several. None of them is changed."""


class Standing(Enum):
    """The result of creating or checking a topic."""

    EXISTS = "exists"
    CREATED = "created"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the contract on the broker."""

    topic: str
    """With prefix."""
    partitions: int
    standing: Standing
    problem: str = ""
    """What differs, and the remedy; empty unless ``standing`` is DIFFERS."""
    at_risk: tuple[Finding, ...] = ()
    """Settings that may lose data, but do not make results wrong."""


def create_topics(
    bootstrap: str,
    *,
    partitions: int = DEFAULT_PARTITIONS,
    replication_factor: int | None = None,
    prefix: str = "",
    security: Security = UNSECURED,
    platforms: Iterable[str] = (),
) -> list[TopicState]:
    """Create the missing topics of the contract and check the others; returns them sorted by name.

    ``platforms``: those whose ``raw.<platform>`` is wanted too.

    Default of the replication factor: 3, or the number of brokers if there are fewer.

    Raises:
        BrokerUnreachable: no answer, or a topic could not be created; the message names it.
        PartitionCountError: existing topics do not have this number of partitions.
    """
    admin, cluster = connect(bootstrap, security)
    factor = replication_factor or min(3, len(cluster.brokers))
    definitions = topic_definitions() | raw_topic_definitions(platforms)
    wanted = {prefix + d.name: d for d in definitions.values()}
    _check_partition_counts(wanted, cluster, partitions)

    missing = {name: d for name, d in wanted.items() if name not in cluster.topics}
    created = _create(admin, missing, partitions, factor)
    cluster = _listed_with(admin, wanted.keys())
    _check_partition_counts(wanted, cluster, partitions)  # somebody else may have created some meanwhile
    configs, refused = describe_topics(admin, wanted)
    for name, reason in refused.items():
        raise BrokerUnreachable(f"the settings of topic {name} cannot be read: {reason}")

    states = []
    for name, definition in sorted(wanted.items()):
        actual = len(cluster.topics[name].partitions)
        found = find(name, definition, configs[name], cluster)
        wrong = [one for one in found if one.must_agree]
        at_risk = tuple(one for one in found if not one.must_agree)
        problem = _difference(wrong)
        standing = Standing.DIFFERS if problem else Standing.CREATED if name in created else Standing.EXISTS
        states.append(TopicState(name, actual, standing, problem, at_risk))
    return states


def partition_counts(bootstrap: str, names: Iterable[str], security: Security = UNSECURED) -> dict[str, int]:
    """Number of partitions of each named topic (with prefix); missing topics are left out, and not created.

    Raises:
        BrokerUnreachable: no broker answers.
    """
    topics = connect(bootstrap, security)[1].topics
    return {name: len(topics[name].partitions) for name in names if name in topics}


def _create(
    admin: AdminClient, missing: dict[str, TopicDefinition], partitions: int, factor: int
) -> set[str]:
    """Create the topics; returns those that this call created."""
    if not missing:
        return set()
    # With Kafka's default of 1, records that only one broker has acknowledged are lost with it.
    copies = {"min.insync.replicas": "2"} if factor >= ENOUGH_COPIES else {}
    orders = [
        NewTopic(name, d.partitions or partitions, factor, config=copies | d.config)
        for name, d in missing.items()
    ]
    created = set()
    for name, future in admin.create_topics(orders, operation_timeout=BROKER_TIMEOUT_S).items():
        try:
            future.result(timeout=2 * BROKER_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            raise BrokerUnreachable(f"topic {name} cannot be created: {reason_of(error)}") from error
        created.add(name)
    return created


def _listed_with(admin: AdminClient, names: Set[str]) -> ClusterMetadata:
    """Wait until the connected broker knows topics that its controller created; returns its metadata."""
    deadline = time.monotonic() + BROKER_TIMEOUT_S
    while True:
        try:
            cluster = admin.list_topics(timeout=BROKER_TIMEOUT_S)
        except KafkaException as error:
            raise BrokerUnreachable(f"the broker no longer answers: {reason_of(error)}") from error
        unknown = names - cluster.topics.keys()
        if not unknown:
            return cluster
        if time.monotonic() > deadline:
            raise BrokerUnreachable(
                f"created topics do not appear on the broker: {', '.join(sorted(unknown))}"
            )
        time.sleep(0.05)


def _difference(findings: Iterable[Finding]) -> str:
    """What is wrong with an existing topic and the remedy; empty: nothing."""
    return "; ".join(
        f"its {one.setting} is {one.has} instead of {one.should}, so {one.loses}: {one.remedy}"
        for one in findings
    )


def _check_partition_counts(
    wanted: Mapping[str, TopicDefinition], cluster: ClusterMetadata, partitions: int
) -> None:
    """Raise PartitionCountError unless all existing topics have the number of partitions that is wanted."""
    by_count: dict[int, list[str]] = {}
    for name, definition in sorted(wanted.items()):
        if name not in cluster.topics:
            continue
        count = len(cluster.topics[name].partitions)
        if definition.partitions is None:
            by_count.setdefault(count, []).append(name)
        elif count != definition.partitions:
            raise PartitionCountError(
                f"topic {name} has {count} partitions and must have {definition.partitions}: {_MOVING}"
            )
    if len(by_count) > 1:
        found = "; ".join(f"{count}: {', '.join(names)}" for count, names in sorted(by_count.items()))
        raise PartitionCountError(
            f"all topics keyed by buyer must have the same number of partitions, and have {found}. {_MOVING}"
        )
    if by_count and partitions not in by_count:
        [count] = by_count
        raise PartitionCountError(
            f"the topics of this installation have {count} partitions, not {partitions}: "
            f"pass --partitions {count}. The number cannot be changed in place; {_MOVING}"
        )
