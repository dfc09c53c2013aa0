"""The public contract as files: ``schemas/`` of a checkout, ``stream_attr/_schemas`` when installed."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

__all__ = ["TopicDefinition", "record_schema", "schemas", "topic_definitions"]


@dataclass(frozen=True, slots=True)
class TopicDefinition:
    """What ``schemas/topics/<name>.json`` says of a topic."""

    name: str
    """Without the prefix that an installation may put before it."""
    description: str
    partitions: int | None
    """None: as many as the topics keyed by buyer have (``--partitions``)."""
    key: str | None
    """What the record key is made of; None: records have no key."""
    record: str | None
    """Name of the record schema; None: bytes that are nobody's business but the worker's."""
    config: dict[str, str]
    """Broker-side topic settings, by their Kafka names."""


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
    """Every topic of the product, by its name without prefix."""
    found = {}
    for file in sorted((schemas() / "topics").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".json"):
            continue
        said = json.loads(file.read_text(encoding="utf-8"))
        partitions = None if said["partitions"] == "keyed" else said["partitions"]
        found[said["name"]] = TopicDefinition(
            said["name"], said["description"], partitions, said["key"], said["record"], said["config"]
        )
    return found


def record_schema(record: str) -> dict[str, Any]:
    """The JSON Schema of a record type, such as ``chat-event``."""
    schema: dict[str, Any] = json.loads((schemas() / f"{record}.schema.json").read_text(encoding="utf-8"))
    return schema
