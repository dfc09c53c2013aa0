"""Emission of one buyer's facts, inquiries and contributions to figures, where they are new.

They follow from the buyer's facts as verdicts do, so they do not depend on the order in which events arrive.
Changes are collected and emitted some time after the first of them, and when its day is over, rather than
with every message: after a minute of event time by a partition that has caught up
(`Options.caught_up_every_ms`), after ten by one that is behind (`Options.report_every_ms`), where a chat of
ten messages makes two or three records.

The filter ``agent_offline`` depends on an agent's chat with other buyers, which other partitions may hold.
Each buyer-day on ``buyer-days`` therefore has the time at which the agent spoke last. Once the watermarks of
all partitions have passed the day, the roll-up of the shop sends a *closing* to each buyer who waits for it,
and another one if a late event changes that time. A fact is a function of the buyer's facts and the last
closing, a closing is a function of all buyer-days of the agent's day, and both are written in transactions
with the state they follow from. So the last revisions are the same for any number of partitions and workers,
and after crashes. Only a partition that is behind another one by more event time than chat is kept
(``--history-days``) may change a closing too late: the other partition has dropped its buyer, as it would
refuse an event that late.
"""

from __future__ import annotations

from typing import Final

from stream_attr.codec.internal.records import BuyerDay, encode_internal, without_reason
from stream_attr.codec.records.emission import digest_of, emission
from stream_attr.codec.records.inquiry_outcome import encode_inquiry, withdrawn
from stream_attr.codec.records.reception_fact import encode_fact
from stream_attr.contract.topics import BUYER_DAYS, FACTS, INQUIRIES
from stream_attr.processor.ports import Output
from stream_attr.rules.buyer.balances import first_day_kept
from stream_attr.rules.buyer.buyer import Buyer, OpenReception
from stream_attr.rules.buyer.emitted import EVERY_DAY, LastEmitted, PendingChanges
from stream_attr.rules.buyer.reports import (
    all_receptions,
    drop_contributions_before,
    finish_reports,
    reception_fact,
    reception_inquiry,
    record_contribution,
    take_changes,
)
from stream_attr.rules.chat.reception import UNKNOWN, Reception
from stream_attr.rules.reports.buyer_contribution import contributions_to
from stream_attr.rules.shop.days import END_OF_TIME, day_name
from stream_attr.rules.vocabulary import NONE

FINAL_AFTER_DAYS: Final = 3
"""So many days after its own, all reports of a reception are final, but for an inquiry with a deposit."""
_TIMER_ONLY: Final = PendingChanges(END_OF_TIME, "timer", False, False)
"""Stands for the changes where there are none."""


