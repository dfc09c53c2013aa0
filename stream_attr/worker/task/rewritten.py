"""Inputs that hold other records at offsets that were judged, under the same topic id.

A broker that is restored from an older copy, or whose leader lacked records, gives their offsets to what
comes next. Where the changelog has not lost as much, reading on from the progress would pass over the new
records. So a digest of the record that was judged last is kept of each input, and compared when a partition
is taken over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream_attr.kafka.clients import CLIENTS, consume
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.ops.broker_health import will_pass
from stream_attr.worker.ops.logs import client_logging
from stream_attr.worker.ops.unreadable import is_unreadable
from stream_attr.worker.state.lineage import Judged, digest_of

__all__ = ["rewritten"]

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_PATIENCE_S = 5.0
_ASKING_S = 1.0


def rewritten(
    config: WorkerConfig, partition: int, judged: Mapping[str, Judged], stop: Callable[[], bool]
) -> list[str]:
    """Return the topics, as named in ``judged``, whose record at that offset is another or behind the end.

    Where retention has it, where it cannot be read, and where the broker does not say it within 5 s or
    before told to ``stop``, a topic is none of them.

    Raises:
        KafkaException: the broker refuses.
    """
    names = {config.topic(name): name for name in judged}
    if not names:
        return []
    consumer = Consumer(
        {
            **config.security.rdkafka(config.broker),
            "group.id": config.group,  # demanded by the client; it neither joins nor commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",  # what was judged was committed
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 100,
            "queued.min.messages": 1,
            **client_logging(),
        }
    )
    CLIENTS.add(consumer)
    found = []
    left = set(names)
    ended: set[str] = set()
    deadline = time.monotonic() + _PATIENCE_S
    try:
        consumer.assign(
            [TopicPartition(topic, partition, judged[name].offset) for topic, name in names.items()]
        )
        while left and not stop():
            if time.monotonic() > deadline:
                for topic in sorted(left):
                    bounds = _bounds(consumer, topic, partition) if topic in ended else None
                    if bounds is not None and judged[names[topic]].offset >= bounds[1]:
                        found.append(names[topic])
                    else:
                        logger.warning(
                            "topic %s, partition %s: its last judged record cannot be looked at",
                            topic,
                            partition,
                        )
                break
            for message in consume(consumer, 1, _POLL_S):
                error, topic = message.error(), str(message.topic())
                if topic not in left:  # what lies behind the record is nothing to this
                    continue
                last = judged[names[topic]]
                if error is None:
                    digest = digest_of(message.key(), message.value(), message.timestamp()[1])
                    if message.offset() == last.offset and digest != last.digest:
                        found.append(names[topic])
                elif error.code() in (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET):
                    bounds = _bounds(consumer, topic, partition)
                    if bounds is None or last.offset >= bounds[0]:
                        ended.add(topic)
                        continue  # a new leader may at first show less than there is: look on
                elif is_unreadable(error):  # reading on from there says so, over and over
                    logger.warning("topic %s, partition %s: %s", topic, partition, error.str())
                elif will_pass(error):
                    continue
                else:
                    raise KafkaException(error)
                left.discard(topic)
    finally:
        CLIENTS.remove(consumer)
        consumer.close()
    return found


def _bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int] | None:
    """The first offset of a topic's partition and the one after its last; None: nobody says now."""
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ASKING_S)
    except KafkaException:
        return None
    return low, high
