"""Records compressed in every way that Kafka knows, by every client at hand, and by the topic."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import uuid
from contextlib import contextmanager

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from confluent_kafka import Producer

from stream_attr.contract.registry import topic_definitions
from stream_attr.contract.topics import BUYER_DAYS, CHANGELOG, CHAT, DECISIONS, ORDERS, SETTINGS
from stream_attr.kafka.admin import create_topics
from tests.kafka.clients import CLIENTS, CODECS, Sent
from tests.kafka.verdicts import (
    EVENTS,
    FINAL,
    RealWorker,
    decisions,
    inputs,
    last,
    last_of_file,
    parts_of,
    pass_time,
    stream_attr,
    until_at_rest,
    verdicts,
)
from tests.kafka.worker_process import configure_topics, until

PARTITIONS = 2
EACH = 20
"""Records of each client and codec: enough of one kind to be smaller when compressed."""
NOW = int(time.time() * 1000)


def chats(client, topic, codecs=CODECS):
    """What a client sends: one batch of each codec."""
    return [
        Sent(codec, topic, f"jd:1|{client}-{codec}", json.dumps(chat(client, codec, number)))
        for codec in codecs
        for number in range(EACH)
    ]


def chat(client, codec, number):
    ids = {"event_id": f"{client}-{codec}-{number}", "shop_id": "jd:1", "buyer_id": f"{client}-{codec}"}
    return {**ids, "agent_id": "amy", "ts": NOW, "sender": "buyer", "text": "有货吗" * 20}


async def batches(bootstrap, topic, partitions):
    """The batches as they lie in a topic: the codec of each, and the keys of its records."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        found = []
        for number in range(partitions):
            offset, node = 0, client.cluster.leader_for_partition(TopicPartition(topic, number))
            while True:
                ask = FetchRequest(100, 1, 1 << 24, 0, [(topic, [(number, offset, 1 << 24)])])
                records = MemoryRecords((await client.send(node, ask)).topics[0][1][0][-1])
                if not records.has_next():
                    break
                while (batch := records.next_batch()) is not None:
                    found.append((CODECS[batch.compression_type], [record.key for record in batch]))
                    offset = batch.next_offset
        return found
    finally:
        await client.close()


@pytest.fixture(scope="module")
def worker(broker, tmp_path_factory):
    """One for all clients."""
    prefix = f"compressed-{uuid.uuid4().hex[:8]}-"
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=prefix)
    one = RealWorker(
        broker.bootstrap,
        prefix,
        tmp_path_factory.mktemp("worker") / "data",
        ("--clock", "events", "--accept-future"),
    )
    yield one.start().until_ready()
    one.kill()


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_what_a_client_compresses_with_any_codec_is_judged(client, worker):
    name, topic = client.__name__, worker.prefix + CHAT
    before = worker.metric("stream_attr_events_total")
    client(worker.bootstrap, chats(name, topic))
    until(lambda: worker.metric("stream_attr_events_total") == before + len(CODECS) * EACH, worker)
    assert worker.metric("stream_attr_dead_letters_total") == 0
    used = {
        (codec, key)
        for codec, keys in asyncio.run(batches(worker.bootstrap, topic, PARTITIONS))
        for key in keys
        if key.startswith(f"jd:1|{name}-".encode())
    }
    assert used == {(codec, f"jd:1|{name}-{codec}".encode()) for codec in CODECS}


def compress_by_topic(broker, prefix, codec):
    """Have the broker compress what comes in, whatever its producer did."""
    topics = [prefix + definition.name for definition in topic_definitions().values()]
    configure_topics(broker.bootstrap, topics, "compression.type", codec)


@pytest.fixture(scope="module")
def traffic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traffic")
    stream_attr("generate", "--seed", "7", "--events", "4000", "--days", "2", "--out", str(folder))
    stream_attr("replay", *inputs(folder), "--out", str(folder / "out"))
    return folder


