"""The topics of the public contract by name, without prefix.

Generated from ``schemas/topics`` by ``make generate``.
"""

from __future__ import annotations

from typing import Final

CHAT: Final = "chat-events"
ORDERS: Final = "order-events"
RULINGS: Final = "rulings"
TICKS: Final = "ticks"
ROSTER: Final = "agent-roster"
SETTINGS: Final = "shop-settings"
DECISIONS: Final = "attribution-decisions"
COMPARISONS: Final = "attribution-comparisons"
INQUIRIES: Final = "inquiry-outcomes"
FACTS: Final = "reception-facts"
AGENT_DAILY: Final = "agent-daily"
TASKS: Final = "service-tasks"
DEAD_LETTERS: Final = "dead-letters"
CHANGELOG: Final = "buyer-state-changelog"
BUYER_DAYS: Final = "buyer-days"
CLOSINGS: Final = "agent-day-closings"

INPUTS: Final = (
    CHAT,
    ORDERS,
    RULINGS,
    TICKS,
    ROSTER,
    SETTINGS,
)
"""What the worker reads."""

OUTPUTS: Final = (
    DECISIONS,
    COMPARISONS,
    INQUIRIES,
    FACTS,
    AGENT_DAILY,
    TASKS,
    DEAD_LETTERS,
)
"""What the worker writes."""

INTERNAL: Final = frozenset(
    {
        BUYER_DAYS,
        CLOSINGS,
    }
)
"""What partitions send to each other: outputs that are inputs again."""

REPORTS: Final = frozenset(
    {
        INQUIRIES,
        FACTS,
        AGENT_DAILY,
    }
)
"""The outputs that ``--decisions-only`` leaves out."""
