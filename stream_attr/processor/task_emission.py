"""Emission of service tasks (RULEBOOK 9): each is opened once and closed once, whoever restarts."""

from __future__ import annotations

from collections.abc import Callable

from stream_attr.codec.records.emission import emission
from stream_attr.codec.records.service_task import encode_task
from stream_attr.contract.topics import TASKS
from stream_attr.processor.ports import Output
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.emitted import EmittedTask
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.service_task import FRESH_MS, REMINDERS, Task, tasks_of
from stream_attr.rules.shop.days import END_OF_TIME
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import FINAL


def emit_tasks(
    buyer: Buyer, order: Order, watermark: int, reason: str, now: Callable[[], int]
) -> list[Output]:
    """Return the tasks of an order that open, close or change hands at a watermark; record them as emitted.

    ``now``: the wall clock; a task that fell due long before is not opened.
    """
    outputs: list[Output] = []
    if order.created_ts is None:
        return outputs
    shop_id = buyer.shop.shop_id
    tasks = list(tasks_of(order, buyer.shop))
    if order.tasks:
        tasks += _without_cause(order, {task.kind for task in tasks}, order.created_ts)
    for task in tasks:
        known = order.tasks.get(task.kind)
        ended_ts = task.ended_ts
        if watermark >= task.ends_at or (ended_ts is not None and ended_ts > task.ends_at):
            ended_ts = task.ends_at if ended_ts is None else min(ended_ts, task.ends_at)
        if known is None:
            due = task.kind not in REMINDERS or watermark >= task.due_ts
            if ended_ts is not None or not due or now() - task.due_ts > FRESH_MS:
                continue
            emitted = EmittedTask(1, True, task.agent_id, task.due_ts)
        elif not known.is_open or (ended_ts is None and _is_emitted(task, known)):
            continue
        else:
            emitted = EmittedTask(known.revision + 1, ended_ts is None, task.agent_id, task.due_ts)
        order.record_task(task.kind, emitted)
        task_id = f"{shop_id}|{order.order_id}|{task.kind}"
        encoded = encode_task(task_id, shop_id, buyer.buyer_id, order.order_id, task, ended_ts)
        outputs.append(
            Output(TASKS, task_id.encode(), emission(encoded, emitted.revision, reason, watermark))
        )
    return outputs


def _without_cause(order: Order, kinds: set[str], created_ts: int) -> list[Task]:
    """Return the open tasks of other kinds: by an event that came later they never had a cause."""
    return [
        Task(kind, due_ts, known.agent_id, due_ts, END_OF_TIME)
        for kind, known in order.tasks.items()
        if known.is_open and kind not in kinds
        for due_ts in [created_ts if known.due_ts is None else known.due_ts]
    ]


def _is_emitted(task: Task, known: EmittedTask) -> bool:
    """Whether an open task is what was emitted last."""
    return task.agent_id == known.agent_id and known.due_ts in (task.due_ts, None)


def may_open_or_close_tasks(order: Order) -> bool:
    """Whether time alone may do so; once the decision is final no task opens, whatever settings come."""
    emitted = order.emitted.get(OFFICIAL)
    if emitted is None:
        return False
    return emitted.verdict.status != FINAL or any(task.is_open for task in order.tasks.values())
