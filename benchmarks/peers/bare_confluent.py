"""The peer without any engine, on confluent-kafka: the ceiling of what can be had in Python. Run as a script.

A loop that takes what has come, judges it by partition, and writes state (in memory, with its changelog) and
outputs; offsets are committed once all before them is acknowledged, so after a crash records are judged again
and nobody recognises them: no transactions, no store on the disk, no recovery, no web port.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from confluent_kafka import Consumer, Message, Producer
from peer import LINGER_MS, NOT_AT_END, DictStore, Peer

from stream_attr.contract.topics import CHANGELOG
from stream_attr.processor.ports import Record

AT_ONCE = 4_000
COMMIT_AFTER = 20_000


def main(peer: Peer) -> None:
    """Run it until it is ended from outside."""
    consumer = Consumer(
        {
            "bootstrap.servers": peer.broker,
            "group.id": peer.group,
            **peer.session(),
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": peer.broker,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": LINGER_MS,
            "batch.size": 256 * 1024,
            "message.max.bytes": 8 * 1024 * 1024,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 256 * 1024,
        }
    )
    consumer.subscribe(peer.inputs)
    stores: defaultdict[int, DictStore] = defaultdict(DictStore)
    processors: dict[int, Any] = {}
    taken = 0
    while True:
        by_partition: defaultdict[int, list[Record]] = defaultdict(list)
        for message in consumer.consume(AT_ONCE, timeout=0.05):
            if message.error() is None:
                by_partition[message.partition()].append(_record(peer, message))
        for partition, records in by_partition.items():
            processor = processors.get(partition)
            if processor is None:
                processor = processors[partition] = peer.processor(partition, stores[partition])
            batch = processor.process(records, NOT_AT_END)
            stores[partition].apply(batch.changes)
            for key, state in batch.changes.items():
                _send(producer, peer.prefix + CHANGELOG, key, state, partition)
            for output in batch.outputs:
                where = -1 if output.partition is None else output.partition
                _send(producer, peer.outputs[output.topic], output.key, output.value, where)
            taken += len(records)
        producer.poll(0)
        if taken >= COMMIT_AFTER or (taken and not by_partition):
            producer.flush()
            consumer.commit(asynchronous=True)
            taken = 0


def _record(peer: Peer, message: Message) -> Record:
    return Record(
        peer.topic(message.topic()),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
    )


def _send(producer: Producer, topic: str, key: bytes, value: bytes | None, partition: int) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition)
        except BufferError:
            producer.poll(0.1)
        else:
            return


if __name__ == "__main__":
    main(Peer())
