"""What the worker's shell promises beside not losing anything: refusals, knowledge, ticks, a clear end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from stream_attr.contract.topics import DECISIONS
from stream_attr.kafka.admin import create_topics
from stream_attr.processor.ports import Output
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.engine.web_server import LIMITS
from stream_attr.worker.task.committer import (
    ChangelogLostError,
    Fenced,
    TransactionalCommitter,
    open_committer,
)
from tests.kafka.conftest import any_broker
from tests.kafka.worker_process import (
    Traffic,
    counts,
    expected,
    read,
    read_json,
    until,
    until_counted,
    workers,
)

PARTITIONS = 3


@pytest.fixture
def topics(broker, topic_prefix):
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)


def outputs(broker, prefix, key, topic="attribution-decisions"):
    found = [value for k, value in read_json(broker.bootstrap, prefix + topic) if k == key]
    return sorted(found, key=json.dumps)


def test_missing_topics_are_named_with_the_remedy(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        assert worker.start().wait() == 2
        assert f"topic {topic_prefix}chat-events is missing" in worker.output()
        assert "stream-attr topics create" in worker.output()


@any_broker
@pytest.mark.usefixtures("topics")
def test_it_is_healthy_at_once_and_ready_once_recovered(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start()
        until(lambda: worker.get("/ready")[0] == 503, worker)
        assert worker.get("/health")[0] == 200
        worker.until_ready()
        assert worker.held() == list(range(PARTITIONS))
        assert worker.stop() == 0


@pytest.mark.usefixtures("topics")
def test_an_unforeseen_exception_ends_the_worker_before_anything_moves(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix, buyers=1)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        traffic.send(16)
        until_counted(broker.bootstrap, topic_prefix, expected(traffic), worker)
        traffic.put("chat-events", {"event_id": "x", "ts": 1, "explode": True}, key="jd:1|b0")
        traffic.send(16)
        for _ in range(2):  # the second time it stands before the same record
            assert worker.wait() == 1
            assert "a batch failed, nothing of it was committed" in worker.output()
            assert worker.output().count("RuntimeError: ") == 1 == worker.output().count("Traceback")
            assert "RuntimeError: this event was not foreseen" in worker.output()
            worker.log.write_bytes(b"")
            worker.start()
        assert counts(broker.bootstrap, topic_prefix) == {b"jd:1|b0": [8, 16]}


@any_broker
@pytest.mark.usefixtures("topics")
def test_an_exception_that_quotes_a_record_is_logged_without_it(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix, buyers=1)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        traffic.put("chat-events", {"event_id": "x", "ts": 1, "number": "what was said"}, key="jd:1|b0")
        assert worker.wait() == 1
        assert 'int(event["number"])\nValueError\n' in worker.output()
        assert "what was said" not in worker.output()


@any_broker
@pytest.mark.usefixtures("topics")
def test_strangers_at_the_web_port_neither_fill_the_log_nor_take_all_connections(
    broker, topic_prefix, tmp_path
):
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        with ExitStack() as held:
            for _ in range(2 * LIMITS.connections):
                one = held.enter_context(socket.create_connection(("127.0.0.1", worker.port)))
                one.sendall(b"GET /ready HTTP/1.1\r\nAuthorization: Bearer said-by-a-stranger")
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", worker.port)) as one:
                    one.sendall(b"Authorization: Bearer said-by-a-stranger\r\n\r\n")
                    assert one.recv(100).startswith(b"HTTP/1.0 400")
            until(lambda: worker.get("/health")[0] == 200, worker)
            descriptors = len(list(Path(f"/proc/{worker.pid}/fd").iterdir()))
        until(lambda: len(list(Path(f"/proc/{worker.pid}/fd").iterdir())) < descriptors - 50, worker)
        for line in ("more than 100 web connections", "refused a malformed web request from 127.0.0.1"):
            assert 1 <= worker.output().count(line) < 5, "one a minute"
        assert "said-by-a-stranger" not in worker.output()
        assert "Traceback" not in worker.output()
        assert worker.stop() == 0


@any_broker
@pytest.mark.usefixtures("topics")
def test_a_record_that_the_machine_cannot_apply_now_is_applied_later(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    traffic.put("shop-settings", {"shop_id": "jd:1", "fails": 2}, key="jd:1")
    traffic.put("agent-roster", {"shop_id": "jd:1"}, key="jd:1|A")
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        refreshed = [{"shop": "jd:1", "p": p, "records": 2} for p in range(PARTITIONS)]
        until(lambda: outputs(broker, topic_prefix, b"refresh") == refreshed, worker)
        traffic.put("shop-settings", {"shop_id": "jd:2", "fails": 5}, key="jd:2")
        why = b"shop-settings offset 1 cannot be applied: [Errno 24] Too many open files"
        until(lambda: why in worker.get("/ready")[1], worker)
        worker.until_ready()
        refreshed += [{"shop": "jd:2", "p": p, "records": 1} for p in range(PARTITIONS)]
        until(lambda: outputs(broker, topic_prefix, b"refresh") == refreshed, worker)
        assert worker.stop() == 0
        assert worker.output().count("; retrying") == 2
    assert read(broker.bootstrap, topic_prefix + "dead-letters") == []


@pytest.mark.usefixtures("topics")
def test_a_hang_up_ends_a_worker_in_an_orderly_way(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        worker.signal(signal.SIGHUP)
        assert worker.wait() == 0
        assert "Traceback" not in worker.output()


@any_broker
@pytest.mark.usefixtures("topics")
def test_signals_for_debugging_show_where_the_worker_is_and_no_value(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        for number in range(20):
            event = {"event_id": f"said-{number}", "ts": 1_790_000_000_000, "text": "what was said"}
            traffic.put("chat-events", event, key=f"jd:1|b{number}")
            worker.signal(signal.SIGUSR1)
        traffic.put("order-events", {"event_id": "o", "ts": 1_790_000_000_000}, key="jd:1|order")
        worker.signal(signal.SIGUSR2)
        until(lambda: "SIGUSR2 does nothing; SIGUSR1 logs all stacks" in worker.log.read_text(), worker)
        until(lambda: worker.get("/orders/jd:1/order")[0] == 200, worker)
        said = worker.log.read_text()
        assert "most recent call first" in said, "threads"
        assert re.search(r"tasks of the event loop\n(.*\n)*.*stream_task\.py:\d+ run", said)
        assert "what was said" not in said
        assert "said-" not in said
        assert worker.stop() == 0


@any_broker
@pytest.mark.usefixtures("topics")
def test_a_worker_whose_log_nobody_reads_continues_and_ends_on_a_signal(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        reading, writing = os.pipe()
        worker.log = Path(f"/proc/self/fd/{writing}")
        worker.start()
        os.close(writing)
        os.close(reading)
        until(lambda: worker.get("/ready")[0] == 200)
        worker.signal(signal.SIGUSR1)
        worker.signal(signal.SIGINT)  # Faust's own handler would print first, and fail
        assert worker.wait() == 0


@pytest.mark.usefixtures("topics")
def test_every_partition_gets_a_change_once_and_a_refusal_is_one_dead_letter(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    traffic.put("shop-settings", {"shop_id": "jd:1"}, key="jd:1")
    traffic.put("agent-roster", {"bad": 1}, key="jd:1|A")
    refreshed = [{"shop": "jd:1", "p": p, "records": 1} for p in range(PARTITIONS)]
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start()
        until(lambda: outputs(broker, topic_prefix, b"refresh") == refreshed, worker)
        traffic.put("agent-roster", {"shop_id": "jd:1"}, key="jd:1|B")
        traffic.put("shop-settings", {"bad": 2}, key="jd:1")
        refreshed += [{"shop": "jd:1", "p": p, "records": 2} for p in range(PARTITIONS)]
        until(lambda: len(outputs(broker, topic_prefix, b"refresh")) == len(refreshed), worker)
        until(lambda: worker.metric("stream_attr_dead_letters_total") == 2, worker)
        assert worker.stop() == 0
        traffic.put("agent-roster", {"shop_id": "jd:1"}, key="jd:1|C")  # while nobody listens
        refreshed += [{"shop": "jd:1", "p": p, "records": 3} for p in range(PARTITIONS)]
        worker.start().until_ready()
        until(lambda: len(outputs(broker, topic_prefix, b"refresh")) == len(refreshed), worker)
        assert worker.stop() == 0
        worker.start().until_ready()
        assert worker.stop() == 0
    assert outputs(broker, topic_prefix, b"refresh") == sorted(refreshed, key=json.dumps)
    letters = read_json(broker.bootstrap, topic_prefix + "dead-letters")
    assert sorted(letter["bad"] for _, letter in letters) == [1, 2]


ODD_IDS = (
    *(
        "a/b",
        "/a",
        "a/",
        "a//b",
        "a%2Fb",
        "a%2fb",
        "%",
        "a%b",
        "../../metrics",
        "../../../health",
        "...",
        "./a",
    ),
    *(
        "a b",
        " a",
        "a?b",
        "a?local=1",
        "a#b",
        "a+b",
        "a&b=c",
        "a;b",
        "a:b",
        "a@b",
        "a\\b",
        '"a"',
        "{a}",
        "[a]",
    ),
    *("订单", "a\u202eb", "a\u2028b", "e\u0301", "😀" * 128),
)


@any_broker
@pytest.mark.usefixtures("topics")
def test_an_id_of_any_shape_is_answered_alike_by_whichever_worker_is_asked(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    paths = [f"/orders/{quote('jd:1', safe='')}/{quote(odd, safe='')}" for odd in ODD_IDS]
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=2) as both:
        for worker in both:
            worker.start()
        until(
            lambda: (
                sorted(n for w in both for n in w.held()) == list(range(PARTITIONS))
                and all(len(worker.held()) < PARTITIONS for worker in both)
            ),
            *both,
        )
        for odd in ODD_IDS:
            traffic.put("order-events", {"event_id": odd, "ts": 1_790_000_000_000}, key=f"jd:1|{odd}")

        def held():
            return [{path for path in paths if worker.get(f"{path}?local")[0] == 200} for worker in both]

        until(lambda: set.union(*held()) == set(paths), *both)
        assert all(held()), "each holds some of them"
        for odd, path in zip(ODD_IDS, paths, strict=True):
            answers: list[tuple[int, bytes]] = []

            def answered(path=path, answers=answers):
                answers[:] = [worker.get(path) for worker in both]
                return [status for status, _ in answers] == [200, 200]

            until(answered, *both)  # a worker gives the other two seconds
            assert [json.loads(body)["seen"] for _, body in answers] == [[odd], [odd]]
        for segments in ("jd:1/..", "jd:1/%2E%2e", "./o1", "jd:1/%2e"):
            for worker in both:
                status, body = worker.get(f"/orders/{segments}")
                assert (status, b"cannot be asked for over HTTP" in body) == (400, True), segments


@pytest.mark.usefixtures("topics")
def test_idle_partitions_are_sent_ticks_of_the_wall_clock(broker, topic_prefix, tmp_path):
    args = ("--clock=wall", "--idle-tick-ms=400")
    with workers(broker.bootstrap, topic_prefix, tmp_path, *args) as [worker]:
        worker.start()
        until(
            lambda: {t["p"] for t in outputs(broker, topic_prefix, b"tick")} == set(range(PARTITIONS)), worker
        )
        assert worker.stop() == 0


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize(
    ("served", "eaten"),
    [(False, False), (True, False), (True, True)],
    ids=["", "the client's queue is served", "and logging eats the exception"],
)
def test_a_producer_fenced_in_the_middle_of_a_batch_is_recognized(broker, topic_prefix, served, eaten):
    if not broker.has_transactions:
        pytest.skip("the embedded broker runs without transactions")
    config = WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix)
    former = open_committer(config, 0, transactions=True)
    assert isinstance(former, TransactionalCommitter)
    heir = open_committer(config, 0, transactions=True)

    def serve():
        try:
            former._producer.client.flush(1)
        except:  # noqa: E722 -- what is raised here no `except BaseException` would see
            if not eaten:
                raise
            raise SystemError(
                "<method 'flush' of 'cimpl.Producer' objects> returned NULL without setting an exception"
            ) from None

    def outputs():
        for number in range(30):
            yield Output(DECISIONS, b"%d" % number, b"{}")
            if served:
                serve()
            time.sleep(0.1)  # the broker's word comes in meanwhile, and the client refuses the next one

    with pytest.raises(Fenced):
        former.commit(outputs(), [], [(b"jd:1|b", b"")])
    heir.commit([], [], [(b"jd:1|b", b"")])
    former.close()
    heir.close()


@pytest.mark.usefixtures("topics")
def test_a_producer_fenced_while_a_batch_is_delivered_is_recognized(broker, topic_prefix):
    if not broker.has_transactions:
        pytest.skip("the embedded broker runs without transactions")
    config = WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix)
    former = open_committer(config, 0, transactions=True)
    heir = open_committer(config, 0, transactions=True)
    with pytest.raises(Fenced):
        former.commit([Output(DECISIONS, b"o", b"{}")], [(b"jd:1|b", b"1")], [(b"\x00progress", b"")])
    former.close()
    heir.close()


@pytest.mark.usefixtures("topics")
def test_a_batch_written_before_the_end_of_the_partitions_state_is_not_committed(broker, topic_prefix):
    config = WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix)
    committer = open_committer(config, 0, transactions=broker.has_transactions)
    for value in (b"1", b"2"):
        end = committer.commit([], [(b"jd:1|b", value)], [(b"\x00progress", value)], min_offset=0)
    with pytest.raises(
        ChangelogLostError, match=f"partition 0: a record was written at offset .* goes up to {end + 9}"
    ):
        committer.commit(
            [Output(DECISIONS, b"o", b"{}")],
            [(b"jd:1|b", b"3")],
            [(b"\x00progress", b"3")],
            min_offset=end + 9,
        )
    committer.close()
    stored = read(broker.bootstrap, topic_prefix + "buyer-state-changelog")
    assert stored[-1] == (b"\x00progress", b"2") or not broker.has_transactions
    assert (b"\x00progress", b"3") not in stored
    if broker.has_transactions:
        assert read(broker.bootstrap, topic_prefix + DECISIONS) == []


@pytest.mark.usefixtures("topics")
def test_a_fenced_partition_is_given_up_and_says_so(broker, topic_prefix, tmp_path):
    if not broker.has_transactions:
        pytest.skip("the embedded broker runs without transactions")
    traffic = Traffic(broker.bootstrap, topic_prefix)
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start().until_ready()
        config = WorkerConfig(broker=broker.bootstrap, topic_prefix=topic_prefix)
        intruder = open_committer(config, 0, transactions=True)
        traffic.send(300)
        until(lambda: worker.get("/ready")[0] == 503, worker)
        assert "partition 0 has another owner now" in worker.output()
        assert worker.stop() == 0
        intruder.close()
        worker.start()  # the partition is its own again
        until_counted(broker.bootstrap, topic_prefix, expected(traffic), worker)
        assert worker.stop() == 0


@any_broker
@pytest.mark.usefixtures("topics")
def test_a_second_worker_on_one_data_directory_says_so_and_ends_at_once(broker, topic_prefix, tmp_path):
    with workers(broker.bootstrap, topic_prefix, tmp_path, count=2) as [first, second]:
        first.start().until_ready()
        second.data_dir = first.data_dir
        assert second.start().wait() == 2
        assert f"{first.data_dir} is in use by another process" in second.output()
        assert "two workers on one machine need a --data-dir each" in second.output()
        second.data_dir, second.port, port = tmp_path / "another", first.port, second.port
        assert second.start().wait() == 2
        assert f"port {first.port} on 127.0.0.1 cannot be used" in second.output()
        second.port = port
        assert "Traceback" not in second.output()
        assert first.stop() == 0


@pytest.mark.usefixtures("topics")
def test_a_session_timeout_that_the_broker_refuses_is_named(broker, topic_prefix, tmp_path):
    if broker.kind != "apache":
        pytest.skip("the embedded broker takes any")
    with workers(broker.bootstrap, topic_prefix, tmp_path, "--session-timeout=0.5") as [worker]:
        assert worker.start().wait() == 1
        assert "the broker does not allow --session-timeout 0.5s" in worker.output()
        assert "Traceback" not in worker.output()


@any_broker
@pytest.mark.usefixtures("topics")
def test_refused_records_are_spoken_of(broker, topic_prefix, tmp_path):
    traffic = Traffic(broker.bootstrap, topic_prefix)
    traffic.put("agent-roster", {"bad": 1}, key="jd:1|A")
    with workers(broker.bootstrap, topic_prefix, tmp_path) as [worker]:
        worker.start()
        until(lambda: "1 dead letter bad_value" in worker.output(), worker)
        assert worker.stop() == 0
