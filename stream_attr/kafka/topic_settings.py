"""Finds broker-side topic settings that lose data: what they lose, and the remedy.

Operators choose retention and sizes, within the limits that the product relies on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, ResourceType

from stream_attr.contract.registry import TopicDefinition, topic_definitions
from stream_attr.contract.topics import CHAT, INTERNAL, ORDERS, ROSTER, RULINGS, SETTINGS, TICKS
from stream_attr.kafka.connection import BROKER_TIMEOUT_S, reason_of
from stream_attr.rules.shop.days import DAY_MS

__all__ = ["ENOUGH_COPIES", "Check", "Finding", "check_settings", "describe_topics", "find", "sentences"]

DEFAULT_HISTORY_MS = 35 * DAY_MS
"""The default of ``--history-days``."""

_EVENTS = frozenset({CHAT, ORDERS, RULINGS, TICKS})
_INPUTS = _EVENTS | {SETTINGS, ROSTER}
_DEFAULTS = {"cleanup.policy": "delete", "message.timestamp.type": "CreateTime"}
"""Kafka's defaults, for a broker that does not return settings at their default."""
_KAFKA_MAX_MESSAGE_BYTES = 1_048_588
"""Kafka's default: enough for all topics whose definition names no larger value."""
_UNLIMITED = -1
_RETRY_S = 0.1
ENOUGH_COPIES = 3
"""With this many copies, one may be away although two have to acknowledge."""


class Finding(NamedTuple):
    """A setting of a topic that loses data."""

    topic: str
    """With prefix."""
    setting: str
    has: str
    should: str
    loses: str
    """The consequence, as the end of a sentence."""
    must_agree: bool = False
    """Whether results are wrong with it, rather than data at risk."""

    @property
    def remedy(self) -> str:
        """A command, or what else to do."""
        if self.setting == _COPIES:
            return f"give it {self.should} with kafka-reassign-partitions.sh"
        return f"kafka-configs.sh --alter --topic {self.topic} --add-config {self.setting}={self.should}"


_COPIES = "replication factor"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of checking the settings of all topics."""

    warnings: list[str] = field(default_factory=list)
    """Sentences, each with its remedy."""
    retention_ms: dict[str, int] = field(default_factory=dict)
    """``retention.ms`` by topic (without prefix), where it counts from timestamps that *senders* set."""


def check_settings(
    admin: AdminClient,
    cluster: ClusterMetadata,
    *,
    prefix: str = "",
    user: str | None = None,
    history_ms: int = DEFAULT_HISTORY_MS,
) -> Check:
    """Check the settings of all existing topics; settings that cannot be read are a warning.

    ``cluster``: metadata. ``user``: the log-in, if there is one. ``history_ms``: how long chat is kept.
    """
    names = {prefix + d.name: d for d in topic_definitions().values() if prefix + d.name in cluster.topics}
    configs, refused = describe_topics(admin, names)
    found: list[Finding] = []
    check = Check()
    for name, config in configs.items():
        found += find(name, names[name], config, cluster, history_ms)
        retention_ms = int(config.get("retention.ms") or _UNLIMITED)
        if _deletes(config) and not _stamped_by_broker(config) and retention_ms != _UNLIMITED:
            check.retention_ms[names[name].name] = retention_ms
    check.warnings.extend(sentences(found))
    for reason in sorted(set(refused.values())):
        unread = ", ".join(name for name, why in refused.items() if why == reason)
        right = "" if user is None else f"; user {user} needs DescribeConfigs (docs/security.md)"
        check.warnings.append(f"the settings of {unread} cannot be checked: {reason}{right}")
    return check


def describe_topics(
    admin: AdminClient, names: Iterable[str]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return the settings of topics, and why settings could not be read, each by the topic's name.

    A broker may leave out settings at their default. One that does not know a new topic yet is asked again.
    """
    configs: dict[str, dict[str, str]] = {}
    refused: dict[str, str] = {}
    left = list(names)
    deadline = time.monotonic() + BROKER_TIMEOUT_S
    while left:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in left]
        left = []
        futures = admin.describe_configs(resources, request_timeout=BROKER_TIMEOUT_S)
        for resource, future in futures.items():
            try:
                entries = future.result(timeout=2 * BROKER_TIMEOUT_S)
            except KafkaException as error:
                unknown = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
                if unknown and time.monotonic() < deadline:
                    left.append(resource.name)
                else:
                    refused[resource.name] = reason_of(error)
            else:
                configs[resource.name] = {entry.name: entry.value for entry in entries.values()}
        if left:
            time.sleep(_RETRY_S)
    return configs, refused


