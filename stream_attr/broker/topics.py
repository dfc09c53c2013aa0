"""Creates the topics of the contract on a broker and checks those that are there; it changes none."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, ResourceType

from stream_attr.broker.connection import BROKER_TIMEOUT_S, BrokerUnreachable, connect, reason_of
from stream_attr.broker.contract import TopicDefinition, topic_definitions
from stream_attr.broker.security import UNSECURED, Security

__all__ = [
    "DEFAULT_PARTITIONS",
    "BrokerUnreachable",
    "Standing",
    "TopicState",
    "create_topics",
    "partition_counts",
]

DEFAULT_PARTITIONS = 8
"""Partitions of the topics keyed by buyer; the most workers that can share the work."""

_MUST_AGREE = ("cleanup.policy", "message.timestamp.type")
"""Settings whose wrong value makes the product wrong; retention and sizes are the operator's to change."""


class Standing(Enum):
    """How a topic of the contract was found."""

    EXISTS = "exists"
    CREATED = "created"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class TopicState:
    """One topic of the contract and how it stands on the broker."""

    topic: str
    """With prefix."""
    partitions: int
    standing: Standing
    problem: str = ""
    """What differs, and the remedy; empty unless ``standing`` is DIFFERS."""


def create_topics(
    bootstrap: str,
    *,
    partitions: int = DEFAULT_PARTITIONS,
    replication_factor: int | None = None,
    prefix: str = "",
    security: Security = UNSECURED,
) -> list[TopicState]:
    """Create what is missing of the contract's topics and check the rest; in the order of their names.

    Without a replication factor it is 3, or the number of brokers where there are fewer.

    Raises:
        BrokerUnreachable: no answer, or a topic could not be created; the message names it.
    """
    admin, cluster = connect(bootstrap, security)
    factor = replication_factor or min(3, len(cluster.brokers))
    wanted = {prefix + d.name: d for d in topic_definitions().values()}

    missing = {name: d for name, d in wanted.items() if name not in cluster.topics}
    created = _create(admin, missing, partitions, factor)
    existing = {name: d for name, d in wanted.items() if name not in created}
    if missing.keys() - created:  # made by somebody else at the same moment
        cluster = _listed(admin)
    configs = _configs(admin, existing)

    states = []
    for name, definition in sorted(wanted.items()):
        count = definition.partitions or partitions
        if name in created:
            states.append(TopicState(name, count, Standing.CREATED))
            continue
        actual = len(cluster.topics[name].partitions)
        problem = _difference(name, definition, count, actual, configs[name])
        states.append(TopicState(name, actual, Standing.DIFFERS if problem else Standing.EXISTS, problem))
    return states


def partition_counts(bootstrap: str, names: Iterable[str], security: Security = UNSECURED) -> dict[str, int]:
    """Partitions of each named topic (with prefix); a missing one is left out, and not made by asking.

    Raises:
        BrokerUnreachable: no broker answers.
    """
    topics = connect(bootstrap, security)[1].topics
    return {name: len(topics[name].partitions) for name in names if name in topics}


def _listed(admin: AdminClient) -> ClusterMetadata:
    try:
        return admin.list_topics(timeout=BROKER_TIMEOUT_S)
    except KafkaException as error:
        raise BrokerUnreachable(f"the broker does not answer any more: {reason_of(error)}") from error


def _create(
    admin: AdminClient, missing: dict[str, TopicDefinition], partitions: int, factor: int
) -> set[str]:
    """Create the topics; return those that this call created."""
    if not missing:
        return set()
    orders = [
        NewTopic(name, d.partitions or partitions, factor, config=d.config) for name, d in missing.items()
    ]
    created = set()
    for name, future in admin.create_topics(orders, operation_timeout=BROKER_TIMEOUT_S).items():
        try:
            _await(future)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                continue
            raise BrokerUnreachable(f"topic {name} cannot be created: {reason_of(error)}") from error
        created.add(name)
    _wait_until_known(admin, created)
    return created


def _wait_until_known(admin: AdminClient, names: set[str]) -> None:
    """Wait until the broker we talk to has heard of topics that its controller has made."""
    deadline = time.monotonic() + BROKER_TIMEOUT_S
    while unknown := names - _listed(admin).topics.keys():
        if time.monotonic() > deadline:
            raise BrokerUnreachable(
                f"created topics do not appear on the broker: {', '.join(sorted(unknown))}"
            )
        time.sleep(0.05)


def _configs(admin: AdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Broker-side settings per topic. A broker may leave out those that stand at their default."""
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    found = {}
    for resource, future in admin.describe_configs(resources, request_timeout=BROKER_TIMEOUT_S).items():
        try:
            found[resource.name] = {entry.name: entry.value for entry in _await(future).values()}
        except KafkaException as error:
            raise BrokerUnreachable(
                f"the settings of topic {resource.name} cannot be read: {reason_of(error)}"
            ) from error
    return found


def _difference(
    name: str, definition: TopicDefinition, count: int, actual: int, config: dict[str, str]
) -> str:
    """What is wrong with an existing topic and what to do about it; empty when nothing is."""
    problems = []
    if actual != count:
        ask = (
            ""
            if definition.partitions
            else f", or pass --partitions {actual} if all keyed topics have {actual}"
        )
        problems.append(
            f"it has {actual} partitions instead of {count}: delete and create it anew (adding partitions "
            f"would move keys away from their state){ask}"
        )
    for setting in _MUST_AGREE:
        should = definition.config.get(setting)
        if should is not None and (has := config.get(setting, _KAFKA_DEFAULTS[setting])) != should:
            problems.append(
                f"its {setting} is {has} instead of {should}: "
                f"kafka-configs.sh --alter --topic {name} --add-config {setting}={should}"
            )
    return "; ".join(problems)


_KAFKA_DEFAULTS = {"cleanup.policy": "delete", "message.timestamp.type": "CreateTime"}


def _await(future: Future[Any]) -> Any:
    return future.result(timeout=2 * BROKER_TIMEOUT_S)