def emit_reports(
    buyer: Buyer, watermark: int, chat_ms: int, partition: int, answered: int | None = None
) -> list[Output]:
    """Return the reports that are new at a watermark, record them as emitted, and find the next due time.

    ``chat_ms``: how long chat is kept; figures of days before that stay as they are. ``answered``: a day of
    which a closing has come, for which everything was kept.
    """
    zone = buyer.shop.zone
    changes = take_changes(buyer) or _TIMER_ONLY
    today = zone.day_of(watermark) if 0 < watermark < END_OF_TIME else 0
    oldest = zone.day_of(watermark - chat_ms) if chat_ms < watermark < END_OF_TIME else 0
    if answered is not None:
        oldest = min(oldest, answered - 1)
    kept_from = first_day_kept(buyer, watermark)
    if kept_from is not None:
        oldest = min(oldest, kept_from)
    since = changes.since - 1  # a reception bears on the inquiry of the day before, as may an order
    since = max(since, oldest - 1)  # what days before that rest on may have been dropped
    # Open receptions leave out what is final; an order created before today may still change that.
    open_receptions = (
        None
        if changes.late
        or answered is not None
        or changes.since == EVERY_DAY
        or (changes.orders and changes.since < today)
        else buyer.open_receptions
    )
    touched_agents = buyer.touched_agents
    every_agent = changes.orders or open_receptions is None or buyer.open_version != buyer.shop.version
    outputs: list[Output] = []
    changed: set[int] = set()
    next_due = END_OF_TIME
    still_open: list[OpenReception] = []
    # Sorted by agent and day: emitted in the same order after a restart, whatever came first.
    for one in sorted(all_receptions(buyer) if open_receptions is None else open_receptions):
        agent_id, day, reception = one
        touched = day >= since and (every_agent or agent_id in touched_agents)
        due = reception.due
        if (
            not touched
            and due == UNKNOWN
            and (
                _is_final(reception) or (day < today - FINAL_AFTER_DAYS and not _has_open_inquiry(reception))
            )
        ):
            reception.clear_due()
        elif (
            (touched or due <= watermark)
            and _is_reported(reception, day, buyer)
            and _emit_reception(buyer, agent_id, day, reception, watermark, changes, outputs, touched=touched)
        ):
            changed.add(day)
        due = reception.due
        if due < END_OF_TIME:
            still_open.append(one)
            if watermark < due < next_due:
                next_due = due
    finish_reports(buyer, still_open, next_due if next_due < END_OF_TIME else None)
    if changes.orders:
        changed.update([day for day in buyer.order_days() if day >= since])
    changed.update(
        [
            day
            for day in buyer.day_digests  # an order may have been on a day, and be on it no more
            if day >= since and (changes.orders or not _has_receptions_on(day, buyer))
        ]
    )
    if changes.since == EVERY_DAY:
        for days in buyer.receptions.values():
            changed.update(days)
    if answered is not None:
        changed.add(answered)
    for day in sorted(changed):
        if day >= oldest:
            output = _buyer_day_output(buyer, day, watermark, changes.reason, partition)
            if output is not None:
                outputs.append(output)
    drop_contributions_before(buyer, oldest)
    return outputs


def _has_receptions_on(day: int, buyer: Buyer) -> bool:
    for days in buyer.receptions.values():  # noqa: SIM110 -- any() would make a generator of it
        if day in days:
            return True
    return False


def _is_reported(reception: Reception, day: int, buyer: Buyer) -> bool:
    """Whether there is something to report: a reception, or one that was until the settings changed."""
    return reception.has_reception(day, buyer.shop) or bool(
        reception.handed_over and reception.last_emitted_fact
    )


def _is_final(reception: Reception) -> bool:
    """Whether no report of a reception changes by itself any more."""
    fact, inquiry = reception.last_emitted_fact, reception.last_emitted_inquiry
    return fact is not None and fact.final and (inquiry is None or inquiry.final)


def _has_open_inquiry(reception: Reception) -> bool:
    """Whether the inquiry of a reception was emitted as pending: a deposit may keep it so for long."""
    inquiry = reception.last_emitted_inquiry
    return inquiry is not None and not inquiry.final


def _emit_reception(
    buyer: Buyer,
    agent_id: str,
    day: int,
    reception: Reception,
    watermark: int,
    changes: PendingChanges,
    outputs: list[Output],
    *,
    touched: bool,
) -> bool:
    """Emit the fact and the inquiry of a reception where they are new.

    Returns whether the day's figures may change. ``touched``: whether facts have changed that bear on it.
    """
    reception.clear_due()
    fact_changed = _emit_fact(buyer, agent_id, day, reception, watermark, changes, outputs)
    before = reception.emitted_inquiry
    if not touched and before is not None and (before.final or watermark < before.final_at):
        if not before.final:
            reception.add_due(before.final_at)
        return fact_changed
    return _emit_inquiry(buyer, agent_id, day, reception, watermark, changes, outputs) or fact_changed