def find(
    name: str,
    definition: TopicDefinition,
    config: Mapping[str, str],
    cluster: ClusterMetadata,
    history_ms: int = DEFAULT_HISTORY_MS,
) -> list[Finding]:
    """Return the settings of a topic that lose data; ``name``: with prefix."""
    return [
        *_of_policy(name, definition, config),
        *_of_retention(name, definition, config, history_ms),
        *_of_sizes(name, definition, config),
        *_of_copies(name, config, cluster),
    ]


def sentences(findings: Iterable[Finding]) -> list[str]:
    """Return one sentence per setting and value, naming all topics that have it."""
    grouped: dict[tuple[str, str, str, str], list[Finding]] = {}
    for found in findings:
        grouped.setdefault(found[1:5], []).append(found)
    return [
        f"{'topic' if len(some) == 1 else 'topics'} {', '.join(one.topic for one in some)}: "
        f"{setting} is {has} instead of {should}, so {loses}; "
        f"{some[0].remedy}{'' if len(some) == 1 else ', and so for each'}"
        for (setting, has, should, loses), some in grouped.items()
    ]


def _of_policy(name: str, definition: TopicDefinition, config: Mapping[str, str]) -> list[Finding]:
    found = []
    for setting, default in _DEFAULTS.items():
        should, has = definition.config.get(setting), config.get(setting, default)
        if should is not None and has != should:
            found.append(Finding(name, setting, has, should, _LOST_BY[setting, should], must_agree=True))
    return found


_LOST_BY = {
    (
        "cleanup.policy",
        "compact",
    ): "records older than the retention are deleted, the last record of a key too",
    ("cleanup.policy", "delete"): "all records of a key but the last are deleted",
    ("message.timestamp.type", "LogAppendTime"): "a sender can back-date a change",
}


def _of_retention(
    name: str, definition: TopicDefinition, config: Mapping[str, str], history_ms: int
) -> list[Finding]:
    """Records that are deleted too early; where none must be deleted, ``_of_policy`` reports it."""
    found = []
    own = definition.name
    if definition.config["cleanup.policy"] == "delete" and _deletes(config) and own in _INPUTS | INTERNAL:
        least = history_ms if own in _EVENTS else int(definition.config["retention.ms"])
        loses = "records are deleted that are still needed, to judge or to judge again"
        found += _at_least(name, "retention.ms", config, least, loses)
        loses = "records are deleted at any age, even before they are judged"
        found += _at_least(name, "retention.bytes", config, _UNLIMITED, loses)
    if (kept := definition.config.get("delete.retention.ms")) is not None:
        loses = "a worker's local state may keep what was deleted meanwhile"
        found += _at_least(name, "delete.retention.ms", config, int(kept), loses)
    return found


def _of_sizes(name: str, definition: TopicDefinition, config: Mapping[str, str]) -> list[Finding]:
    """Records of the worker that the broker would refuse; for inputs, senders get the error themselves."""
    if definition.name in _INPUTS - {TICKS}:
        return []
    least = int(definition.config.get("max.message.bytes", _KAFKA_MAX_MESSAGE_BYTES))
    return _at_least(name, "max.message.bytes", config, least, "a larger record stops the worker")


def _of_copies(name: str, config: Mapping[str, str], cluster: ClusterMetadata) -> list[Finding]:
    found = []
    copies = min((len(p.replicas) for p in cluster.topics[name].partitions.values()), default=0)
    if copies == 1 and len(cluster.brokers) > 1:
        should = str(min(3, len(cluster.brokers)))
        found.append(Finding(name, _COPIES, "1", should, "all of it is lost with one broker"))
    if copies >= ENOUGH_COPIES:
        loses = "acknowledged records are lost with one broker"
        found += _at_least(name, "min.insync.replicas", config, 2, loses)
    if config.get("unclean.leader.election.enable") == "true":
        loses = "a broker that lacks acknowledged records may become the leader"
        found.append(Finding(name, "unclean.leader.election.enable", "true", "false", loses))
    return found


def _at_least(name: str, setting: str, config: Mapping[str, str], least: int, loses: str) -> list[Finding]:
    """Return a finding if a number is less than ``least``; -1 means no limit."""
    has = int(config.get(setting) or least)
    enough = has == _UNLIMITED or (least != _UNLIMITED and has >= least)
    return [] if enough else [Finding(name, setting, str(has), str(least), loses)]


def _deletes(config: Mapping[str, str]) -> bool:
    return "delete" in config.get("cleanup.policy", _DEFAULTS["cleanup.policy"])


def _stamped_by_broker(config: Mapping[str, str]) -> bool:
    return config.get("message.timestamp.type", _DEFAULTS["message.timestamp.type"]) == "LogAppendTime"
