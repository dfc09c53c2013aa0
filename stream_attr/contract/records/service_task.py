"""A record of ``service-tasks`` (RULEBOOK 9), but for its revision."""

from __future__ import annotations

from msgspec import Struct


class ServiceTask(Struct, gc=False):
    """A record of ``service-tasks``."""

    task_id: str
    shop_id: str
    order_id: str
    buyer_id: str
    kind: str
    agent_id: str | None
    status: str
    due_ts: int
    closed_ts: int | None
