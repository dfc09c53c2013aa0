"""The peer without any engine, on aiokafka. Run as a script.

As ``bare_confluent.py``: a loop that takes what has come, judges it by partition, and writes state (in
memory, with its changelog) and outputs, in batches; offsets are committed once all before is acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from peer import LINGER_MS, NOT_AT_END, DictStore, Peer

from stream_attr.contract.topics import CHANGELOG
from stream_attr.processor.ports import Record

AT_ONCE = 1_000
"""Of each partition of each topic."""
BATCH_BYTES = 128 * 1024
COMMIT_AFTER = 20_000


async def main(peer: Peer) -> None:
    """Run it until it is ended from outside."""
    consumer = AIOKafkaConsumer(
        *peer.inputs,
        bootstrap_servers=peer.broker,
        group_id=peer.group,
        session_timeout_ms=int(peer.session_timeout_s * 1000),
        heartbeat_interval_ms=int(peer.session_timeout_s * 1000 / 8),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=peer.broker,
        acks="all",
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=8 * 1024 * 1024,
    )
    await consumer.start()
    await producer.start()
    stores: defaultdict[int, DictStore] = defaultdict(DictStore)
    processors: dict[int, Any] = {}
    sent: list[asyncio.Future[Any]] = []
    taken = 0
    while True:
        fetched = await consumer.getmany(timeout_ms=50, max_records=AT_ONCE)
        batches: dict[tuple[str, int], list[tuple[bytes, bytes | None]]] = defaultdict(list)
        for place, messages in fetched.items():
            partition = place.partition
            processor = processors.get(partition)
            if processor is None:
                processor = processors[partition] = peer.processor(partition, stores[partition])
            topic = peer.topic(place.topic)
            batch = processor.process(
                [Record(topic, partition, m.offset, m.timestamp, m.key, m.value) for m in messages],
                NOT_AT_END,
            )
            stores[partition].apply(batch.changes)
            batches[peer.prefix + CHANGELOG, partition] += batch.changes.items()
            for output in batch.outputs:
                where = output.partition
                if where is None:
                    where = _partition_of(output.key, peer.partitions)
                batches[peer.outputs[output.topic], where].append((output.key, output.value))
            taken += len(messages)
        for (name, number), records in batches.items():
            sent += await _send(producer, name, number, records)
        if taken >= COMMIT_AFTER or (taken and not fetched):
            await asyncio.gather(*sent)
            await consumer.commit()
            sent.clear()
            taken = 0


def _partition_of(key: bytes, partitions: int) -> int:
    every = list(range(partitions))
    number: int = DefaultPartitioner()(key, every, every)
    return number


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: list[tuple[bytes, bytes | None]]
) -> list[asyncio.Future[Any]]:
    sent = []
    waiting = list(reversed(records))
    while waiting:
        builder = producer.create_batch()
        while waiting and builder.append(key=waiting[-1][0], value=waiting[-1][1], timestamp=None):
            waiting.pop()
        builder.close()
        sent.append(await producer.send_batch(builder, topic, partition=partition))
    return sent


if __name__ == "__main__":
    asyncio.run(main(Peer()))
