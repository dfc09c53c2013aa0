"""A worker stopped and started again goes on where it was, with its local store and without."""

from __future__ import annotations

import pytest

from stream_attr.kafka.admin import create_topics
from tests.kafka.worker_process import Traffic, check, until, workers

PARTITIONS = 4


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


@pytest.mark.usefixtures("topics")
def test_what_was_judged_before_a_clean_stop_is_not_judged_again(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        traffic.send(1000)
        worker.start()
        check(broker, topic_prefix, traffic, worker)
        assert worker.stop() == 0
        traffic.send(500)
        worker.start()
        check(broker, topic_prefix, traffic, worker)
        until(lambda: worker.metric("stream_attr_lag_records") == 0)
        assert worker.metric("stream_attr_events_total") == 500
        assert worker.stop() == 0


@pytest.mark.usefixtures("topics")
def test_a_store_that_was_lost_is_rebuilt_from_the_changelog(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=2) as [before, after]:
        traffic.send(2000)
        before.start()
        check(broker, topic_prefix, traffic, before)
        assert before.stop() == 0
        traffic.send(1000)
        after.start()  # with an empty data directory
        check(broker, topic_prefix, traffic, after)
        assert after.stop() == 0
