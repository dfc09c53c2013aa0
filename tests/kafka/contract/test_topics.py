"""Topics of the contract on a broker: made once, checked ever after, never changed."""

from __future__ import annotations

from click.testing import CliRunner
from confluent_kafka.admin import AdminClient, NewTopic

from stream_attr.cli import main
from stream_attr.contract.registry import topic_definitions
from stream_attr.kafka.admin import Standing, create_topics, partition_counts
from stream_attr.kafka.topic_settings import describe_topics
from tests.kafka.worker_process import LONGEST_S


def test_creates_every_topic_of_the_contract(broker, topic_prefix):
    states = create_topics(broker.bootstrap, partitions=3, prefix=topic_prefix)
    assert {s.topic for s in states} == {topic_prefix + name for name in topic_definitions()}
    assert {s.standing for s in states} == {Standing.CREATED}
    counts = partition_counts(broker.bootstrap, [s.topic for s in states])
    assert counts == {
        topic_prefix + d.name: 3 if d.partitions is None else 1 for d in topic_definitions().values()
    }


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
    seen = admin.list_topics(timeout=LONGEST_S)
    copies = min(3, len(seen.brokers))
    for name in topic_definitions():
        for partition in seen.topics[topic_prefix + name].partitions.values():
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


def test_a_topic_with_other_partitions_is_named_with_a_remedy_and_left_alone(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=2, prefix=topic_prefix)
    states = {
        s.topic.removeprefix(topic_prefix): s
        for s in create_topics(broker.bootstrap, partitions=4, prefix=topic_prefix)
    }
    assert states["chat-events"].standing is Standing.DIFFERS
    assert "2 partitions instead of 4" in states["chat-events"].problem
    assert "--partitions 2" in states["chat-events"].problem
    assert states["agent-roster"].standing is Standing.EXISTS
    assert partition_counts(broker.bootstrap, [topic_prefix + "chat-events"]) == {
        topic_prefix + "chat-events": 2
    }


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


def test_the_command_exits_with_1_and_names_what_differs(broker, topic_prefix):
    arguments = ["topics", "create", "--broker", broker.bootstrap, "--topic-prefix", topic_prefix]
    first = CliRunner().invoke(main, [*arguments, "--partitions", "2"])
    assert (first.exit_code, first.stderr) == (0, "")
    assert f"created  {topic_prefix}chat-events (2 partitions)" in first.stdout
    second = CliRunner().invoke(main, [*arguments, "--partitions", "3"])
    assert second.exit_code == 1
    assert f"topic {topic_prefix}order-events: it has 2 partitions instead of 3" in second.stderr


def _make(broker, name, partitions=1, config=None):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(LONGEST_S)
