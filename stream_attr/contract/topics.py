"""The topics of the public contract by name, unprefixed; ``schemas/topics`` says how each is kept."""

from __future__ import annotations

from typing import Final

CHAT: Final = "chat-events"


ORDERS: Final = "order-events"


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


REPORTS: Final = frozenset({FACTS, INQUIRIES, AGENT_DAILY})
"""What ``--decisions-only`` leaves out."""


INTERNAL: Final = frozenset({BUYER_DAYS, CLOSINGS})
"""Topics that partitions tell each other by: outputs that are inputs again."""
