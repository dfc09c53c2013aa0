"""A record of ``service-tasks`` (RULEBOOK 9), but for its revision."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Struct

from stream_attr.contract.records.fields import AgentId, BuyerId, OrderId, ShopId, field, instant, word
from stream_attr.contract.schema import RecordSchema, of_type, when
from stream_attr.rules.vocabulary import TASK_KINDS, TASK_REASONS, TASK_STATUSES

REVISION_REASON_OF_TASK: Final = word(TASK_REASONS, "What brought this revision about.")


class ServiceTask(Struct, gc=False):
    """Something that an agent should do for a buyer's order, from the time it falls due until its cause ends.

    By the setting tasks of the official settings. A task that changes is emitted again, under the same
    task_id: do it once.
    """

    task_id: Annotated[str, field("shop_id|order_id|kind: one task per order and kind.")]
    shop_id: ShopId
    order_id: OrderId
    buyer_id: BuyerId
    kind: Annotated[str, word(TASK_KINDS, "What is to be done.")]
    agent_id: Annotated[
        AgentId | None,
        field(
            "Who is responsible: of an address_check the payment agent, else the placing agent; of a "
            "reminder the placing agent, else the shop's duty agent; of a parcel_inspection the duty agent "
            "when the parcel came; of a review_follow_up who has the day of the first review, else the "
            "credited agent; null: nobody."
        ),
    ]
    status: Annotated[
        str,
        word(
            TASK_STATUSES,
            "Whether it is to be done. A task that fell due more than 30 minutes before it was judged is "
            "not emitted.",
        ),
    ]
    due_ts: Annotated[int, instant("When it falls or fell due.")]
    closed_ts: Annotated[int | None, instant("When its cause ended; null: it has not.")]


SCHEMA: Final = RecordSchema(
    "service-task",
    "Service task",
    ServiceTask,
    emitted=True,
    fields={
        "reason": {
            "type": "string",
            "description": REVISION_REASON_OF_TASK.description,
            **(REVISION_REASON_OF_TASK.extra_json_schema or {}),
        }
    },
    conditions={
        "allOf": [
            when(
                "status",
                "closed",
                of_type(closed_ts="integer"),
                of_type(closed_ts="null"),
            )
        ]
    },
)
