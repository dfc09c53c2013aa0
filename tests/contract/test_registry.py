"""Topic definitions and the code that names topics agree."""

from __future__ import annotations

from stream_attr.contract import topics
from stream_attr.contract.registry import schemas, topic_definitions
from stream_attr.kafka.publish import KEY_FIELDS

BY_BUYER = (
    topics.CHAT, topics.ORDERS, topics.RULINGS, topics.TICKS, topics.CHANGELOG, topics.BUYER_DAYS,
    topics.CLOSINGS,
)  # fmt: skip
COMPACTED = (
    topics.DECISIONS, topics.COMPARISONS, topics.INQUIRIES, topics.FACTS, topics.AGENT_DAILY,
    topics.CHANGELOG,
)  # fmt: skip


def test_every_topic_of_the_code_has_a_definition_and_no_other_has():
    constants = {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}
    assert topic_definitions().keys() == constants
    groups = {*topics.INPUTS, *topics.OUTPUTS, *topics.INTERNAL, topics.CHANGELOG}
    assert groups == constants
    assert set(topics.OUTPUTS) > topics.REPORTS


def test_a_definition_is_named_as_its_file():
    files = {file.name for file in (schemas() / "topics").iterdir()}
    assert files == {f"{name}.json" for name in topic_definitions()}


def test_input_keys_are_made_of_what_the_definitions_say():
    assert {topic: "|".join(fields) for topic, fields in KEY_FIELDS.items()} == {
        topic: topic_definitions()[topic].key for topic in KEY_FIELDS
    }


def test_topics_that_are_read_together_have_the_same_partitions():
    assert {topic_definitions()[name].partitions for name in BY_BUYER} == {None}


def test_the_audit_trail_is_kept_whole_and_stamped_by_the_broker():
    for name in (topics.ROSTER, topics.SETTINGS):
        definition = topic_definitions()[name]
        assert definition.partitions == 1
        assert definition.config["cleanup.policy"] == "delete"
        assert definition.config["retention.ms"] == "-1"
        assert definition.config["retention.bytes"] == "-1"
        assert definition.config["message.timestamp.type"] == "LogAppendTime"


def test_state_and_verdicts_are_compacted_and_never_expire():
    for name in COMPACTED:
        config = topic_definitions()[name].config
        assert (config["cleanup.policy"], config["retention.ms"]) == ("compact", "-1")


def test_every_topic_says_how_long_it_keeps_records():
    for definition in topic_definitions().values():
        assert {"cleanup.policy", "retention.ms", "retention.bytes"} <= definition.config.keys()
        assert all(isinstance(value, str) for value in definition.config.values())
        assert definition.description
