"""``stream_attr/contract/topics.py``, the names of the topics for the code, from ``schemas/topics``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stream_attr.contract.registry import TopicDefinition, topic_definitions

_SHORT: Final = {
    "chat-events": "CHAT",
    "order-events": "ORDERS",
    "agent-roster": "ROSTER",
    "shop-settings": "SETTINGS",
    "attribution-decisions": "DECISIONS",
    "attribution-comparisons": "COMPARISONS",
    "inquiry-outcomes": "INQUIRIES",
    "reception-facts": "FACTS",
    "service-tasks": "TASKS",
    "buyer-state-changelog": "CHANGELOG",
    "agent-day-closings": "CLOSINGS",
}
"""The constants whose names are not the topics'."""

_HEAD: Final = '''\
"""The topics of the public contract by name, without prefix.

Generated from ``schemas/topics`` by ``make generate``.
"""

from __future__ import annotations

from typing import Final

'''


def files() -> Iterator[tuple[str, str]]:
    """Yield the module's path and text."""
    topics = topic_definitions().values()
    text = _HEAD
    for one in topics:
        text += f'{constant(one.name)}: Final = "{one.name}"\n'
    for name, about, members in (
        ("INPUTS", "What the worker reads.", [one for one in topics if one.direction == "input"]),
        ("OUTPUTS", "What the worker writes.", [one for one in topics if one.direction == "output"]),
    ):
        text += f'\n{name}: Final = (\n{_lines(members)})\n"""{about}"""\n'
    for name, about, members in (
        (
            "INTERNAL",
            "What partitions send to each other: outputs that are inputs again.",
            [one for one in topics if one.direction == "internal"],
        ),
        ("REPORTS", "The outputs that ``--decisions-only`` leaves out.", [t for t in topics if t.optional]),
    ):
        text += f'\n{name}: Final = frozenset(\n    {{\n{_lines(members, 8)}    }}\n)\n"""{about}"""\n'
    yield "stream_attr/contract/topics.py", text


def constant(topic: str) -> str:
    """Return the name of a topic's constant."""
    return _SHORT.get(topic, topic.upper().replace("-", "_"))


def _lines(topics: list[TopicDefinition], indent: int = 4) -> str:
    return "".join(f"{' ' * indent}{constant(one.name)},\n" for one in topics)
