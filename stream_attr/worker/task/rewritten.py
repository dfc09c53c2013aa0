"""Detects inputs that hold other records at offsets that were judged, under the same topic id.

A broker that is restored from an older copy, or whose leader lacked records, assigns their offsets to the
next records. If the changelog has lost less, reading on from the progress would skip the new records. So a
digest of the last judged record of each input is stored, and compared when a partition is opened.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from confluent_kafka import KafkaException, TopicPartition

from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import LOGGED, Reader
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.state.lineage import Judged, digest_of

__all__ = ["rewritten"]

logger = logging.getLogger(__name__)

_SETTINGS = {
    **LOGGED,
    "isolation.level": "read_uncommitted",  # a judged record was committed
    "queued.min.messages": 1,
}
_POLL_S = 0.1
_TIMEOUT_S = 5.0
_REQUEST_TIMEOUT_S = 1.0


def rewritten(
    config: WorkerConfig, partition: int, judged: Mapping[str, Judged], stop: Callable[[], bool]
) -> list[str]:
    """Return the topics, named as in ``judged``, that hold another record at that offset or end before it.

    Topics whose record was deleted by retention, cannot be read, or is not returned within 5 s or before
    ``stop`` returns True, are left out.

    Raises:
        KafkaException: the broker refuses the request.
    """
    names = {config.topic(name): name for name in judged}
    if not names:
        return []
    with Reader(config.broker, config.security, config.group, _SETTINGS) as reader:
        reader.assign(TopicPartition(topic, partition, judged[name].offset) for topic, name in names.items())
        return _compare(
            reader, partition, {topic: judged[name] for topic, name in names.items()}, stop, names
        )


def _compare(
    reader: Reader,
    partition: int,
    judged: Mapping[str, Judged],
    stop: Callable[[], bool],
    names: Mapping[str, str],
) -> list[str]:
    """``judged``: by the topics' names on the broker; ``names``: those names without prefix."""
    found: list[str] = []
    left = set(judged)
    ended: set[str] = set()
    deadline = time.monotonic() + _TIMEOUT_S
    while left and not stop():
        if time.monotonic() > deadline:
            for topic in sorted(left):
                bounds = _bounds(reader, topic, partition) if topic in ended else None
                if bounds is not None and judged[topic].offset >= bounds[1]:
                    found.append(names[topic])
                else:
                    logger.warning(
                        "topic %s, partition %s: the last judged record cannot be compared", topic, partition
                    )
            break
        for message in reader.read(1, _POLL_S):
            error, topic = message.error(), str(message.topic())
            if topic not in left:  # records behind the judged one do not matter
                continue
            last = judged[topic]
            if error is None:
                digest = digest_of(message.key(), message.value(), message.timestamp()[1])
                if message.offset() == last.offset and digest != last.digest:
                    found.append(names[topic])
                left.discard(topic)
                continue
            match kind_of(error):
                case ErrorKind.END_OF_PARTITION | ErrorKind.NO_SUCH_OFFSET:
                    bounds = _bounds(reader, topic, partition)
                    if bounds is None or last.offset >= bounds[0]:
                        ended.add(topic)  # a new leader may at first return less than there is: retry
                    else:
                        left.discard(topic)
                case ErrorKind.UNREADABLE:  # the partition's consumer will report it, again and again
                    logger.warning("topic %s, partition %s: %s", topic, partition, error.str())
                    left.discard(topic)
                case ErrorKind.TRANSIENT:
                    pass
                case ErrorKind.FATAL:
                    raise KafkaException(error)
    return found


def _bounds(reader: Reader, topic: str, partition: int) -> tuple[int, int] | None:
    """The first offset of a topic's partition and its end; None: no response now."""
    try:
        return reader.bounds(topic, partition, _REQUEST_TIMEOUT_S)
    except KafkaException:
        return None
