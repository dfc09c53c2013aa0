"""What an error of librdkafka means: the end of a partition, a fault that passes, or one that does not."""

from __future__ import annotations

from enum import Enum, auto

from confluent_kafka import KafkaError

__all__ = ["ErrorKind", "is_transient", "kind_of"]


class ErrorKind(Enum):
    """What a consumer's error says, in the order in which the kinds are checked."""

    END_OF_PARTITION = auto()
    """All records up to the end have been read."""
    NO_SUCH_OFFSET = auto()
    """The offset to be read does not exist (``auto.offset.reset`` ``error``)."""
    UNREADABLE = auto()
    """A batch is damaged, or compressed with an unknown codec. The client may go on behind it: seek back."""
    TRANSIENT = auto()
    """The broker is away, or not completely back yet."""
    FATAL = auto()
    """The broker failed permanently, or refuses the request."""


_BY_CODE = {
    KafkaError._PARTITION_EOF: ErrorKind.END_OF_PARTITION,
    KafkaError._AUTO_OFFSET_RESET: ErrorKind.NO_SUCH_OFFSET,
    KafkaError._BAD_COMPRESSION: ErrorKind.UNREADABLE,
    KafkaError._BAD_MSG: ErrorKind.UNREADABLE,
    KafkaError._NOT_IMPLEMENTED: ErrorKind.UNREADABLE,
}

_TRANSIENT = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._BAD_MSG,
        KafkaError._DESTROY_BROKER,
        KafkaError._IN_PROGRESS,
        KafkaError._MSG_TIMED_OUT,
        KafkaError._NODE_UPDATE,
        KafkaError._PREV_IN_PROGRESS,
        KafkaError._RESOLVE,
        KafkaError._RETRY,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._TRANSPORT,
        KafkaError._UNKNOWN_BROKER,
        KafkaError._WAIT_CACHE,
        KafkaError._WAIT_COORD,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)


def is_transient(error: KafkaError) -> bool:
    """Whether an error only says that the broker is away, or not completely back yet.

    ``retriable`` alone does not tell: outside of transactions the client leaves it unset.
    """
    return error.retriable() or error.code() in _TRANSIENT


def kind_of(error: KafkaError) -> ErrorKind:
    """Classify an error that a consumer returned in place of a record."""
    kind = _BY_CODE.get(error.code())
    if kind is not None:
        return kind
    return ErrorKind.TRANSIENT if is_transient(error) else ErrorKind.FATAL
