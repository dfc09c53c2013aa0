"""Telling of one buyer's facts, inquiries and figures: what is new since they were last told.

They follow from the buyer's facts as verdicts do, so nothing hangs on the order in which events came. What
changes is told once in a while (`Options.report_every_ms` of event time after the first change, and when its
day is over), and not with every message: a chat of ten messages is two records or three.

The filter ``agent_offline`` knows of other buyers, whose chat other partitions may hold. It stays right
across them so: each buyer-day that is stated on ``buyer-days`` says when the agent spoke last; the roll-up of
the shop, once every partition has passed the day, answers each buyer who waits with a *closing*, and again
should a late event change what it said. A fact is a function of the buyer's facts and the last closing, a
closing one of all that is known of the agent's day, and both travel in the transactions of those who tell
them. So what is told last is the same for any number of partitions and workers, and through crashes. Only a
partition that is behind another by more event time than chat is kept (``--history-days``) may change a
closing too late: the other has forgotten its buyer, as it would refuse an event that late.
"""

from __future__ import annotations

from typing import Final

from stream_attr.codec.internal.records import BuyerDay, encode_internal, without_reason
from stream_attr.codec.records.emission import digest_of, emission
from stream_attr.codec.records.inquiry_outcome import encode_inquiry, withdrawn
from stream_attr.codec.records.reception_fact import encode_fact
from stream_attr.contract.topics import BUYER_DAYS, FACTS, INQUIRIES
from stream_attr.processor.ports import Output
from stream_attr.rules.buyer.buyer import Buyer, OpenReception
from stream_attr.rules.buyer.emitted import EVERY_DAY, LastEmitted, PendingChanges
from stream_attr.rules.buyer.reports import reception_fact, reception_inquiry
from stream_attr.rules.chat.reception import UNKNOWN, Reception
from stream_attr.rules.reports.buyer_contribution import contributions_to
from stream_attr.rules.shop.days import END_OF_TIME, day_name
from stream_attr.rules.vocabulary import NONE

FINAL_AFTER_DAYS: Final = 3
"""So many days after its own, all that is told of a reception is final."""
_BY_ITSELF: Final = PendingChanges(END_OF_TIME, "timer", False, False)
"""What stands for the changes where there are none."""


def emit_reports(
    buyer: Buyer, watermark: int, chat_ms: int, partition: int, answered: int | None = None
) -> list[Output]:
    """Return what has to be told anew at a watermark, and take it as told; find when to look again.

    ``chat_ms``: for how long chat is kept; figures of days before that stay as they are. ``answered``: a day
    of which a closing has come, for which everything was kept.
    """
    zone = buyer.shop.zone
    pending_changes, buyer.pending_changes = buyer.pending_changes or _BY_ITSELF, None
    today = zone.day_of(watermark) if 0 < watermark < END_OF_TIME else 0
    oldest = zone.day_of(watermark - chat_ms) if chat_ms < watermark < END_OF_TIME else 0
    if answered is not None:
        oldest = min(oldest, answered - 1)
    since = pending_changes.since - 1  # a reception bears on the inquiry of the day before, as may an order
    # `buyer.open_receptions` leaves out what is final; an order created before today may still change that.
    looks = (
        None
        if pending_changes.late
        or answered is not None
        or pending_changes.since == EVERY_DAY
        or (pending_changes.orders and pending_changes.since < today)
        else buyer.open_receptions
    )
    touched_agents = buyer.touched_agents
    everybody = pending_changes.orders or looks is None or buyer.open_version != buyer.shop.version
    buyer.open_version = buyer.shop.version
    outputs: list[Output] = []
    changed: set[int] = set()
    reports_due = END_OF_TIME
    still: list[OpenReception] = []
    for look in _all_of(buyer) if looks is None else looks:
        agent_id, day, reception = look
        touched = day >= since and (everybody or agent_id in touched_agents)
        look_at = reception.due
        if not touched and look_at == UNKNOWN and (day < today - FINAL_AFTER_DAYS or _is_final(reception)):
            reception.due = END_OF_TIME
        elif (
            (touched or look_at <= watermark)
            and reception.messages
            and _emit_reception(
                buyer, agent_id, day, reception, watermark, pending_changes, outputs, touched=touched
            )
        ):
            changed.add(day)
        look_at = reception.due
        if look_at < END_OF_TIME:
            still.append(look)
            if watermark < look_at < reports_due:
                reports_due = look_at
    buyer.open_receptions = still
    touched_agents.clear()
    if pending_changes.orders:
        changed.update([day for day in buyer.order_days() if day >= since])
    changed.update([day for day in buyer.day_digests if day >= since and not _has_receptions_on(day, buyer)])
    if pending_changes.since == EVERY_DAY:
        for days in buyer.receptions.values():
            changed.update(days)
    if answered is not None:
        changed.add(answered)
    for day in sorted(changed):
        if day >= oldest:
            buyer_day = _buyer_day_output(buyer, day, watermark, pending_changes.reason, partition)
            if buyer_day is not None:
                outputs.append(buyer_day)
    for day in [day for day in buyer.day_digests if day < oldest]:
        del buyer.day_digests[day]
    buyer.reports_due = reports_due if reports_due < END_OF_TIME else None
    return outputs


