"""The partitions of a raw topic that one of several adapts: where each goes on, and how far it has come.

How far is committed to the group, with the time of the last payload: of a shared inbox, what came in the day
before it is read again for what still waits for an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from stream_attr.adapters.shared_inbox import PATIENCE_MS
from stream_attr.gateway.adaptation import Adaptation
from stream_attr.kafka.client_errors import ErrorKind, kind_of
from stream_attr.kafka.clients import Reader

__all__ = ["REQUEST_S", "Share", "Shares"]

REQUEST_S: Final = 10.0
_GROUP_MOVED: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._STATE,
    }
)


class Share:
    """What is known of a partition that is read."""

    def __init__(self, adaptation: Adaptation, begin: int, committed: int) -> None:
        self.adaptation = adaptation
        self.committed = committed
        """Records before it were adapted before; they are read again for what waits for an answer."""
        self.next = begin
        """What comes next; below 0: it is not known yet."""
        self.received_ms = 0


class Shares:
    """The partitions that the group gave to this one."""

    def __init__(
        self, topic: str, adaptation: Callable[[], Adaptation], *, rereads: bool, since_ms: int | None
    ) -> None:
        """``rereads``: whether messages wait for answers. ``since_ms``: begin with what came then, once."""
        self._topic, self._adaptation = topic, adaptation
        self._rereads, self._since_ms = rereads, since_ms
        self._rewound: set[int] = set()
        self.waiting: list[int] | None = None
        """Partitions that the group gave and that are not read yet."""
        self.read: dict[int, Share] = {}

    def forget(self, given: Iterable[TopicPartition] | None) -> None:
        """Take over what the group gives instead of what was read; None: nothing."""
        self.read = {}
        self.waiting = None if given is None else [one.partition for one in given]

    def begin(self, reader: Reader) -> None:
        """Read the partitions that wait from where the group has come to.

        Raises:
            KafkaException: the broker does not say where that is.
        """
        begins = self._begins(reader, self.waiting or [])
        self.read = {one.partition: Share(self._adaptation(), one.offset, done) for one, done in begins}
        self.waiting = None
        reader.assign(one for one, _ in begins)

    def commit(self, reader: Reader) -> KafkaException | None:
        """Commit how far each has come; what stood in the way, if it is to be tried again.

        Raises:
            KafkaException: the broker refuses.
        """
        positions = [
            TopicPartition(self._topic, number, one.next, str(one.received_ms))
            for number, one in self.read.items()
            if one.next > one.committed
        ]
        if not positions:
            return None
        try:
            reader.commit(positions)
        except KafkaException as error:
            if error.args[0].code() in _GROUP_MOVED or kind_of(error.args[0]) is ErrorKind.TRANSIENT:
                return error
            raise
        for one in positions:
            self.read[one.partition].committed = one.offset
        return None

    def _begins(self, reader: Reader, numbers: list[int]) -> list[tuple[TopicPartition, int]]:
        """Return from where to read each partition, and up to where it was adapted before."""
        found = []
        asked = [TopicPartition(self._topic, number) for number in numbers]
        for one in reader.committed(asked, REQUEST_S) if asked else []:
            committed, begin = max(one.offset, 0), one.offset if one.offset >= 0 else OFFSET_BEGINNING
            if self._since_ms is not None and one.partition not in self._rewound:
                self._rewound.add(one.partition)
                committed, begin = 0, self._at(reader, one.partition, self._since_ms)
            elif self._rereads and committed:
                begin = OFFSET_BEGINNING  # the embedded broker keeps no note beside an offset
                if (one.metadata or "").isdecimal():
                    earlier = self._at(reader, one.partition, int(one.metadata) - PATIENCE_MS)
                    begin = min(committed, earlier) if earlier >= 0 else committed
            found.append((TopicPartition(self._topic, one.partition, begin), committed))
        return found

    def _at(self, reader: Reader, number: int, ts: int) -> int:
        [found] = reader.at_times([TopicPartition(self._topic, number, max(ts, 0))], REQUEST_S)
        return int(found.offset)
