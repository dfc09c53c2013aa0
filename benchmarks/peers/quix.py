"""The peer in Quix Streams, with its state (RocksDB, a changelog, at least once). Run as a script.

Everything is left as it is, but for the producer's linger, the session timeout, and the wait for a next
record (its default, 1 s, only delays the start). Quix reads the topics in step by itself. Its ``State`` shows
what lies under the key of the record in hand; judging also needs the buyers whose deadline has come, so the
partition's transaction, which ``State`` wraps, is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping
from typing import Any

from peer import LINGER_MS, NOT_AT_END, DictStore, Peer
from quixstreams import Application
from quixstreams.context import message_context
from quixstreams.models import Serializer

from stream_attr.processor import Processor
from stream_attr.processor.ports import Output, Record


class InTransaction(MutableMapping[bytes, bytes]):
    """The state of a partition's store, in a transaction that changes with each checkpoint."""

    transaction: Any = None

    def __init__(self) -> None:
        self._keys: set[bytes] = set()

    def __getitem__(self, key: bytes) -> bytes:
        value: bytes | None = self.transaction.get_bytes(key=key, prefix=key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.transaction.set_bytes(key=key, value=value, prefix=key)
        self._keys.add(key)

    def __delitem__(self, key: bytes) -> None:
        self.transaction.delete(key=key, prefix=key)
        self._keys.discard(key)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class ValueOf(Serializer):
    """An output's value."""

    def __call__(self, value: Output, ctx: Any) -> bytes:  # noqa: ARG002 -- named as Quix calls it
        """Return it."""
        return value.value


def main(peer: Peer) -> None:
    """Run it until it is ended from outside."""
    app = Application(
        broker_address=peer.broker,
        consumer_group=peer.group,
        auto_offset_reset="earliest",
        state_dir=peer.data_dir,
        loglevel="ERROR",
        consumer_poll_timeout=0.05,
        consumer_extra_config=peer.session(),
        producer_extra_config={"linger.ms": LINGER_MS, "message.max.bytes": 8 * 1024 * 1024},
    )
    outputs = {
        topic: app.topic(name, key_serializer="bytes", value_serializer=ValueOf())
        for topic, name in peer.outputs.items()
    }
    streams = [
        app.dataframe(app.topic(name, key_deserializer="bytes", value_deserializer="bytes"))
        for name in peer.inputs
    ]
    whole = streams[0]
    for stream in streams[1:]:
        whole = whole.concat(stream)
    stores: dict[int, InTransaction] = {}
    processors: dict[int, Processor] = {}

    def judge(value: bytes, key: bytes, timestamp: int, _headers: Any, state: Any) -> list[Output]:
        context = message_context()
        partition = context.partition
        if partition not in processors:
            stores[partition] = InTransaction()
            processors[partition] = peer.processor(partition, DictStore(stores[partition]))
        stores[partition].transaction = state._transaction
        record = Record(peer.topic(context.topic), partition, context.offset, timestamp, key, value)
        batch = processors[partition].process([record], NOT_AT_END)
        DictStore(stores[partition]).apply(batch.changes)
        keyed = []
        for output in batch.outputs:
            if output.partition is None:
                keyed.append(output)
            else:  # to_topic() knows no partition; what is under way stays the checkpoint's to wait for
                whole._producer.produce(
                    topic=outputs[output.topic].name,
                    value=output.value,
                    key=output.key,
                    partition=output.partition,
                )
        return keyed

    # what is measured is read off the outputs' timestamps, which are the inputs' unless they are set
    emitted = whole.apply(judge, stateful=True, metadata=True, expand=True).set_timestamp(
        lambda *_: int(time.time() * 1000)
    )
    emitted.to_topic(
        lambda output, _key, _timestamp, _headers: outputs[output.topic], key=lambda output: output.key
    )
    app.run()


if __name__ == "__main__":
    main(Peer())
