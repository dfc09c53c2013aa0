"""Which settings of topics lose data, and what is said of each."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import BrokerMetadata, ClusterMetadata, PartitionMetadata, TopicMetadata

from stream_attr.contract.registry import topic_definitions
from stream_attr.kafka.topic_settings import find, sentences
from stream_attr.rules.shop.days import DAY_MS


def cluster(*, brokers: int = 1, copies: int = 1) -> ClusterMetadata:
    """Every topic of the contract, its partition on so many brokers of so many."""
    made = ClusterMetadata()
    made.brokers = {number: BrokerMetadata() for number in range(brokers)}
    partition = PartitionMetadata()
    partition.replicas = list(range(copies))
    topic = TopicMetadata()
    topic.partitions = {0: partition}
    made.topics = dict.fromkeys(topic_definitions(), topic)
    return made


def settings_found(
    name: str, seen: ClusterMetadata | None = None, **changed: str
) -> list[tuple[str, str, str]]:
    """What is found on a topic whose settings are the contract's but for these (``_`` for ``.``)."""
    definition = topic_definitions()[name]
    config = {**definition.config, **{key.replace("_", "."): value for key, value in changed.items()}}
    found = find(name, definition, config, seen or cluster(), 35 * DAY_MS)
    return [(one.setting, one.has, one.should) for one in found]


@pytest.mark.parametrize("name", topic_definitions())
@pytest.mark.parametrize(("brokers", "copies"), [(1, 1), (3, 3), (5, 3), (2, 2)])
def test_the_settings_of_the_contract_lose_nothing(name: str, brokers: int, copies: int) -> None:
    seen = cluster(brokers=brokers, copies=copies)
    assert settings_found(name, seen, min_insync_replicas="2", compression_type="lz4") == []


@pytest.mark.parametrize(
    ("topic", "setting", "bad", "should"),
    [
        ("buyer-state-changelog", "cleanup.policy", "delete", "compact"),
        ("buyer-state-changelog", "cleanup.policy", "compact,delete", "compact"),
        ("buyer-state-changelog", "delete.retention.ms", "86400000", "604800000"),
        ("buyer-state-changelog", "max.message.bytes", "1048588", "8388608"),
        ("attribution-decisions", "cleanup.policy", "delete", "compact"),
        ("attribution-decisions", "max.message.bytes", "100000", "1048588"),
        ("dead-letters", "max.message.bytes", "100000", "1048588"),
        ("buyer-days", "retention.ms", "3600000", "604800000"),
        ("buyer-days", "retention.bytes", "1000000", "-1"),
        ("chat-events", "cleanup.policy", "compact", "delete"),
        ("chat-events", "retention.ms", str(34 * DAY_MS), str(35 * DAY_MS)),
        ("order-events", "retention.bytes", "1000000", "-1"),
        ("ticks", "retention.ms", "3600000", str(35 * DAY_MS)),
        ("shop-settings", "message.timestamp.type", "CreateTime", "LogAppendTime"),
        ("shop-settings", "retention.ms", "604800000", "-1"),
        ("agent-roster", "cleanup.policy", "compact", "delete"),
        ("agent-roster", "retention.bytes", "1000000", "-1"),
        ("service-tasks", "unclean.leader.election.enable", "true", "false"),
    ],
)
def test_a_setting_that_loses_data_is_found(topic: str, setting: str, bad: str, should: str) -> None:
    assert settings_found(topic, **{setting.replace(".", "_"): bad}) == [(setting, bad, should)]


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        ("chat-events", "retention.ms", "-1"),
        ("chat-events", "retention.ms", str(35 * DAY_MS)),
        ("chat-events", "max.message.bytes", "300000"),
        ("chat-events", "message.timestamp.type", "LogAppendTime"),
        ("dead-letters", "retention.ms", "86400000"),
        ("service-tasks", "retention.bytes", "1000000"),
        ("attribution-decisions", "retention.ms", "86400000"),  # it is compacted
        ("buyer-state-changelog", "delete.retention.ms", "999999999999"),
    ],
)
def test_what_is_the_operators_to_choose_is_not(topic: str, setting: str, value: str) -> None:
    assert settings_found(topic, **{setting.replace(".", "_"): value}) == []


def test_too_few_copies_are_found_where_there_could_be_more() -> None:
    assert settings_found("chat-events", cluster(brokers=3)) == [("replication factor", "1", "3")]
    of_three = cluster(brokers=3, copies=3)
    assert settings_found("chat-events", of_three, min_insync_replicas="1") == [
        ("min.insync.replicas", "1", "2")
    ]


def test_topics_with_the_same_setting_are_one_sentence_with_the_remedy() -> None:
    definitions = topic_definitions()
    bad = {"cleanup.policy": "delete"}
    found = [
        one
        for name in ("attribution-decisions", "agent-daily")
        for one in find(name, definitions[name], bad, cluster())
    ]
    [sentence] = sentences(found)
    assert sentence == (
        "topics attribution-decisions, agent-daily: cleanup.policy is delete instead of compact, so records "
        "older than the retention are deleted, the last record of a key too; kafka-configs.sh --alter "
        "--topic attribution-decisions --add-config cleanup.policy=compact, and so for each"
    )
