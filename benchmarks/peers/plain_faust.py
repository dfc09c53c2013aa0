"""The peer in plain Faust: one agent over all inputs, event by event. Run as a script.

Each changed state is written to a Faust table (in memory, with its changelog), each output sent. Everything
that Faust has a setting for is left as it is, but for the producer's linger (its default, 0, makes a request
of each record; nobody would leave it at that) and what lets it start within seconds.
"""

from __future__ import annotations

import sys
from typing import Any

import faust
from peer import LINGER_MS, NOT_AT_END, DictStore, Peer

from stream_attr.processor import Processor
from stream_attr.processor.ports import Record


def build(peer: Peer) -> faust.App:
    """Build the app."""
    app = faust.App(
        peer.group,
        broker=f"kafka://{peer.broker}",
        store="memory://",
        datadir=str(peer.data_dir),
        topic_partitions=peer.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        broker_session_timeout=peer.session_timeout_s,
        broker_heartbeat_interval=peer.session_timeout_s / 8,
        consumer_auto_offset_reset="earliest",
        producer_linger_ms=LINGER_MS,
        web_enabled=False,
    )
    events = app.topic(*peer.inputs, key_serializer="raw", value_serializer="raw")
    outputs = {
        topic: app.topic(name, key_serializer="raw", value_serializer="raw", partitions=peer.partitions)
        for topic, name in peer.outputs.items()
    }
    table = app.Table("buyer-state", partitions=peer.partitions, key_type=bytes, value_type=bytes)
    store = DictStore(table)
    processors: dict[int, Processor] = {}

    @app.agent(events)
    async def judge(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            processor = processors.get(message.partition)
            if processor is None:
                processor = processors[message.partition] = peer.processor(message.partition, store)
            record = Record(
                peer.topic(message.topic),
                message.partition,
                message.offset,
                int(message.timestamp * 1000),
                message.key,
                message.value,
            )
            batch = processor.process([record], NOT_AT_END)
            store.apply(batch.changes)
            for output in batch.outputs:
                await outputs[output.topic].send(
                    key=output.key, value=output.value, partition=output.partition
                )

    return app


if __name__ == "__main__":
    app = build(Peer())
    sys.argv[1:] = ["worker", "--loglevel", "ERROR", "--without-web"]
    app.main()
