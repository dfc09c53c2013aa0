"""Service tasks as JSON bytes (RULEBOOK 9)."""

from __future__ import annotations

from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records.service_task import ServiceTask
from stream_attr.rules.reports.service_task import Task


def encode_task(
    task_id: str, shop_id: str, buyer_id: str, order_id: str, task: Task, ended_ts: int | None
) -> bytes:
    """Return the content of a service task; ``ended_ts``: when its cause ended, None while it has not."""
    return encode_json(
        ServiceTask(
            task_id,
            shop_id,
            order_id,
            buyer_id,
            task.kind,
            task.agent_id,
            "open" if ended_ts is None else "closed",
            task.due_ts,
            ended_ts,
        )
    )
