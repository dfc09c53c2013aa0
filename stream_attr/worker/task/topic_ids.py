"""Topic ids: a topic that is deleted and recreated under the same name has another id (KIP-516).

Offsets of the old topic mean nothing in the new one, which may even be longer by the time of the check. So
the ids are stored with the progress, and checked again while the worker runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from stream_attr.contract.topics import CHANGELOG
from stream_attr.errors import StreamAttrError
from stream_attr.kafka.clients import LOGGED
from stream_attr.kafka.clock_steps import CLIENTS
from stream_attr.kafka.topic_ids import topic_ids
from stream_attr.worker.config import WorkerConfig
from stream_attr.worker.startup.topics_check import GLOBAL_TOPICS, INPUTS

__all__ = ["TopicIds", "TopicRecreatedError"]

_NAMES = (CHANGELOG, *INPUTS, *GLOBAL_TOPICS)
"""Topics whose offsets the worker stores."""
_TIMEOUT_S = 20.0
_RETRY_S = 0.2
_CHECK_EVERY_S = 5.0
_CHECK_TIMEOUT_S = 2.0
"""A worker that stops meanwhile waits for it."""


class TopicRecreatedError(StreamAttrError):
    """A topic was recreated or rewritten; the message names it and the options."""

    @classmethod
    def of(cls, topics: Collection[str], consequence: str) -> TopicRecreatedError:
        """Topics that have another id. ``topics``: their names on the broker."""
        which = f"topic {', '.join(topics)} was" if len(topics) == 1 else f"topics {', '.join(topics)} were"
        return cls(f"{which} deleted and recreated (another topic id): {consequence}")

    @classmethod
    def of_rewritten(cls, topics: Collection[str], consequence: str) -> TopicRecreatedError:
        """Topics with the same id that hold other records at offsets that were judged."""
        return cls(
            f"topic {', '.join(topics)}: another record is at the offset of a judged one, as after a broker "
            f"has lost records (was restored from an older copy): {consequence}"
        )


class TopicIds:
    """The ids of the topics whose offsets a worker stores, requested from its broker."""

    def __init__(self, config: WorkerConfig, names: Collection[str] = _NAMES) -> None:
        """Request the ids; ``names``: without prefix.

        A cluster may need a moment until all its brokers know a new topic.

        Raises:
            KafkaException: the broker does not answer, or does not know a topic for 20 s.
        """
        self._names = {config.topic(name): name for name in names}
        self._admin = AdminClient({**config.security.rdkafka(config.broker), **LOGGED})
        CLIENTS.add(self._admin)
        deadline = time.monotonic() + _TIMEOUT_S
        while True:
            try:
                self.known = self._request(_TIMEOUT_S, missing=False)
            except KafkaException as error:
                unknown = error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
                if not unknown or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(_RETRY_S)

    known: dict[str, str]
    """Id by name, without prefix; empty if the broker has no topic ids."""

    def _request(self, timeout_s: float, *, missing: bool) -> dict[str, str]:
        """``missing``: whether topics that cannot be described are left out."""
        found = topic_ids(self._admin, self._names, timeout_s, missing=missing)
        return {self._names[topic]: topic_id for topic, topic_id in found.items()}

    def recreated(self) -> list[str]:
        """Request the ids again; returns the topics whose id has changed, by their names on the broker.

        A topic that is deleted and not recreated is left out, and so are all while the broker does not
        answer.
        """
        now = self._request(_CHECK_TIMEOUT_S, missing=True)
        return [
            topic
            for topic, name in self._names.items()
            if name in self.known and now.get(name, self.known[name]) != self.known[name]
        ]

    async def watch(self) -> None:
        """Check every five seconds, on a thread, until a topic was recreated.

        Raises:
            TopicRecreatedError: one was.
        """
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            recreated = await asyncio.to_thread(self.recreated)
            if recreated:
                raise TopicRecreatedError.of(
                    recreated,
                    "this worker stops, because offsets of the old one mean nothing in the new one. Start it "
                    "again to see the options; see docs/operations.md#a-recreated-topic",
                )