def _all_of(buyer: Buyer) -> list[OpenReception]:
    return [
        (agent_id, day, reception)
        for agent_id, days in buyer.receptions.items()
        for day, reception in days.items()
    ]


def _has_receptions_on(day: int, buyer: Buyer) -> bool:
    for days in buyer.receptions.values():  # noqa: SIM110 -- any() would make a generator of it
        if day in days:
            return True
    return False


def _is_final(reception: Reception) -> bool:
    """Whether nothing more is to be told of a reception by itself."""
    fact, inquiry = reception.last_emitted_fact, reception.last_emitted_inquiry
    return fact is not None and fact.final and (inquiry is None or inquiry.final)


def _emit_reception(
    buyer: Buyer,
    agent_id: str,
    day: int,
    reception: Reception,
    watermark: int,
    pending_changes: PendingChanges,
    outputs: list[Output],
    *,
    touched: bool,
) -> bool:
    """Tell the fact and the inquiry of a reception where they say something new.

    Returns whether the day's figures may change. ``touched``: whether facts have changed that bear on it.
    """
    shop = buyer.shop
    fact = reception_fact(buyer, agent_id, day, reception)
    final_at = shop.zone.start_of(day + 1)
    final = watermark >= final_at and not (fact.may_be_offline and reception.closed_ts is None)
    changed = False
    reception.due = END_OF_TIME if final else final_at
    told = reception.emitted_fact
    if told is None or told[1] != final or (told[0] is not fact and told[0] != fact):
        changed = told is None or told[0] != fact
        reception.emitted_fact = (fact, final)
        said = encode_fact(shop.shop_id, buyer.buyer_id, agent_id, day, fact, final_at, final=final)
        news = _revised(reception.last_emitted_fact, said, final, pending_changes)
        if news is not None:
            reception.last_emitted_fact, reason = news
            at = watermark if watermark < END_OF_TIME else final_at
            value = emission(said, reception.last_emitted_fact.revision, reason, at)
            outputs.append(Output(FACTS, _key(buyer, agent_id, day), value))
    before = reception.emitted_inquiry
    if not touched and before is not None and (before.final or watermark < before.final_at):
        if not before.final:
            reception.due = min(reception.due, before.final_at)
        return changed
    inquiry = reception_inquiry(buyer, agent_id, day, reception, watermark)
    if inquiry is None:
        if reception.last_emitted_inquiry is None:
            return changed
        final_at = shop.zone.start_of(day + 2)
        inquiry = withdrawn(final_at, final=watermark >= final_at)
    if not inquiry.final:
        reception.due = min(reception.due, inquiry.final_at)
    if before == inquiry:
        return changed
    reception.emitted_inquiry = inquiry
    said = encode_inquiry(shop.shop_id, buyer.buyer_id, agent_id, day, inquiry)
    news = _revised(reception.last_emitted_inquiry, said, inquiry.final, pending_changes)
    if news is not None:
        reception.last_emitted_inquiry, reason = news
        at = watermark if watermark < END_OF_TIME else inquiry.final_at
        value = emission(said, reception.last_emitted_inquiry.revision, reason, at)
        outputs.append(Output(INQUIRIES, _key(buyer, agent_id, day), value))
    return (
        changed
        or before is None
        or (before.kind, before.outcome, before.exempt) != (inquiry.kind, inquiry.outcome, inquiry.exempt)
    )


def _key(buyer: Buyer, agent_id: str, day: int) -> bytes:
    return f"{buyer.shop.shop_id}|{buyer.buyer_id}|{agent_id}|{day_name(day)}".encode()


def _revised(
    known: LastEmitted | None, said: bytes, final: bool, pending_changes: PendingChanges
) -> tuple[LastEmitted, str] | None:
    """Return the next revision and its reason; None where nothing new is said."""
    digest = digest_of(said)
    if known is None:
        return LastEmitted(1, digest, final), pending_changes.reason
    if known.digest == digest:
        return None
    reason = "late_event" if pending_changes.late and known.final else pending_changes.reason
    return LastEmitted(known.revision + 1, digest, final), reason


def _buyer_day_output(buyer: Buyer, day: int, watermark: int, reason: str, partition: int) -> Output | None:
    """Return what the buyer adds to a day, where that is new."""
    shop = buyer.shop
    receptions = []
    for agent_id, days in buyer.receptions.items():
        reception = days.get(day)
        if reception is None or not reception.messages:
            continue
        inquiry = reception.emitted_inquiry or reception_inquiry(buyer, agent_id, day, reception, watermark)
        if inquiry is not None and inquiry.kind == NONE:
            inquiry = None
        receptions.append((agent_id, reception_fact(buyer, agent_id, day, reception), reception, inquiry))
    contributions = contributions_to(day, receptions, buyer.orders_on(day), shop)
    known = buyer.day_digests.get(day)
    if not contributions and known is None:
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
        )
    )
    digest = digest_of(without_reason(value, reason))
    if digest == known:
        return None
    buyer.day_digests[day] = digest
    return Output(BUYER_DAYS, shop.shop_id.encode(), value)
