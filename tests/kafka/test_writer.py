"""One record at a time, acknowledged before anything goes on."""

from __future__ import annotations

import pytest

from stream_attr.contract.topics import RULINGS
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.connection import BrokerUnreachable
from stream_attr.kafka.embedded.server import free_port
from stream_attr.kafka.sender import TopicsMissingError
from stream_attr.kafka.writer import TopicWriter
from tests.kafka.conftest import any_broker
from tests.kafka.worker_process import messages


@any_broker
def test_a_record_is_on_its_topic_once_the_call_returns(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=3, prefix=topic_prefix)
    writer = TopicWriter(broker.bootstrap, prefix=topic_prefix)
    with writer.opened(RULINGS) as write:
        assert messages(broker.bootstrap, topic_prefix + RULINGS) == []
        first = write("jd:1|买家", b"{}")
        [found] = messages(broker.bootstrap, topic_prefix + RULINGS)
        assert (found.key().decode(), found.value()) == ("jd:1|买家", b"{}")
        assert first == (found.partition(), 0)
        assert write("jd:1|买家", b"{}") == (found.partition(), 1)


@any_broker
def test_without_topic_or_broker_nothing_is_begun(broker, topic_prefix):
    begun = []
    with (
        pytest.raises(TopicsMissingError, match="topics create"),
        TopicWriter(broker.bootstrap, prefix=topic_prefix).opened(RULINGS),
    ):
        begun.append(1)
    with pytest.raises(BrokerUnreachable), TopicWriter(f"127.0.0.1:{free_port()}").opened(RULINGS):
        begun.append(2)
    assert begun == []
