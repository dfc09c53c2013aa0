"""Killed, stopped, joined and left by others: on Apache Kafka no effect is lost, doubled or missing.

The embedded broker shows what was aborted to everybody, so there a reader may see an output twice; but no
fact is lost and no output missing.
"""

from __future__ import annotations

import random
import signal
import time

import pytest
from worker_process import Traffic, counts, expected, state, until, workers

from stream_attr.broker.topics import create_topics

PARTITIONS = 4


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


def check(broker, prefix, traffic, worker):
    """Wait until all is judged, then compare: outputs as a reader sees them, and the state."""
    until(lambda: worker.held() and worker.metric("stream_attr_lag_records") == 0, worker)
    until(lambda: state(broker.bootstrap, prefix) == dict(traffic.sent), worker)
    emitted = counts(broker.bootstrap, prefix)
    if broker.has_transactions:
        assert emitted == expected(traffic)
    else:
        once = {key: list(dict.fromkeys(values)) for key, values in emitted.items()}
        assert {key: sorted(values) for key, values in once.items()} == expected(traffic)


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
@pytest.mark.parametrize("store", ["rocksdb", "memory"])
def test_kills_in_the_middle_lose_and_double_nothing(broker, topic_prefix, tmp_path, store):
    chance = random.Random(store)
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path, f"--store={store}") as [worker]:
        for _ in range(3):
            worker.start()
            traffic.send(4000)
            until(lambda: worker.metric("stream_attr_records_total") > 0, worker)
            traffic.send(2000)
            time.sleep(chance.random() * 0.3)
            worker.kill()
        worker.start().until_ready()
        check(broker, topic_prefix, traffic, worker)
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
