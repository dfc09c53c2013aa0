"""New shops of many partitions are looked up together."""

from __future__ import annotations

import pytest
from worker_process import Traffic
from worker_toy import ToyBook

from stream_attr.kafka.admin import create_topics
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.startup.topics_check import KNOWLEDGE
from stream_attr.worker.task.shop_tables import Knowledge


class Counting(Knowledge):
    """Counts how often the broker is asked for an end."""

    lookups = 0

    def _end(self, name):
        self.lookups += 1
        return super()._end(name)


@pytest.fixture
def knowledge(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=1, prefix=topic_prefix)
    knowledge = Counting(WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix), ToyBook())
    assert knowledge.read_whole(lambda: False)
    yield knowledge
    knowledge.close()


@pytest.mark.kafka
def test_one_look_at_the_ends_serves_all_that_wait(broker, topic_prefix, knowledge):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    for number in range(20):
        traffic.put("shop-settings", {"shop_id": f"jd:{number}"}, key=f"jd:{number}")
    requests = [knowledge.meet({b"jd:%d" % number}) for number in range(20)]
    while not all(request.done() for request in requests):
        knowledge.follow()
    assert knowledge.records == 20
    assert knowledge.lookups == len(KNOWLEDGE)