def _emit_fact(
    buyer: Buyer,
    agent_id: str,
    day: int,
    reception: Reception,
    watermark: int,
    changes: PendingChanges,
    outputs: list[Output],
) -> bool:
    shop = buyer.shop
    fact = reception_fact(buyer, agent_id, day, reception)
    final_at = shop.zone.start_of(day + 1)
    final = watermark >= final_at and not (fact.may_be_offline and reception.closed_ts is None)
    if not final:
        reception.add_due(final_at)
    before = reception.emitted_fact
    same = before is not None and (before[0] is fact or before[0] == fact)
    if before is not None and same and before[1] == final:
        return False
    content = encode_fact(shop.shop_id, buyer.buyer_id, agent_id, day, fact, final_at, final=final)
    emitted = _next_revision(reception.last_emitted_fact, content, final=final)
    if emitted is not None:
        reason = _reason(reception.last_emitted_fact, changes)
        at = watermark if watermark < END_OF_TIME else final_at
        value = emission(content, emitted.revision, reason, at)
        outputs.append(Output(FACTS, _key(buyer, agent_id, day), value))
    reception.record_fact(fact, emitted, final=final)
    return not same


def _emit_inquiry(
    buyer: Buyer,
    agent_id: str,
    day: int,
    reception: Reception,
    watermark: int,
    changes: PendingChanges,
    outputs: list[Output],
) -> bool:
    shop = buyer.shop
    inquiry = reception_inquiry(buyer, agent_id, day, reception, watermark)
    if inquiry is None:
        if reception.last_emitted_inquiry is None:
            return False
        final_at = shop.zone.start_of(day + 2)
        inquiry = withdrawn(final_at, final=watermark >= final_at)
    if not inquiry.final:
        reception.add_due(inquiry.final_at)
    before = reception.emitted_inquiry
    if before == inquiry:
        return False
    content = encode_inquiry(shop.shop_id, buyer.buyer_id, agent_id, day, inquiry)
    emitted = _next_revision(reception.last_emitted_inquiry, content, final=inquiry.final)
    if emitted is not None:
        reason = _reason(reception.last_emitted_inquiry, changes)
        at = watermark if watermark < END_OF_TIME else inquiry.final_at
        value = emission(content, emitted.revision, reason, at)
        outputs.append(Output(INQUIRIES, _key(buyer, agent_id, day), value))
    reception.record_inquiry(inquiry, emitted)
    return before is None or (before.kind, before.outcome, before.exempt) != (
        inquiry.kind,
        inquiry.outcome,
        inquiry.exempt,
    )


def _key(buyer: Buyer, agent_id: str, day: int) -> bytes:
    return f"{buyer.shop.shop_id}|{buyer.buyer_id}|{agent_id}|{day_name(day)}".encode()


def _next_revision(last: LastEmitted | None, content: bytes, *, final: bool) -> LastEmitted | None:
    """Return the next revision of a report; None where its content is that of the last one."""
    digest = digest_of(content)
    if last is None:
        return LastEmitted(1, digest, final)
    return None if last.digest == digest else LastEmitted(last.revision + 1, digest, final)


def _reason(last: LastEmitted | None, changes: PendingChanges) -> str:
    """Return the reason of a new revision."""
    return "late_event" if changes.late and last is not None and last.final else changes.reason


def _buyer_day_output(buyer: Buyer, day: int, watermark: int, reason: str, partition: int) -> Output | None:
    """Return the buyer's contributions to a day, where they are new."""
    shop = buyer.shop
    receptions = []
    for agent_id, days in buyer.receptions.items():
        reception = days.get(day)
        if reception is None or not reception.has_reception(day, shop):
            continue
        inquiry = reception.emitted_inquiry or reception_inquiry(buyer, agent_id, day, reception, watermark)
        if inquiry is not None and inquiry.kind == NONE:
            inquiry = None
        receptions.append((agent_id, reception_fact(buyer, agent_id, day, reception), reception, inquiry))
    contributions = contributions_to(day, receptions, buyer.orders_on(day), shop)
    if not contributions and day not in buyer.day_digests:
        return None
    value = encode_internal(
        BuyerDay(
            shop.shop_id,
            buyer.buyer_id,
            day,
            partition,
            shop.zone.name,
            shop.ends(day),
            contributions,
            reason,
            shop.zone.day_cut,
        )
    )
    if not record_contribution(buyer, day, digest_of(without_reason(value, reason))):
        return None
    return Output(BUYER_DAYS, shop.shop_id.encode(), value)
