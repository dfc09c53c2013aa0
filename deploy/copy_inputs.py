"""Copies what was sent to one installation to another one, which may have another number of partitions.

    python deploy/copy_inputs.py --broker HOST:PORT,… --from OLD_PREFIX --to NEW_PREFIX [--follow]

Settings and roster first, then chat, orders and rulings, merged by their ts as they were sent; keys, values
and Kafka timestamps stay as they are, partitions follow from the keys. With --follow it goes on with the
events that come in, until Ctrl-C. Run with the Python that stream_attr is installed for; when, and what
before and after it, is in docs/operations.md, "Adding partitions". To do it again is safe: repeated events
count once, and settings and roster are copied only to topics that have none.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from stream_attr.cli.terminal import filter_streams
from stream_attr.codec.records.tick import peek_ts
from stream_attr.codec.visible import visible
from stream_attr.contract.topics import CHAT, ORDERS, ROSTER, RULINGS, SETTINGS
from stream_attr.kafka.address import checked_bootstrap, checked_prefix, topics_command
from stream_attr.kafka.admin import partition_counts
from stream_attr.kafka.client_errors import is_transient
from stream_attr.kafka.connection import BrokerUnreachable, reason_of

EVENTS = (CHAT, ORDERS, RULINGS)
GLOBAL_TOPICS = (SETTINGS, ROSTER)
STAMPED_BY = "message.timestamp.type"
PATIENCE_S = 30.0
LOGS_FOLLOW_S = 1.0
TOLD_EVERY = 100_000


class CopyError(Exception):
    """It cannot be done; the message says why and what helps."""


class Copy:
    """From one prefix to another on one broker."""

    def __init__(self, broker: str, old: str, new: str) -> None:
        if old == new:
            raise CopyError("--from and --to are the same")
        self._broker = broker
        self._old, self._new = old, new
        self._counts = partition_counts(
            broker, [p + t for p in (old, new) for t in (*EVENTS, *GLOBAL_TOPICS)]
        )
        for prefix in (old, new):
            missing = [prefix + t for t in (*EVENTS, *GLOBAL_TOPICS) if prefix + t not in self._counts]
            if missing:
                raise CopyError(
                    f"no topic {', '.join(missing)} on {broker}; create them with: "
                    f"{topics_command(broker, prefix)}"
                )
        self._failure: KafkaError | None = None
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "enable.idempotence": True,
                "partitioner": "murmur2",
                "linger.ms": 20,
                "delivery.report.only.error": True,
                "on_delivery": self._on_delivery,
                "log_level": 2,
            }
        )
        self._next: dict[tuple[str, int], int] = {}
        """Where the old events that were copied end, by topic and partition."""
        self.copied: Counter[str] = Counter()

    def knowledge(self) -> list[str]:
        """Copy settings and roster, as of when they were sent; returns the topics that have some already.

        A broker that stamped them now would make every change but a shop's first one too late to hold.
        """
        left = [topic for topic in GLOBAL_TOPICS if any(_ends(self._broker, self._new + topic, 1))]
        for topic in GLOBAL_TOPICS:
            if topic in left:
                continue
            stamp(self._broker, self._new + topic, "CreateTime")
            try:
                for message in self._until_end(topic, 0):
                    self._send(topic, message)
                self._flush()
            finally:
                stamp(self._broker, self._new + topic, "LogAppendTime")
        return left

    def events(self) -> None:
        """Copy chat, orders and rulings up to the ends that their topics have now."""
        sources = [
            self._until_end(topic, number)
            for topic in EVENTS
            for number in range(self._counts[self._old + topic])
        ]
        for message in heapq.merge(*sources, key=lambda one: peek_ts(one.value()) or -1):
            self._send(str(message.topic()).removeprefix(self._old), message)
        self._flush()

    def follow(self) -> None:
        """Go on with what comes in, for ever."""
        with _consumer(self._broker) as consumer:
            consumer.assign([TopicPartition(*place, offset) for place, offset in self._next.items()])
            while True:
                for message in consumer.consume(1_000, timeout=0.2):
                    if message.error() is None:
                        self._send(str(message.topic()).removeprefix(self._old), message)
                self._producer.poll(0)
                self._check()

    def _until_end(self, topic: str, number: int) -> Iterator[Message]:
        name = self._old + topic
        end = _ends(self._broker, name, number + 1)[number]
        self._next[name, number] = end
        if not end:
            return
        with _consumer(self._broker) as consumer:
            consumer.assign([TopicPartition(name, number, 0)])
            last_message_s = time.monotonic()
            while True:
                for message in consumer.consume(1_000, timeout=0.2):
                    last_message_s = time.monotonic()
                    if message.error() is None:
                        if message.offset() >= end:
                            return
                        yield message
                    if message.error() is not None or message.offset() + 1 >= end:
                        if (error := message.error()) and error.code() != KafkaError._PARTITION_EOF:
                            raise CopyError(f"{name} cannot be read: {error.str()}")
                        return
                if time.monotonic() - last_message_s > PATIENCE_S:
                    raise CopyError(f"{name}, partition {number}: nothing comes any more before offset {end}")

    def _send(self, topic: str, message: Message) -> None:
        while True:
            try:
                self._producer.produce(
                    self._new + topic, message.value(), message.key(), timestamp=message.timestamp()[1]
                )
            except BufferError:
                self._producer.poll(0.1)
                self._check()
            else:
                break
        self.copied[topic] += 1
        if self.copied.total() % TOLD_EVERY == 0:
            self._producer.poll(0)
            self._check()
            print(f"copied {self.copied.total():,} records", file=sys.stderr)

    def _flush(self) -> None:
        while self._producer.flush(0.5):
            self._check()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise CopyError(f"the broker did not take all records: {self._failure.str()}")

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        self._failure = self._failure or error


def stamp(broker: str, topic: str, by: str) -> None:
    """Say who stamps the records of a topic: the sender (``CreateTime``), the broker (``LogAppendTime``).

    Returns when it is so: brokers hear of it from the controller, and their logs follow a moment later.
    """
    entry = ConfigEntry(STAMPED_BY, by, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(PATIENCE_S)
    begun = time.monotonic()
    while _stamped_by(admin, topic) != by:
        if time.monotonic() - begun > PATIENCE_S:
            raise CopyError(f"{topic}: the broker does not take {STAMPED_BY}={by}")
        time.sleep(0.1)
    time.sleep(LOGS_FOLLOW_S)


def _stamped_by(admin: AdminClient, topic: str) -> str | None:
    [future] = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    entry = future.result(PATIENCE_S).get(STAMPED_BY)
    return None if entry is None else entry.value


@contextlib.contextmanager
def _consumer(broker: str) -> Iterator[Consumer]:
    consumer = Consumer(
        {
            "bootstrap.servers": broker,
            "group.id": "stream-attr-copy",  # demanded by the client; nobody joins or commits
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",  # where retention has deleted the first records meanwhile
            "queued.max.messages.kbytes": 2_048,
            "log_level": 0,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _ends(broker: str, topic: str, partitions: int) -> list[int]:
    """The ends of a topic's first partitions; 0 for one that holds nothing."""
    with _consumer(broker) as consumer:
        marks = [_marks(consumer, TopicPartition(topic, number)) for number in range(partitions)]
    return [high if high > low else 0 for low, high in marks]


