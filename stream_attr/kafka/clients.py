"""The one way to make a Kafka consumer: it reads assigned partitions, and commits only when it is called for.

It joins a group to share partitions with others (``join``); where it has come to is stored elsewhere, or by
the group (``commit``). (The worker's inputs are the exception: Faust's consumer reads them, as a member of
its group.)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import ClusterMetadata

from stream_attr.kafka.client_errors import is_transient
from stream_attr.kafka.clock_steps import CLIENTS
from stream_attr.kafka.security import Security

__all__ = ["LOGGED", "QUIET", "Reader"]

LOGGED: Mapping[str, Any] = {"log_level": 4, "logger": logging.getLogger("rdkafka")}
"""Settings of a client whose warnings and errors go to the log."""
QUIET: Mapping[str, Any] = {"log_level": 0, "error_cb": lambda _error: None}
"""Settings of a client that logs nothing: a broker that is away is noticed by its silence."""


class Reader:
    """Reads partitions of a cluster; as a context manager it closes itself.

    Unless ``settings`` say otherwise it reads committed records only, verifies checksums, returns a message
    with ``_PARTITION_EOF`` at the end of each partition, and an error where an offset does not exist.
    """

    def __init__(
        self,
        bootstrap: str,
        security: Security,
        group: str,
        settings: Mapping[str, Any],
        on_error: Callable[[KafkaError], None] | None = None,
    ) -> None:
        """``group``: the client requires a name. ``settings``: librdkafka's, on top of those made here.

        ``on_error`` is called with errors of connections, on whichever thread reads.
        """
        self._consumer = Consumer(
            {
                **security.rdkafka(bootstrap),
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "error",
                "check.crcs": True,
                "fetch.wait.max.ms": 100,
                **settings,
                **({} if on_error is None else {"error_cb": on_error}),
            }
        )
        CLIENTS.add(self._consumer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; the reader is not used afterwards."""
        CLIENTS.remove(self._consumer)
        self._consumer.close()

    def assign(self, positions: Iterable[TopicPartition]) -> None:
        """Read these partitions, each from its offset on, instead of those before."""
        self._consumer.assign(list(positions))

    def join(
        self,
        topics: Iterable[str],
        assigned: Callable[[list[TopicPartition]], None],
        revoked: Callable[[list[TopicPartition]], None],
    ) -> None:
        """Join the group, which shares the partitions of these topics among its members.

        Within ``read`` the callbacks are given what this one gets, all of it, and what it has to give up.
        Nothing is read before ``assign`` says from where.
        """

        def on_assign(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            consumer.assign([])
            assigned(partitions)

        def on_revoke(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            revoked(partitions)
            consumer.unassign()

        self._consumer.subscribe(list(topics), on_assign=on_assign, on_revoke=on_revoke, on_lost=on_revoke)

    def committed(self, partitions: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
        """Request where the group has come to, with what was noted beside it; an offset below 0: nowhere.

        Raises:
            KafkaException: the broker does not answer, or refuses it.
        """
        found: list[TopicPartition] = self._consumer.committed(partitions, timeout=timeout_s)
        return found

    def at_times(self, partitions: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
        """Request the first offsets at or after times, epoch milliseconds, which stand in place of offsets.

        An offset below 0: there is none.

        Raises:
            KafkaException: the broker does not answer, or refuses it.
        """
        found: list[TopicPartition] = self._consumer.offsets_for_times(partitions, timeout=timeout_s)
        return found

    def commit(self, positions: list[TopicPartition]) -> None:
        """Store where the group goes on, once the broker has it.

        Raises:
            KafkaException: others have the partitions now, or the broker does not answer.
        """
        self._consumer.commit(offsets=positions, asynchronous=False)

    def pause(self, *, paused: bool) -> None:
        """Fetch nothing of all assigned partitions, or again; ``read`` goes on to serve the group."""
        assigned = self._consumer.assignment()
        (self._consumer.pause if paused else self._consumer.resume)(assigned)

    def read(self, limit: int, pause_s: float) -> list[Message]:
        """Return what was fetched, at most ``limit`` messages; if that is nothing, after a pause (seconds).

        ``consume`` with a timeout would wait outside of the client, where a step of the clock cannot wake it.

        Raises:
            KafkaException: the client cannot go on.
        """
        found: list[Message] = self._consumer.consume(limit, timeout=0)
        if not found:
            time.sleep(pause_s)
        return found

    def bounds(self, topic: str, partition: int, timeout_s: float) -> tuple[int, int] | None:
        """Request the first offset of a partition and its end; None: the broker does not answer now.

        Raises:
            KafkaException: the broker failed permanently, or refuses it.
        """
        try:
            first, end = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=timeout_s
            )
        except KafkaException as error:
            if is_transient(error.args[0]):
                return None
            raise
        return int(first), int(end)

    def fetched_end(self, topic: str, partition: int) -> int:
        """The end of a partition as the last fetch response gave it; negative before the first."""
        return int(self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)[1])

    def metadata(self, timeout_s: float, topic: str | None = None) -> ClusterMetadata:
        """Request the metadata of the cluster, of one topic or of all.

        Raises:
            KafkaException: no broker answers.
        """
        if topic is None:
            return self._consumer.list_topics(timeout=timeout_s)
        return self._consumer.list_topics(topic, timeout=timeout_s)
