"""An installation moved to another number of partitions: the new workers say what the old ones say."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import copy_inputs
import pytest
from confluent_kafka import Producer

from stream_attr.kafka.admin import Standing, create_topics
from stream_attr.worker.startup.topics_check import EVENTS
from tests.docs.blocks import ROOT
from tests.kafka.verdicts import RealWorker, decisions, inputs, last, stream_attr, verdicts
from tests.kafka.worker_process import LONGEST_S, read, read_json, until

pytestmark = pytest.mark.kafka
SCRIPT = ROOT / "deploy" / "copy_inputs.py"
DECISIONS = "attribution-decisions"
SHANGHAI = ZoneInfo("Asia/Shanghai")
"""Where shops are that do not say: a change holds from the day there on which it is sent."""


def copy(broker, *words: str) -> list[str]:
    return [sys.executable, str(SCRIPT), "--broker", broker.bootstrap, *words]


@pytest.fixture
def old(broker, topic_prefix, tmp_path):
    """An installation of two partitions, with two days of traffic and a shop that changed its settings."""
    if not broker.has_transactions:
        pytest.skip("the embedded broker does not stamp records")
    prefix = topic_prefix + "old."
    create_topics(broker.bootstrap, partitions=2, prefix=prefix)
    copy_inputs.stamp(broker.bootstrap, prefix + "shop-settings", "CreateTime")
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for days_ago, rule in ((40, "order"), (20, "order_first")):
        sent_at = datetime.now(SHANGHAI) - timedelta(days_ago)
        record = {"shop_id": "jd:late", "effective_from": str(sent_at.date()), "credit_rule": rule}
        ts = int(sent_at.timestamp() * 1000)
        producer.produce(prefix + "shop-settings", json.dumps(record), "jd:late", timestamp=ts)
    producer.flush(LONGEST_S)
    stream_attr("generate", "--seed", "11", "--events", "3000", "--days", "2", "--out", str(tmp_path))
    stream_attr("publish", "--broker", broker.bootstrap, "--topic-prefix", prefix, *inputs(tmp_path))
    return prefix


def test_what_was_typed_is_quoted_visibly():
    words = [sys.executable, str(SCRIPT), "--broker", "h:1", "--from", "a", "--to", "b", "\x1b[31m\u202e"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.endswith("unrecognized arguments: \\x1b[31m\\u202e\n")) == (2, True)


def judged(broker, prefix, folder, before=0):
    """What a worker says of all that was sent, of which it has judged so many records before."""
    worker = RealWorker(broker.bootstrap, prefix, folder, ("--clock", "events", "--accept-future")).start()
    try:
        worker.until_ready()
        until(lambda: worker.metric("stream_attr_records_total") >= sent(broker, prefix) - before, worker)
    finally:
        worker.stop()
    return last(decisions(broker.bootstrap, prefix + DECISIONS))


def sent(broker, prefix):
    return sum(len(read(broker.bootstrap, prefix + topic)) for topic in EVENTS)


def test_the_new_installation_decides_as_the_old_one(broker, topic_prefix, old, tmp_path):
    new = topic_prefix + "new."
    create_topics(broker.bootstrap, partitions=5, prefix=new)
    words = copy(broker, "--from", old, "--to", new)
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=LONGEST_S)
    assert "to chat-events" in done.stdout
    assert sorted(read(broker.bootstrap, new + "chat-events")) == sorted(
        read(broker.bootstrap, old + "chat-events")
    )
    states = create_topics(broker.bootstrap, partitions=5, prefix=new)
    assert {state.standing for state in states} == {Standing.EXISTS}, "the broker stamps settings again"

    before, after = (judged(broker, prefix, tmp_path / prefix) for prefix in (old, new))
    assert len(before) > 100
    assert verdicts(after) == verdicts(before)
    refused = [
        letter for prefix in (old, new) for _, letter in read_json(broker.bootstrap, prefix + "dead-letters")
    ]
    assert refused
    assert not [letter for letter in refused if letter["topic"] == "shop-settings"]

    count = sent(broker, new)
    again = subprocess.run(words, capture_output=True, text=True, check=True, timeout=LONGEST_S)
    assert f"{new}shop-settings has records already: left as it is" in again.stderr
    assert sent(broker, new) == 2 * count
    assert verdicts(judged(broker, new, tmp_path / new, count)) == verdicts(before)


def test_it_follows_new_records_until_a_signal(broker, topic_prefix, old, tmp_path):
    new = topic_prefix + "new."
    create_topics(broker.bootstrap, partitions=3, prefix=new)
    words = copy(broker, "--from", old, "--to", new, "--follow")
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert any(b"following" in line for line in process.stdout), "it has ended"
            before = sent(broker, new)
            stream_attr(
                "publish", "--broker", broker.bootstrap, "--topic-prefix", old, *inputs(tmp_path, "orders")
            )
            until(lambda: sent(broker, new) == sent(broker, old) > before, patience_s=LONGEST_S)
            process.terminate()
            assert b"to order-events" in process.communicate(timeout=LONGEST_S)[0]
        finally:
            process.kill()
    assert process.returncode == 0


def test_missing_topics_are_named_with_the_remedy(broker, topic_prefix):
    done = subprocess.run(
        copy(broker, "--from", topic_prefix, "--to", topic_prefix + "new."),
        capture_output=True, text=True, check=False, timeout=LONGEST_S,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"no topic {topic_prefix}chat-events" in done.stderr
    assert f"topics create --broker {broker.bootstrap} --topic-prefix {topic_prefix}\n" in done.stderr
