"""New shops of many partitions are looked up together."""

from __future__ import annotations

import pytest

from stream_attr.kafka.admin import create_topics
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS
from stream_attr.worker.task.shop_tables import GlobalTables
from tests.kafka.worker_process import Traffic
from tests.kafka.worker_toy import ToyRegistry


class Counting(GlobalTables):
    """Counts how often the broker is asked for an end."""

    lookups = 0

    def _request_end(self, topic):
        self.lookups += 1
        return super()._request_end(topic)


@pytest.fixture
def global_tables(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=1, prefix=topic_prefix)
    global_tables = Counting(WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix), ToyRegistry())
    assert global_tables.bootstrap(lambda: False)
    yield global_tables
    global_tables.close()


@pytest.mark.kafka
def test_one_look_at_the_ends_serves_all_that_wait(broker, topic_prefix, global_tables):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    for number in range(20):
        traffic.put("shop-settings", {"shop_id": f"jd:{number}"}, key=f"jd:{number}")
    requests = [global_tables.catch_up({b"jd:%d" % number}) for number in range(20)]
    while not all(request.done() for request in requests):
        global_tables.follow()
    assert global_tables.records == 20
    assert global_tables.lookups == len(GLOBAL_TOPICS)
