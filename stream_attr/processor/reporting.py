"""Telling of one buyer's facts, inquiries and figures: what is new since they were last told.

They follow from the buyer's facts as verdicts do, so nothing hangs on the order in which events came. What
changes is told once in a while (`Options.report_every_ms` of event time after the first change, and when its
day is over), and not with every message: a chat of ten messages is two records or three.

The filter ``agent_offline`` knows of other buyers, whose chat other partitions may hold. It stays right
across them so: each buyer-day that is stated on ``buyer-days`` says when the agent spoke last; the roll-up of
the shop, once every partition has passed the day, answers each buyer who waits with a *closing*, and again
should a late event change what it said. A fact is a function of the buyer's facts and the last closing, a
closing one of all that is known of the agent's day, and both travel in the transactions of those who tell
them. So what is told last is the same for any number of partitions and workers, and through crashes.
"""

from __future__ import annotations

from collections.abc import Iterator

from stream_attr.codec.between import BuyerDay, encode_between
from stream_attr.codec.reports import digest_of, emission, say_fact, say_inquiry, withdrawn
from stream_attr.core.buyer import Buyer
from stream_attr.core.buyer_day import buyer_day, ends_of
from stream_attr.core.days import day_name
from stream_attr.core.inquiry import Inquiry, inquiry_of
from stream_attr.core.reception import Reception
from stream_attr.core.said import Said
from stream_attr.processor.records import BUYER_DAYS, FACTS, INQUIRIES, Output
from stream_attr.processor.watermark import END_OF_TIME

FINAL_AFTER_DAYS = 3
"""So many days after its own, all that is told of a reception is final."""


def settle(
    buyer: Buyer, watermark: int, chat_ms: int, partition: int, answered: int | None = None
) -> Iterator[Output]:
    """Yield what has to be told anew at a watermark, and take it as told; find when to look again.

    ``chat_ms``: for how long chat is kept; figures of days before that stay as they are. ``answered``: a day
    of which a closing has come, for which everything was kept.
    """
    shop = buyer.shop
    zone = shop.zone
    unsaid, buyer.unsaid = buyer.unsaid, None
    today = zone.day_of(watermark) if 0 < watermark < END_OF_TIME else 0
    oldest = zone.day_of(watermark - chat_ms) if chat_ms < watermark < END_OF_TIME else 0
    if answered is not None:
        oldest = min(oldest, answered - 1)
    # A reception bears on the inquiry of the day before, as may an order.
    since = today - FINAL_AFTER_DAYS if unsaid is None else min(unsaid.since - 1, today - FINAL_AFTER_DAYS)
    reason, late = ("timer", False) if unsaid is None else (unsaid.reason, unsaid.late)
    changed: set[int] = set()
    next_at: list[int] = []
    for agent_id, days in buyer.receptions.items():
        for day, reception in days.items():
            if day < since or not reception.messages:
                continue
            if (unsaid is None or day < unsaid.since - 1) and _is_settled(reception):
                continue
            for output in _tell(buyer, agent_id, day, reception, watermark, reason, next_at, late=late):
                changed.add(day)
                yield output
    if unsaid is not None:
        changed |= _days_from(buyer, max(unsaid.since - 1, oldest))
    for day in sorted(changed):
        if day >= oldest:
            yield from _state(buyer, day, watermark, reason, partition)
    for day in [day for day in buyer.days_said if day < oldest]:
        del buyer.days_said[day]
    buyer.settle_at = min([at for at in next_at if at > watermark], default=None)


def _is_settled(reception: Reception) -> bool:
    """Whether nothing more is to be told of a reception by itself."""
    fact, inquiry = reception.said_fact, reception.said_inquiry
    return fact is not None and fact.final and (inquiry is None or inquiry.final)


