"""The topics ``raw.<platform>``: what platforms sent, as it came; and what of it was not understood.

Not among ``schemas/topics``: a worker knows none of them, and an installation has those of its platforms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stream_attr.contract.registry import TopicDefinition

__all__ = ["RAW_DEAD_LETTERS", "raw_topic", "raw_topic_definitions"]

RAW_DEAD_LETTERS: Final = "raw-dead-letters"
_CONFIG: Final = {"cleanup.policy": "delete", "retention.ms": "7776000000", "retention.bytes": "-1"}
"""90 days, as long as the events that are made of them."""


def raw_topic(platform: str) -> str:
    """Return the topic of what a platform sends, without prefix."""
    return f"raw.{platform}"


def raw_topic_definitions(platforms: Iterable[str]) -> dict[str, TopicDefinition]:
    """Return the topics for these platforms, by name without prefix; none for no platform."""
    raw = [
        TopicDefinition(
            raw_topic(platform),
            f"What {platform} sent, byte for byte.",
            "input",
            None,
            "connection",
            None,
            _CONFIG,
        )
        for platform in platforms
    ]
    letters = TopicDefinition(
        RAW_DEAD_LETTERS,
        "Parts of what platforms sent that gave no event and should have.",
        "output",
        None,
        "connection",
        None,
        _CONFIG,
    )
    return {one.name: one for one in [*raw, letters]} if raw else {}
