"""The broker goes away and comes back: a worker waits, says so, and goes on; nothing is lost or doubled."""

from __future__ import annotations

import json
import signal
import time

import apache_kafka
import pytest

from stream_attr.kafka.admin import create_topics
from tests.kafka.conftest import REQUIRED
from tests.kafka.worker_process import Traffic, counts, expected, state, until, until_counted, workers

pytestmark = pytest.mark.kafka

PARTITIONS = 4
TIMES = ("--session-timeout=6", "--transaction-timeout=10")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """An Apache Kafka of these tests' own, which may be killed."""
    if (missing := apache_kafka.why_not()) is not None and not REQUIRED:
        pytest.skip(f"no Apache Kafka: {missing}")
    with apache_kafka.cluster(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def kafka(node, topic_prefix):
    """It runs, and has topics of the test's own."""
    node.start()
    create_topics(node.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    return node


@pytest.fixture
def traffic(kafka, topic_prefix):
    traffic = Traffic(kafka.bootstrap, topic_prefix)
    traffic.send(30_000)
    return traffic


def reason(worker):
    status, body = worker.get("/ready")
    return json.loads(body)["reason"] if status == 503 else None


def until_it_is_noticed(worker):
    """Wait until a worker says that the broker is away."""
    until(lambda: "has been unreachable since" in (reason(worker) or ""), worker)


def check(kafka, prefix, traffic, worker):
    """Wait until all is judged and seen.

    A marker that the broker lost (KAFKA-5202) hides outputs until a later transaction of the same producer
    has ended: so as many more events come as that takes, at most ten thousand.
    """
    for _ in range(10):
        until(lambda: worker.held() and worker.metric("stream_attr_lag_records") == 0, worker)
        until(lambda: state(kafka.bootstrap, prefix) == dict(traffic.sent), worker)
        if counts(kafka.bootstrap, prefix) == expected(traffic):
            return
        traffic.send(1000)
    until_counted(kafka.bootstrap, prefix, expected(traffic), worker)


def test_a_busy_worker_waits_for_the_broker_and_goes_on(kafka, traffic, topic_prefix, tmp_path):
    with workers(kafka.bootstrap, topic_prefix, tmp_path, *TIMES) as [worker]:
        worker.start()
        until(lambda: worker.metric("stream_attr_records_total") > 2000, worker)
        kafka.kill()
        until_it_is_noticed(worker)
        assert worker.get("/metrics")[0] == 200
        time.sleep(12)  # until what is under way has timed out, and the transactions with it
        kafka.start()
        traffic.send(3000)
        check(kafka, topic_prefix, traffic, worker)
        assert worker.stop() == 0
        said = worker.log.read_text()
    assert said.count(f"broker {kafka.bootstrap} has been unreachable since") == 1
    assert said.count(f"broker {kafka.bootstrap} is reachable again after") == 1
    assert "Traceback" not in said
    assert said.count("\n") < 60


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
def test_it_ends_soon_on_a_signal_while_the_broker_is_away(kafka, traffic, topic_prefix, tmp_path, busy):
    with workers(kafka.bootstrap, topic_prefix, tmp_path, *TIMES, "--clock=wall") as [worker]:
        worker.start()
        until(lambda: worker.metric("stream_attr_records_total") > 2000, worker)
        if not busy:
            check(kafka, topic_prefix, traffic, worker)
        kafka.kill()
        until_it_is_noticed(worker)
        assert worker.stop() == 0, "it does not wait for the broker, which is not there"
        assert "Traceback" not in worker.log.read_text()
        kafka.start()
        worker.start()
        traffic.send(3000)
        check(kafka, topic_prefix, traffic, worker)
        assert worker.stop() == 0


def test_a_worker_that_the_broker_has_timed_out_goes_on(kafka, traffic, topic_prefix, tmp_path):
    args = ("--session-timeout=60", "--transaction-timeout=6")
    with workers(kafka.bootstrap, topic_prefix, tmp_path, *args) as [worker]:
        worker.start()
        until(lambda: worker.metric("stream_attr_records_total") > 2000, worker)
        worker.signal(signal.SIGSTOP)
        time.sleep(20)  # the broker looks for old transactions every 10 s
        worker.signal(signal.SIGCONT)
        check(kafka, topic_prefix, traffic, worker)
        assert worker.stop() == 0


def test_a_commit_in_doubt_is_looked_up(broker, topic_prefix, tmp_path):
    if not broker.has_transactions:
        pytest.skip("the embedded broker runs without transactions")
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    traffic = Traffic(broker.bootstrap, topic_prefix)
    traffic.put("shop-settings", {"shop_id": "jd:1"}, key="jd:1")
    with workers(broker.bootstrap, topic_prefix, tmp_path, "--doubt=2") as [worker]:
        worker.start().until_ready()
        for answer in ("the batch was committed; continuing", "the batch was not committed; continuing"):
            while answer not in worker.log.read_text():  # chance says which: so as many batches as it takes
                judged = worker.metric("stream_attr_records_total")
                traffic.send(100)

                def gets_on(judged=judged):
                    return worker.metric("stream_attr_records_total") > judged

                until(gets_on, worker)
        until(lambda: state(broker.bootstrap, topic_prefix) == dict(traffic.sent), worker)
        until_counted(broker.bootstrap, topic_prefix, expected(traffic), worker)
        assert worker.stop() == 0


def test_a_batch_that_can_never_be_committed_ends_the_worker_with_one_sentence(
    broker, topic_prefix, tmp_path
):
    if not broker.has_transactions:
        pytest.skip("the embedded broker runs without transactions")
    create_topics(broker.bootstrap, partitions=1, prefix=topic_prefix)
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, "--doubt=1") as [worker]:
        worker.start().until_ready()
        traffic.send(10)
        assert worker.wait() == 1
        said = worker.log.read_text()
    assert said.count("partition 0: a batch cannot be committed: it was not made") == 1
    assert "Traceback" not in said
    assert counts(broker.bootstrap, topic_prefix) == {}