def _marks(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Where a partition begins and ends; its leader may not know yet that it is."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=PATIENCE_S)
        except KafkaException as error:
            if not is_transient(error.args[0]) or time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return low, high


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--broker", required=True, type=checked_bootstrap, metavar="HOST:PORT,…")
    parser.add_argument("--from", dest="old", required=True, type=checked_prefix, metavar="PREFIX")
    parser.add_argument("--to", dest="new", required=True, type=checked_prefix, metavar="PREFIX")
    parser.add_argument("--follow", action="store_true", help="go on with the events that come in")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        copy = Copy(options.broker, options.old, options.new)
        for topic in copy.knowledge():
            print(f"{options.new}{topic} has records already: left as it is", file=sys.stderr)
        copy.events()
        print("copied " + ", ".join(f"{count:,} to {topic}" for topic, count in copy.copied.items()))
        if options.follow:
            print("following what comes in; Ctrl-C or SIGTERM ends it", flush=True)
            copy.follow()
    except (BrokerUnreachable, CopyError) as error:
        print(f"copy_inputs: {visible(str(error))}", file=sys.stderr)
        return 2
    except KafkaException as error:
        print(f"copy_inputs: {visible(reason_of(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("copied " + ", ".join(f"{count:,} to {topic}" for topic, count in copy.copied.items()))
    return 0


if __name__ == "__main__":
    filter_streams()
    sys.exit(main())
