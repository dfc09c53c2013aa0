"""The public contract as files: ``schemas/`` of a checkout, ``stream_attr/_schemas`` when installed."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

__all__ = ["TopicDefinition", "record_schema", "schemas", "topic_definitions", "topic_of_record"]


@dataclass(frozen=True, slots=True)
class TopicDefinition:
    """What ``schemas/topics/<name>.json`` says of a topic."""

    name: str
    """Without the prefix that an installation may put before it."""
    description: str
    direction: Literal["input", "output", "internal", "state"]
    """``internal``: an output of partitions that is an input of others; ``state``: the worker's changelog."""
    partitions: int | None
    """None: as many as the topics keyed by buyer have (``--partitions``)."""
    key: str | None
    """What the record key is made of; None: records have no key."""
    record: str | None
    """Name of the record schema; None: bytes that are nobody's business but the worker's."""
    config: dict[str, str]
    """Broker-side topic settings, by their Kafka names."""
    optional: bool = False
    """Whether ``--decisions-only`` leaves it out."""

    @property
    def compacted(self) -> bool:
        """Whether the broker keeps the last record per key."""
        return self.config["cleanup.policy"] == "compact"


def schemas() -> Traversable:
    """The folder of the contract.

    Raises:
        FileNotFoundError: neither an installed wheel nor a checkout has it (a broken installation).
    """
    package = files("stream_attr")
    installed = package / "_schemas"
    if installed.is_dir():
        return installed
    checkout = Path(str(package)).parent / "schemas"
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(f"the schemas of stream_attr are missing: looked for {installed} and {checkout}")


@functools.cache
def topic_definitions() -> dict[str, TopicDefinition]:
    """Every topic of the product, by its name without prefix: inputs, outputs, then the worker's own."""
    found: list[dict[str, Any]] = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in (schemas() / "topics").iterdir()
        if file.name.endswith(".json")
    ]
    return {
        one["name"]: TopicDefinition(
            one["name"],
            one["description"],
            one["direction"],
            None if one["partitions"] == "keyed" else one["partitions"],
            one["key"],
            one["record"],
            one["config"],
            one.get("optional", False),
        )
        for one in sorted(found, key=lambda one: (one["position"], one["name"]))
    }


def topic_of_record(record: str) -> TopicDefinition:
    """The topic whose records are of a type, such as ``chat-event``."""
    return next(topic for topic in topic_definitions().values() if topic.record == record)


def record_schema(record: str) -> dict[str, Any]:
    """The JSON Schema of a record type, such as ``chat-event``."""
    schema: dict[str, Any] = json.loads((schemas() / f"{record}.schema.json").read_text(encoding="utf-8"))
    return schema