def test_topics_that_compress_by_any_codec_are_read_state_and_internal_ones_too(
    broker, topic_prefix, tmp_path, traffic
):
    if broker.kind == "embedded":
        pytest.skip("the embedded broker keeps batches as they were sent")
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)

    def publish(*words):
        stream_attr("publish", "--broker", broker.bootstrap, "--topic-prefix", topic_prefix, *words)

    one = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    )
    try:
        for codec, part in zip(CODECS[1:], parts_of(traffic, tmp_path, len(CODECS) - 1), strict=True):
            compress_by_topic(broker, topic_prefix, codec)
            publish(*inputs(traffic, "roster", "settings"))
            one.start()
            publish(*inputs(part, *EVENTS))
            until_at_rest(one)
            assert one.stop() == 0
            shutil.rmtree(one.data_dir)  # the next one reads the changelog, from its beginning
        one.start()
        pass_time(one, PARTITIONS, FINAL)
        assert one.stop() == 0
    finally:
        if one.runs():
            one.kill()
    told = last(decisions(broker.bootstrap, topic_prefix + DECISIONS))
    assert verdicts(told) == verdicts(last_of_file(traffic / "out" / f"{DECISIONS}.jsonl"))
    for topic in (CHAT, ORDERS, BUYER_DAYS, CHANGELOG):
        found = asyncio.run(batches(broker.bootstrap, topic_prefix + topic, PARTITIONS))
        assert {codec for codec, _ in found} >= set(CODECS[1:]), topic


@pytest.fixture
def two_partitions(broker, topic_prefix, tmp_path):
    """A worker, not started yet, and one record in each partition of chat."""
    create_topics(broker.bootstrap, partitions=PARTITIONS, prefix=topic_prefix)
    one = RealWorker(
        broker.bootstrap, topic_prefix, tmp_path / "worker", ("--clock", "events", "--accept-future")
    )
    for partition in range(PARTITIONS):
        put(one, partition, "none", 1)
    yield one
    if one.runs():
        one.kill()


def put(worker, partition, codec, count):
    """Send a batch of chat."""
    producer = Producer({"bootstrap.servers": worker.bootstrap, "compression.type": codec})
    for _ in range(count):
        event = chat("b", codec, time.monotonic_ns())
        producer.produce(worker.prefix + CHAT, json.dumps(event), "jd:1|b-" + codec, partition)
    assert producer.flush(30) == 0


def not_ready_because(worker):
    status, body = worker.get("/ready")
    return json.loads(body)["reason"] if status == 503 else ""


def test_a_batch_whose_codec_is_missing_is_named_and_waits_while_other_partitions_go_on(
    two_partitions, tmp_path, monkeypatch
):
    one = two_partitions
    put(one, 0, "zstd", 5)
    put(one, 0, "none", 1)
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "cramjam.py").write_text("raise ImportError")
    with monkeypatch.context() as context:
        context.setenv("PYTHONPATH", str(tmp_path / "without"))
        one.start()
    place = f"topic {one.prefix}{CHAT}, partition 0 cannot be read: the batch at offset 1"
    until(lambda: not_ready_because(one).startswith(place), one)
    assert "zstd" in not_ready_because(one)
    put(one, 1, "gzip", 3)
    until(lambda: one.metric("stream_attr_records_total") == 1 + 1 + 3, one)
    assert max(one.samples("stream_attr_lag_records")) == 6
    assert not_ready_because(one).startswith(place)
    assert one.output().count("cannot be read") == 1
    assert one.stop() == 0
    one.start()
    until(lambda: one.metric("stream_attr_records_total") == 6, one)
    assert one.get("/ready")[0] == 200
    assert one.metric("stream_attr_dead_letters_total") == 0


def flip(batch):
    """Damage as of a disk: the checksum no longer fits."""
    batch[-1] ^= 1