def _tell(
    buyer: Buyer,
    agent_id: str,
    day: int,
    reception: Reception,
    watermark: int,
    reason: str,
    next_at: list[int],
    *,
    late: bool,
) -> Iterator[Output]:
    """Yield the fact and the inquiry of a reception where they say something new."""
    shop = buyer.shop
    fact = buyer.fact(agent_id, day)
    assert fact is not None
    waits = fact.may_be_offline and reception.closed_ts is None
    final_at = shop.zone.start_of(day + 1)
    final = watermark >= final_at and not waits
    if not final:
        next_at.append(final_at)
    if reception.told_fact != (fact, final):
        reception.told_fact = (fact, final)
        said = say_fact(shop.shop_id, buyer.buyer_id, agent_id, day, fact, final_at, final=final)
        told = _revised(reception.said_fact, said, reason, final=final, late=late)
        if told is not None:
            reception.said_fact, why = told
            at = watermark if watermark < END_OF_TIME else final_at
            key = _key(buyer, agent_id, day)
            yield Output(FACTS, key, emission(said, reception.said_fact.revision, why, at))
    inquiry = inquiry_of(
        agent_id, day, buyer.receptions[agent_id], buyer.fact, buyer.orders.values(), shop, watermark
    )
    if inquiry is None:
        if reception.said_inquiry is None:
            return
        inquiry = withdrawn(shop.zone.start_of(day + 2), final=watermark >= shop.zone.start_of(day + 2))
    if not inquiry.final:
        next_at.append(inquiry.final_at)
    if reception.told_inquiry == inquiry:
        return
    reception.told_inquiry = inquiry
    said = say_inquiry(shop.shop_id, buyer.buyer_id, agent_id, day, inquiry)
    told = _revised(reception.said_inquiry, said, reason, final=inquiry.final, late=late)
    if told is not None:
        reception.said_inquiry, why = told
        key = _key(buyer, agent_id, day)
        at = watermark if watermark < END_OF_TIME else inquiry.final_at
        yield Output(INQUIRIES, key, emission(said, reception.said_inquiry.revision, why, at))


def _key(buyer: Buyer, agent_id: str, day: int) -> bytes:
    return f"{buyer.shop.shop_id}|{buyer.buyer_id}|{agent_id}|{day_name(day)}".encode()


def _revised(
    known: Said | None, said: bytes, reason: str, *, final: bool, late: bool
) -> tuple[Said, str] | None:
    """Return the next revision and its reason; None where nothing new is said."""
    digest = digest_of(said)
    if known is None:
        return Said(1, digest, final), reason
    if known.digest == digest:
        return None
    return Said(known.revision + 1, digest, final), "late_event" if late and known.final else reason


def _days_from(buyer: Buyer, since: int) -> set[int]:
    """Return the days, from one on, that the buyer may add anything to, or has."""
    day_of = buyer.shop.zone.day_of
    days = {day for days in buyer.receptions.values() for day in days}
    for order in buyer.orders.values():
        days.update(day_of(ts) for ts, _, _ in order.refunds)
        days.update(day_of(ts) for ts in (order.created_ts, order.paid_ts) if ts is not None)
    return {day for day in days | set(buyer.days_said) if day >= since}


def _state(buyer: Buyer, day: int, watermark: int, reason: str, partition: int) -> Iterator[Output]:
    """Yield what the buyer adds to a day, where that is new."""
    shop = buyer.shop
    receptions = []
    for agent_id, days in buyer.receptions.items():
        fact = buyer.fact(agent_id, day) if day in days else None
        if fact is None:
            continue
        inquiry: Inquiry | None = None
        if fact.recorded:
            inquiry = inquiry_of(agent_id, day, days, buyer.fact, buyer.orders.values(), shop, watermark)
        receptions.append((agent_id, fact, days[day], inquiry))
    parts = buyer_day(day, receptions, buyer.orders.values(), shop)
    known = buyer.days_said.get(day)
    if not parts and known is None:
        return
    stated = BuyerDay(shop.shop_id, buyer.buyer_id, day, 0, shop.zone.name, ends_of(day, shop), parts, "")
    digest = digest_of(encode_between(stated))
    if digest == known:
        return
    buyer.days_said[day] = digest
    stated.partition, stated.reason = partition, reason
    yield Output(BUYER_DAYS, shop.shop_id.encode(), encode_between(stated))
