"""A ledger of agents' days that are made up, for figures that can be checked by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from stream_attr.ledger.database.connect import Database

SHOP = "jd:1"
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000


def start_of(day: str) -> int:
    """The first instant of a day in Shanghai."""
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * DAY_MS - SHANGHAI_MS


def fill(
    database: Database,
    days: Mapping[tuple[str, str], Mapping[str, int]],
    *,
    agents: Mapping[str, str],
    watermark: int,
) -> None:
    """``days``: by agent and day its figures by key; ``agents``: their names by id."""
    with database.connection() as connection:
        for number, (agent, name) in enumerate(agents.items()):
            connection.execute(
                "INSERT INTO roster VALUES (%s, %s, 0, %s, '2026-01-01', 'presale', %s, NULL, NULL)",
                (SHOP, agent, number, name),
            )
        for (agent, day), figures in days.items():
            record: dict[str, dict[str, int]] = {}
            for key, number in figures.items():
                group, name = key.split(".")
                record.setdefault(group, {})[name] = number
            connection.execute(
                "INSERT INTO agent_day VALUES (%s, %s, %s, 1, 'final', 'timer', %s, 0, 0, %s)",
                (SHOP, agent, day, watermark, json.dumps(record)),
            )
        connection.execute(
            "INSERT INTO sink_offset VALUES ('agent-daily', 0, 1, NULL, %s, %s)", (watermark, watermark)
        )
