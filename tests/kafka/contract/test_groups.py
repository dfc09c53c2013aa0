"""Workers that share the partitions: each has its own, the same of all inputs, as they come and go."""

from __future__ import annotations

import json
import signal

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from stream_attr.contract.registry import topic_definitions
from stream_attr.kafka.admin import create_topics
from tests.kafka.worker_process import LONGEST_S, Traffic, check, until, workers

PARTITIONS = 4


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


@pytest.mark.usefixtures("topics")
def test_workers_joining_leaving_and_dying_share_the_partitions(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=3) as [first, second, third]:

        def split(*alive):
            until(
                lambda: (
                    sorted(n for worker in alive for n in worker.held()) == list(range(PARTITIONS))
                    and all(worker.held() for worker in alive)
                ),
                *alive,
            )

        first.start()
        traffic.send(1000)
        split(first)
        second.start()
        traffic.send(2000)
        split(first, second)
        assert first.stop() == 0
        traffic.send(2000)
        split(second)
        third.start()
        traffic.send(2000)
        split(second, third)
        third.kill()
        traffic.send(1000)
        first.start()  # and its store knows where it stood
        check(broker, topic_prefix, traffic, second)
        split(first, second)
        assert second.stop() == 0
        assert first.stop() == 0


@pytest.mark.usefixtures("topics")
def test_a_worker_that_was_only_thought_dead_can_commit_nothing(broker, topic_prefix, tmp_path):
    if not broker.has_transactions:
        pytest.skip("the embedded broker fences nobody")
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=2) as [sleeper, heir]:
        sleeper.start().until_ready()
        traffic.send(6000)
        until(lambda: sleeper.metric("stream_attr_records_total") > 0, sleeper)
        sleeper.signal(signal.SIGSTOP)
        heir.start()
        until(lambda: len(heir.held()) == PARTITIONS, heir)
        traffic.send(3000)
        sleeper.signal(signal.SIGCONT)
        traffic.send(3000)
        until(lambda: sleeper.held() and heir.held(), sleeper, heir)
        check(broker, topic_prefix, traffic, heir)
        assert [sleeper.stop(), heir.stop()] == [0, 0]


@pytest.mark.usefixtures("topics")
def test_a_partition_that_nobody_has_any_more_is_taken_back(broker, topic_prefix, tmp_path):
    """As when a worker takes partitions over whose assignment is past before it is done."""
    if not broker.has_transactions:
        pytest.skip("the embedded broker fences nobody")
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        traffic.send(500)
        worker.start()
        check(broker, topic_prefix, traffic, worker)
        stranger = Producer(
            {"bootstrap.servers": broker.bootstrap, "transactional.id": f"{topic_prefix}stream-attr-1"}
        )
        stranger.init_transactions(LONGEST_S)
        traffic.send(500)
        until(lambda: b"another worker has it" in worker.get("/ready")[1], worker)
        check(broker, topic_prefix, traffic, worker)
        assert worker.stop() == 0


@pytest.mark.usefixtures("topics")
def test_an_order_is_found_on_whichever_worker_holds_it(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    traffic.send(1000)
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=2) as both:
        for worker in both:
            worker.start()
        until(
            lambda: all(len(worker.held()) == PARTITIONS // 2 for worker in both),
            *both,
        )
        check(broker, topic_prefix, traffic, both[0])
        for key in list(traffic.sent)[:10]:
            shop_id, _, order_id = key.decode().partition("|")
            answers = [worker.get(f"/orders/{shop_id}/{order_id}") for worker in both]
            assert answers[0] == answers[1]
            assert answers[0][0] == 200
        assert both[0].get("/orders/jd:1/no-such-order")[0] == 404
        assert [worker.stop() for worker in both] == [0, 0]


@pytest.mark.usefixtures("topics")
def test_an_unknown_order_is_not_denied_while_a_partition_is_held_by_nobody(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=2) as [first, second]:
        for worker in (first, second):
            worker.start()
        until(lambda: all(len(worker.held()) == PARTITIONS // 2 for worker in (first, second)), first, second)
        assert first.get("/orders/jd:1/no-such-order")[0] == 404
        lost = sorted(second.held())
        second.kill()
        status, body = first.get("/orders/jd:1/no-such-order")
        assert (status, json.loads(body)["partitions"]) == (503, lost)
        until(lambda: first.get("/orders/jd:1/no-such-order")[0] == 404, first)
        assert len(first.held()) == PARTITIONS
        assert first.stop() == 0


def test_partition_counts_that_do_not_go_together_are_refused(broker, topic_prefix, tmp_path):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    topics = [
        NewTopic(
            topic_prefix + name,
            2 if name == "order-events" else definition.partitions or PARTITIONS,
            1,
            config=definition.config,
        )
        for name, definition in topic_definitions().items()
    ]
    for created in admin.create_topics(topics).values():
        created.result()
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        assert worker.start().wait() == 2
        assert f"{topic_prefix}order-events has 2" in worker.output()
        assert f"{topic_prefix}chat-events has 4" in worker.output()
