"""The tables that the sink fills, column by column as a row has its values, and the topics they come from."""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_attr.contract.topics import (
    AGENT_DAILY,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    FACTS,
    INQUIRIES,
    ROSTER,
    RULINGS,
    SETTINGS,
    TASKS,
)

__all__ = [
    "FILLED",
    "INPUT_PARTITION",
    "OFFSETS",
    "REFUND",
    "REVISION",
    "ROLL_UP",
    "TOPICS",
    "UNSTORED",
    "Table",
]


class Table(NamedTuple):
    """A table that the sink fills from topics."""

    name: str
    columns: tuple[str, ...]
    """All of them, in the order of a row's values."""
    key: tuple[str, ...]
    guard: tuple[str, ...]
    """Columns: a row with smaller values in them is replaced. None of them: the first row of a key stays."""


_SOURCE: Final = ("source_partition", "source_offset")
_REVISED: Final = ("revision", "source_offset")


EMISSION: Final = ("revision", "reason", "watermark")

DECISION_HEAD: Final = (
    "shop_id", "order_id", "profile", "revision", "buyer_id", "preset", "settings_from", "status", "reason",
    "outcome", "silence",
)  # fmt: skip
DECISION_SUMS: Final = (
    "amount", "quantity", "currency", "refund_requested", "refund_completed", "created_ts", "deposit_ts",
    "paid_ts", "cancelled_ts",
)  # fmt: skip
_DECISION: Final = Table(
    "decision",
    (
        *DECISION_HEAD, "placing_agent_id", "payment_agent_id", "agent_id", "basis", *DECISION_SUMS,
        "notices", "product_ids", "final_at", "watermark", "known_ts", *_SOURCE, "record",
    ),
    ("shop_id", "order_id", "profile"),
    _REVISED,
)  # fmt: skip
REFUND: Final = Table(
    "refund",
    (
        "shop_id",
        "order_id",
        "number",
        "refund_id",
        "ts",
        "amount",
        "completed",
        "currency",
        "agent_id",
        "outcome",
    ),
    ("shop_id", "order_id", "number"),
    (),
)
INQUIRY_HEAD: Final = (
    "shop_id", "buyer_id", "agent_id", "day", "revision", "status", "reason", "kind", "outcome", "exempt",
)  # fmt: skip
_INQUIRY: Final = Table(
    "inquiry",
    (*INQUIRY_HEAD, "order_ids", "final_at", "watermark", *_SOURCE),
    ("shop_id", "buyer_id", "agent_id", "day"),
    _REVISED,
)
RECEPTION_HEAD: Final = (
    "shop_id", "buyer_id", "agent_id", "day", "revision", "status", "reason", "first_ts", "last_ts",
    "initiator", "buyer_messages", "agent_messages", "agent_characters", "rounds", "replied",
    "first_response_ms", "response_ms_sum", "response_count", "slow", "duration_ms",
    "effective_conversation", "product_page", "transferred", "handed_over", "rating",
)  # fmt: skip
_RECEPTION: Final = Table(
    "reception",
    (*RECEPTION_HEAD, "presence", "filtered", "role", "final_at", "watermark", *_SOURCE),
    ("shop_id", "buyer_id", "agent_id", "day"),
    _REVISED,
)
AGENT_DAY_HEAD: Final = ("shop_id", "agent_id", "day", "revision", "status", "reason", "watermark")
_AGENT_DAY: Final = Table(
    "agent_day", (*AGENT_DAY_HEAD, *_SOURCE, "record"), ("shop_id", "agent_id", "day"), _REVISED
)
TASK_HEAD: Final = (
    "shop_id", "order_id", "kind", "revision", "buyer_id", "agent_id", "status", "reason", "due_ts",
    "closed_ts", "watermark",
)  # fmt: skip
_TASK: Final = Table("service_task", (*TASK_HEAD, *_SOURCE), ("shop_id", "order_id", "kind"), _REVISED)
_SETTINGS: Final = Table(
    "shop_settings", ("shop_id", *_SOURCE, "effective_from", "record"), ("shop_id", *_SOURCE), ()
)
_ROSTER: Final = Table(
    "roster",
    ("shop_id", "agent_id", *_SOURCE, "effective_from", "role", "name", "agent_group", "person_id"),
    ("shop_id", "agent_id", *_SOURCE),
    (),
)
_RULING: Final = Table(
    "ruling",
    ("shop_id", "event_id", "buyer_id", "order_id", "ts", "type", "agent_id", "ruled_by", *_SOURCE),
    ("shop_id", "event_id"),
    (),
)
_DEAD_LETTER: Final = Table(
    "dead_letter",
    (*_SOURCE, "known_ts", "code", "field", "topic", "message", "place", "shop_id", "order_id"),
    _SOURCE,
    (),
)
UNSTORED: Final = Table(
    "unstored", ("topic", *_SOURCE, "known_ts", "why", "record_key", "value"), ("topic", *_SOURCE), ()
)
REVISION: Final = Table(
    "decision_revision", _DECISION.columns, (*_DECISION.key, "revision"), ("source_offset",)
)

TOPICS: Final = {
    DECISIONS: _DECISION,
    COMPARISONS: _DECISION,
    INQUIRIES: _INQUIRY,
    FACTS: _RECEPTION,
    AGENT_DAILY: _AGENT_DAY,
    TASKS: _TASK,
    SETTINGS: _SETTINGS,
    ROSTER: _ROSTER,
    RULINGS: _RULING,
    DEAD_LETTERS: _DEAD_LETTER,
}
"""The topics that the sink reads, and the table of each."""
OFFSETS: Final = "sink_offset"
INPUT_PARTITION: Final = "input_partition"
ROLL_UP: Final = "day_roll_up"
"""Made of what the sink fills; see `stream_attr.ledger.roll_up`."""
FILLED: Final = (
    *sorted({table.name for table in TOPICS.values()}),
    REVISION.name,
    REFUND.name,
    UNSTORED.name,
    OFFSETS,
    INPUT_PARTITION,
)
"""All tables that the sink alone writes."""
