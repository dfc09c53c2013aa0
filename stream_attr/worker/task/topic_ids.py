"""Ids of topics: a topic that is deleted and made anew under its old name has another one (KIP-516).

Offsets that were counted on the old one mean nothing on the new one, which may be longer by the time that
somebody looks. So the ids are kept with the progress, and looked at again while the worker runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from stream_attr.contract.topics import CHANGELOG
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.clients import CLIENTS
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.ops.logs import client_logging
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS, INPUTS

__all__ = ["TopicIds", "TopicRecreatedError"]

_NAMES = (CHANGELOG, *INPUTS, *GLOBAL_TOPICS)
"""What the worker counts offsets on; of outputs nothing is remembered."""
_TIMEOUT_S = 20.0
_LOOK_AGAIN_S = 0.2
_LOOK_EVERY_S = 5.0
_LOOK_TIMEOUT_S = 2.0
"""A worker that stops meanwhile waits for it."""
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""What a broker says that knows no topic ids (Apache Kafka before 2.8)."""


class TopicRecreatedError(StreamAttrError):
    """A topic is another one under the same name; the message says which, and what can be done."""

    @classmethod
    def of(cls, topics: Collection[str], consequence: str) -> TopicRecreatedError:
        """``topics``: as they are named on the broker."""
        which = f"topic {', '.join(topics)} was" if len(topics) == 1 else f"topics {', '.join(topics)} were"
        return cls(f"{which} deleted and made anew (another topic id): {consequence}")

    @classmethod
    def of_rewritten(cls, topics: Collection[str], consequence: str) -> TopicRecreatedError:
        """The same of topics that hold other records at offsets that were judged."""
        return cls(
            f"topic {', '.join(topics)}: another record lies where one was judged, as after a broker has "
            f"lost records (was restored from an older copy): {consequence}"
        )


class TopicIds:
    """The ids of the topics that a worker counts offsets on, asked of its broker."""

    def __init__(self, config: WorkerConfig, names: Collection[str] = _NAMES) -> None:
        """Ask for the ids; ``names``: without prefix.

        A broker of several may not have heard yet of a topic that has just been made.

        Raises:
            KafkaException: the broker does not answer, or knows no such topic for 20 s.
        """
        self._names = {config.topic(name): name for name in names}
        self._admin = AdminClient({**config.security.rdkafka(config.broker), **client_logging()})
        CLIENTS.add(self._admin)
        deadline = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                self.known = self._ask(_TIMEOUT_S, missing=False)
            except KafkaException as error:
                unheard_of = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
                if not unheard_of or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(_LOOK_AGAIN_S)

    known: dict[str, str]
    """By name, without prefix; of a broker that knows no ids there are none."""

    def _ask(self, timeout_s: float, *, missing: bool) -> dict[str, str]:
        """``missing``: whether a topic that cannot be asked for is left out."""
        described = self._admin.describe_topics(TopicCollection(list(self._names)), request_timeout=timeout_s)
        found = {}
        for topic, name in self._names.items():
            try:
                topic_id = str(described[topic].result().topic_id)
            except KafkaException:
                if not missing:
                    raise
            else:
                if topic_id != _NO_ID:
                    found[name] = topic_id
        return found

    def recreated(self) -> list[str]:
        """Ask again; return the topics that are others now, as they are named on the broker.

        One that is deleted and not made again is none of them, nor is any while the broker does not answer.
        """
        now = self._ask(_LOOK_TIMEOUT_S, missing=True)
        return [
            topic
            for topic, name in self._names.items()
            if name in self.known and now.get(name, self.known[name]) != self.known[name]
        ]

    async def watch(self) -> None:
        """Look every five seconds, away from the event loop, until a topic is another one.

        Raises:
            TopicRecreatedError: it is.
        """
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            recreated = await asyncio.to_thread(self.recreated)
            if recreated:
                raise TopicRecreatedError.of(
                    recreated,
                    "this worker stops, as offsets of the old one mean nothing there. Started again it says "
                    "what can be done; see docs/operations.md#a-topic-made-anew",
                )