def of_no_codec(batch):
    """As a producer of a later Kafka may send it: whole, and compressed by a codec that nobody knows yet."""
    batch[22] |= 7
    batch[17:21] = calc_crc32c(bytes(batch[21:])).to_bytes(4, "big")


def of_no_content(batch):
    """As a faulty producer may send it: the checksum is right, what was compressed is not."""
    batch[61:] = bytes(len(batch) - 61)
    batch[17:21] = calc_crc32c(bytes(batch[21:])).to_bytes(4, "big")


def of_no_length(batch):
    """The broker itself does not find its end."""
    batch[8:12] = b"\xff" * 4


DAMAGE = (flip, of_no_codec, of_no_content, of_no_length)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_batch_is_named_and_read_once_it_is_mended(damage, broker, request, two_partitions):
    if broker.kind != "apache":
        pytest.skip("the files of this broker are not at hand")
    one = two_partitions
    put(one, 0, "lz4", 5)
    put(one, 0, "none", 1)
    with damaged(request, f"{one.prefix}{CHAT}-0", 1, damage):
        one.start()
        until(lambda: f"{one.prefix}{CHAT}, partition 0 cannot be read: " in not_ready_because(one), one)
        put(one, 1, "none", 3)
        until(lambda: one.metric("stream_attr_records_total") >= 1 + 3, one)
        assert one.output().count("cannot be read") == 1
    until(lambda: one.metric("stream_attr_records_total") == 1 + 1 + 5 + 1 + 3, one)
    until(lambda: one.get("/ready")[0] == 200, one)
    assert one.metric("stream_attr_dead_letters_total") == 0
    assert one.stop() == 0


@pytest.mark.parametrize("damage", [flip, of_no_codec], ids=lambda damage: damage.__name__)
def test_damaged_settings_and_state_are_named_and_read_once_they_are_mended(
    damage, broker, request, two_partitions
):
    if broker.kind != "apache":
        pytest.skip("the files of this broker are not at hand")
    one = two_partitions
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    settings = {"shop_id": "jd:1", "effective_from": "2026-11-01"}
    producer.produce(one.prefix + SETTINGS, json.dumps(settings), "jd:1", 0)
    assert producer.flush(30) == 0
    with damaged(request, f"{one.prefix}{SETTINGS}-0", 0, damage):
        one.start()
        until(lambda: f"{one.prefix}{SETTINGS}, partition 0 cannot be read: " in not_ready_because(one), one)
        assert one.metric("stream_attr_records_total") == 0
    until(lambda: one.metric("stream_attr_records_total") == PARTITIONS, one)
    until(lambda: one.get("/ready")[0] == 200, one)
    assert "settings and rosters read: 1 records" in one.output()
    assert one.stop() == 0

    shutil.rmtree(one.data_dir)
    with damaged(request, f"{one.prefix}{CHANGELOG}-0", 0, damage):
        one.start()
        until(lambda: f"{one.prefix}{CHANGELOG}, partition 0 cannot be read: " in not_ready_because(one), one)
    one.until_ready()
    until(lambda: one.metric("stream_attr_lag_records") == 0, one)
    assert one.metric("stream_attr_records_total") == 0
    assert one.stop() == 0
    assert one.output().count("cannot be read") == 2


@contextmanager
def damaged(request, partition, nth, damage):
    """Have a batch of a partition lie damaged on the broker's disk."""
    [file] = (request.getfixturevalue("apache").data(1) / partition).glob("*.log")
    whole = file.read_bytes()
    end = 0
    for _ in range(nth + 1):
        begin, end = end, end + 12 + int.from_bytes(whole[end + 8 : end + 12], "big")
    batch = bytearray(whole[begin:end])
    damage(batch)
    write_at(file, begin, batch)
    try:
        yield
    finally:
        write_at(file, begin, whole[begin:end])


def write_at(file, place, data):
    with file.open("r+b") as log:
        log.seek(place)
        log.write(data)
