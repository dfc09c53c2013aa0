"""Topics of the contract on a broker: made once, checked ever after, never changed."""

from __future__ import annotations

from functools import partial

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient, NewTopic

from stream_attr.cli import main
from stream_attr.contract.registry import topic_definitions
from stream_attr.kafka.admin import PartitionCountError, Standing, create_topics, partition_counts
from stream_attr.kafka.topic_settings import describe_topics
from tests.kafka.worker_process import LONGEST_S, until


def test_creates_every_topic_of_the_contract(broker, topic_prefix):
    states = create_topics(broker.bootstrap, partitions=3, prefix=topic_prefix)
    assert {s.topic for s in states} == {topic_prefix + name for name in topic_definitions()}
    assert {s.standing for s in states} == {Standing.CREATED}
    wanted = {topic_prefix + d.name: 3 if d.partitions is None else 1 for d in topic_definitions().values()}
    until(lambda: partition_counts(broker.bootstrap, wanted) == wanted)  # on the broker that is asked


def test_topics_get_the_settings_that_the_contract_names(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    configs, refused = describe_topics(admin, [topic_prefix + name for name in topic_definitions()])
    assert refused == {}
    for topic, entries in configs.items():
        wanted = topic_definitions()[topic.removeprefix(topic_prefix)].config
        assert {name: entries.get(name) for name in wanted} == wanted


def test_topics_are_kept_as_often_as_there_are_brokers_up_to_three_times(broker, topic_prefix):
    """And of three copies two have to have what a producer waits for: one may be away."""
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    names = {topic_prefix + name for name in topic_definitions()}
    until(lambda: names <= admin.list_topics(timeout=LONGEST_S).topics.keys())  # on the broker that is asked
    seen = admin.list_topics(timeout=LONGEST_S)
    copies = min(3, len(seen.brokers))
    for name in sorted(names):
        for partition in seen.topics[name].partitions.values():
            assert len(partition.replicas) == copies, name
    if broker.kind == "cluster":
        assert copies == 3
        [config] = describe_topics(admin, [topic_prefix + "attribution-decisions"])[0].values()
        assert config["min.insync.replicas"] == "2"


def test_a_second_call_finds_everything_as_it_should_be(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    again = create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    assert {s.standing for s in again} == {Standing.EXISTS}


def test_creates_only_what_is_missing(broker, topic_prefix):
    _make(broker, topic_prefix + "chat-events", partitions=2, config={"cleanup.policy": "delete"})
    states = {s.topic.removeprefix(topic_prefix): s.standing for s in create_topics(
        broker.bootstrap, partitions=2, prefix=topic_prefix)}  # fmt: skip
    assert states.pop("chat-events") is Standing.EXISTS
    assert set(states.values()) == {Standing.CREATED}


def test_an_installation_with_another_number_of_partitions_is_left_alone(broker, topic_prefix):
    _make(broker, topic_prefix + "chat-events", partitions=2)
    with pytest.raises(PartitionCountError, match=r"have 2 partitions, not 4: pass --partitions 2\."):
        create_topics(broker.bootstrap, partitions=4, prefix=topic_prefix)
    names = [topic_prefix + name for name in topic_definitions()]
    assert partition_counts(broker.bootstrap, names) == {topic_prefix + "chat-events": 2}, "others were made"


def test_topics_that_do_not_go_together_are_named_with_their_partitions(broker, topic_prefix):
    _make(broker, topic_prefix + "chat-events", partitions=2)
    _make(broker, topic_prefix + "order-events", partitions=3)
    with pytest.raises(
        PartitionCountError, match=rf"2: {topic_prefix}chat-events; 3: {topic_prefix}order-events\."
    ):
        create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)


def test_settings_and_roster_have_one_partition(broker, topic_prefix):
    _make(broker, topic_prefix + "agent-roster", partitions=2)
    with pytest.raises(PartitionCountError, match="agent-roster has 2 partitions and must have 1"):
        create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)


def test_a_compacted_roster_is_refused(broker, topic_prefix):
    _make(broker, topic_prefix + "agent-roster", config={"cleanup.policy": "compact"})
    states = {s.topic: s for s in create_topics(broker.bootstrap, partitions=1, prefix=topic_prefix)}
    problem = states[topic_prefix + "agent-roster"].problem
    assert "cleanup.policy is compact instead of delete" in problem
    assert "message.timestamp.type is CreateTime instead of LogAppendTime" in problem
    assert f"--topic {topic_prefix}agent-roster" in problem


def test_a_decisions_topic_that_is_not_compacted_is_refused(broker, topic_prefix):
    _make(broker, topic_prefix + "attribution-decisions")
    states = {s.topic: s for s in create_topics(broker.bootstrap, partitions=1, prefix=topic_prefix)}
    assert "cleanup.policy is delete" in states[topic_prefix + "attribution-decisions"].problem


def test_asking_for_partitions_makes_no_topic(broker, topic_prefix):
    missing = topic_prefix + "nobody-made-this"
    assert partition_counts(broker.bootstrap, [missing]) == {}
    assert partition_counts(broker.bootstrap, [missing]) == {}


def test_the_command_exits_with_1_and_says_once_that_partitions_differ(broker, topic_prefix):
    arguments = ["topics", "create", "--broker", broker.bootstrap, "--topic-prefix", topic_prefix]
    first = CliRunner().invoke(main, [*arguments, "--partitions", "2"])
    assert (first.exit_code, first.stderr) == (0, "")
    assert f"created  {topic_prefix}chat-events (2 partitions)" in first.stdout
    second = CliRunner().invoke(main, [*arguments, "--partitions", "3"])
    assert second.exit_code == 1
    assert second.stdout == ""
    assert second.stderr.startswith("Error: the topics of this installation have 2 partitions, not 3: ")
    assert second.stderr.count("\n") == 1, "it is said once"
    assert "delete" not in second.stderr


def _make(broker, name, partitions=1, config=None):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(LONGEST_S)
    for address in broker.bootstrap.split(","):  # each broker learns of it by itself, after the controller
        until(partial(partition_counts, address, [name]))
