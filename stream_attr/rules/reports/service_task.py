"""Service tasks: what an agent should do for a buyer's order, and until when (RULEBOOK 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from stream_attr.rules.order.facts import Reviewed
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import DAY_MS, END_OF_TIME, MINUTE_MS, day_of_month
from stream_attr.rules.shop.settings import OFFICIAL, Shift, Tasks
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import (
    ADDRESS_CHECK,
    PARCEL_INSPECTION,
    PAYMENT_REMINDER,
    PAYMENT_REMINDER_SMS,
    REVIEW_FOLLOW_UP,
)

REMINDERS: Final = frozenset({PAYMENT_REMINDER_SMS, PAYMENT_REMINDER})
"""Tasks that are not opened before they fall due."""
FRESH_MS: Final = 30 * MINUTE_MS
"""A task is of use for so long after it fell due: one that is older is not opened."""


class Task(NamedTuple):
    """Something to be done for an order from ``due_ts`` on."""

    kind: str
    due_ts: int
    agent_id: str | None
    """Who is responsible; None: no agent."""
    ended_ts: int | None
    """When its cause ended; None: it has not, as far as is known."""
    ends_at: int
    """When its cause ends by itself."""


def reminder_dues(order: Order, shop: Shop) -> list[int]:
    """Return when an order's reminders fall due, whether or not they then have a cause."""
    created_ts = order.created_ts
    if created_ts is None or _reminders_end_at(order) is not None:
        return []
    tasks = shop.settings_on(shop.zone.day_of(created_ts)).tasks
    return [
        created_ts + minutes * MINUTE_MS
        for on, minutes in (
            (tasks.sms, tasks.sms_minutes),
            (tasks.reminder, tasks.reminder_minutes),
        )
        if on
    ]


def tasks_of(order: Order, shop: Shop) -> Iterator[Task]:
    """Yield the tasks of an order of which a decision has been emitted, by the settings of its day."""
    created_ts = order.created_ts
    emitted = order.emitted.get(OFFICIAL)
    if created_ts is None or emitted is None:
        return
    verdict = emitted.verdict
    settings = shop.settings_on(shop.zone.day_of(created_ts))
    tasks = settings.tasks
    deadline = order.deadline(created_ts, settings.payment_deadline_hours)
    ended_ts = _reminders_end_at(order)
    amount = order.amount if order.created is None else order.created.amount
    for kind, on, minutes in (
        (PAYMENT_REMINDER_SMS, tasks.sms and amount > tasks.sms_min_amount, tasks.sms_minutes),
        (PAYMENT_REMINDER, tasks.reminder, tasks.reminder_minutes),
    ):
        due_ts = created_ts + minutes * MINUTE_MS
        if on and (ended_ts is None or ended_ts > due_ts or kind in order.tasks):
            agent_id = verdict.placing or on_duty(tasks.duty, shop, due_ts)
            yield Task(kind, due_ts, _still(order, kind, agent_id), ended_ts, deadline)
    agent_id = _still(order, ADDRESS_CHECK, verdict.payment or verdict.placing)
    if tasks.address_check and order.paid_ts is not None and agent_id is not None:
        yield Task(ADDRESS_CHECK, order.paid_ts, agent_id, _called_off(order), verdict.final_at)
    rare = order.rare
    if rare is not None:
        if tasks.parcel_inspection and "parcel_returned" in rare.times:
            yield _parcel_inspection(order, rare.times, tasks, shop)
        if tasks.review_follow_up and rare.reviews:
            yield from _review_follow_up(order, sorted(rare.reviews), verdict.credit, tasks, shop)


def _parcel_inspection(order: Order, times: Mapping[str, list[int]], tasks: Tasks, shop: Shop) -> Task:
    """Return the task of the first parcel that came back; an inspection before that is of no account."""
    zone = shop.zone
    returned_ts = min(times["parcel_returned"])
    day, _ = zone.clock(returned_ts)
    due_ts = zone.at_clock(day, tasks.parcel_inspection_by)
    if returned_ts > due_ts:
        due_ts = zone.at_clock(day + 1, tasks.parcel_inspection_by)
    ended_ts = _ended(order, [ts for ts in times.get("parcel_inspected", ()) if ts >= returned_ts])
    agent_id = on_duty(tasks.duty, shop, returned_ts)
    return Task(PARCEL_INSPECTION, due_ts, agent_id, ended_ts, END_OF_TIME)


def _review_follow_up(
    order: Order, reviews: list[Reviewed], credited: str | None, tasks: Tasks, shop: Shop
) -> Iterator[Task]:
    """Yield the task if one of the reviews, which are sorted, is not good."""
    complaints = [index for index, review in enumerate(reviews) if not review.good]
    if not complaints:
        return
    first = complaints[0]
    date, _ = shop.zone.clock(reviews[0].ts)
    named = tasks.review_follow_up_odd if day_of_month(date) % 2 else tasks.review_follow_up_even
    if named is None and order.is_excluded and REVIEW_FOLLOW_UP in order.tasks:
        credited = order.tasks[REVIEW_FOLLOW_UP].agent_id
    ended_ts = _ended(order, [review.ts for review in reviews[first:] if review.good])
    yield Task(REVIEW_FOLLOW_UP, reviews[first].ts + DAY_MS, named or credited, ended_ts, END_OF_TIME)


def _ended(order: Order, ends: list[int]) -> int | None:
    """Return when the cause of a task ended: at the first of its ends, or when the order was excluded."""
    excluded_ts = order.excluded_ts
    return min(ends if excluded_ts is None else [*ends, excluded_ts], default=None)


def on_duty(duty: tuple[Shift, ...], shop: Shop, ts: int) -> str | None:
    """Return the shop's duty agent at an instant: of the first shift that it lies in."""
    day, minute = shop.zone.clock(ts)
    weekday = (day + 3) % 7 + 1  # day 0, 1970-01-01, was a Thursday
    for shift in duty:
        if shift.weekday == weekday and shift.begin <= minute < shift.end:
            return shift.agent_id
    return None


def _still(order: Order, kind: str, agent_id: str | None) -> str | None:
    """Return who is responsible for a task; of an excluded order, whoever was."""
    return order.tasks[kind].agent_id if order.is_excluded and kind in order.tasks else agent_id


def _reminders_end_at(order: Order) -> int | None:
    """Return when there was nothing to be reminded of any more: a payment, a deposit, a cancellation; or when
    the order was excluded.
    """
    deposit_ts = None if order.deposit is None else order.deposit.ts
    ends = (order.paid_ts, deposit_ts, order.cancelled_ts, order.excluded_ts)
    return min([ts for ts in ends if ts is not None], default=None)


def _called_off(order: Order) -> int | None:
    """Return when a paid order was cancelled, refunded in full, or excluded."""
    ends = [ts for ts in (order.cancelled_ts, order.excluded_ts) if ts is not None]
    refunded = 0
    for refund in sorted([one for one in order.refunds if one.completed]):
        refunded += refund.amount
        if refunded >= order.amount:
            ends.append(refund.ts)
            break
    return min(ends, default=None)
