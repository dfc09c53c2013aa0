"""Who placed, who brought the payment, who gets the credit, and the receipt for it (RULEBOOK 5, 10)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from stream_attr.core.days import DAY_MS, HOUR_MS, MINUTE_MS
from stream_attr.core.decision import Candidate, Credit, Discarded, Figures, Judgement, Picked
from stream_attr.core.message import AGENT, BUYER, PRODUCT_PAGE, Message, Pair
from stream_attr.core.order import Order
from stream_attr.core.reception import filtered, receptions
from stream_attr.core.settings import CreditRule, PickRule, ProductPriority, Role, Settings, SilentFollowup
from stream_attr.core.shop import Shop

PAYMENT_LOOK_BACK_MS = 20 * DAY_MS
"""How far before the payment a chat may have brought it about."""


class Interval(NamedTuple):
    """``[start, end)``, epoch milliseconds."""

    start: int
    end: int


NOWHERE = Interval(0, 0)


class Intervals(NamedTuple):
    """The stretches of time that an order's judgement looks at; ``NOWHERE`` where there is none."""

    placing: Interval
    payment: Interval
    followup: Interval
    assist: Interval
    """From creation to payment, or to the end of waiting for it."""
    deadline: int

    @classmethod
    def of(cls, order: Order, created_ts: int, settings: Settings, shop: Shop) -> Intervals:
        """Return the intervals of an order placed at ``created_ts``."""
        validity = settings.validity
        if validity.hours is not None:
            start = created_ts - validity.hours * HOUR_MS
        else:
            start = shop.zone.start_of(shop.zone.day_of(created_ts) - (validity.natural_days or 0))
        deadline = created_ts + settings.payment_deadline_hours * HOUR_MS
        paid_ts = order.paid_ts
        payment = followup = NOWHERE
        if paid_ts is None:
            end = deadline if order.cancelled_ts is None else min(deadline, order.cancelled_ts)
        else:
            end = paid_ts
            payment = Interval(max(start, paid_ts - PAYMENT_LOOK_BACK_MS), paid_ts)
            if settings.silent_followup.on:
                followup = Interval(paid_ts + 1, paid_ts + settings.silent_followup.minutes * MINUTE_MS + 1)
        return cls(Interval(start, created_ts), payment, followup, Interval(created_ts, end), deadline)


class Reception(NamedTuple):
    """One day of a pair, as far as the judgement needs it."""

    day: int
    messages: list[Message]
    """Of every kind."""
    spoken: list[Message]
    """Those that count: none unless it is creditable."""
    reason: str | None
    """Why it is not creditable; None if it is."""


class Served(NamedTuple):
    """What one agent did for the buyer around an order."""

    agent_id: str
    receptions: list[Reception]
    spoken: list[Message]
    """The buyer's messages and effective agent messages of creditable receptions, sorted."""


def judge(order: Order, pairs: Mapping[str, Pair], buyer_id: str, shop: Shop, profile: str) -> Judgement:
    """Judge an order whose creation is known, under one profile.

    A pure function of the facts given and the settings in force on the days they lie in.
    """
    created_ts = order.created_ts
    assert created_ts is not None
    zone = shop.zone
    created_day = zone.day_of(created_ts)
    record = shop.record_on(created_day)
    settings = shop.settings_on(created_day, profile)
    paid = order.paid is not None
    spans = Intervals.of(order, created_ts, settings, shop)

    interest_from = zone.start_of(zone.day_of(spans.placing.start))
    latest = max(created_ts, spans.assist.end, spans.followup.end - 1)
    interest_until = zone.end_of_day(latest)
    served = [
        _served(agent_id, pair, buyer_id, shop, profile, interest_from, interest_until)
        for agent_id, pair in sorted(pairs.items())
    ]

    products = order.product_ids
    placing = _candidates(served, spans.placing, products, settings.product_priority)
    payment = _candidates(served, spans.payment, products, settings.product_priority) if paid else {}
    placing_agent = _pick(placing, settings.placing_rule)
    payment_agent = _pick(payment, settings.payment_rule)
    full_silent = paid and placing_agent is None and payment_agent is None
    followup_on = full_silent and settings.silent_followup.on
    followup = _qualified(served, spans.followup, products, settings.silent_followup) if followup_on else {}
    credit = _credit(settings.credit_rule, placing_agent, payment_agent, followup) if paid else None

    return Judgement(
        preset=settings.preset,
        settings_from=None if record is None else record.effective_from,
        silence=_silence(placing_agent, payment_agent, paid=paid),
        placing=placing_agent,
        payment=payment_agent,
        credit=credit,
        assists=_assists(served, spans.assist, placing, placing_agent, payment_agent, credit, paid=paid),
        candidates=tuple(
            Candidate(
                one.agent_id, placing.get(one.agent_id), payment.get(one.agent_id), followup.get(one.agent_id)
            )
            for one in served
            if one.agent_id in placing or one.agent_id in payment or one.agent_id in followup
        ),
        discarded=_discarded(
            served,
            (spans.placing, placing),
            (spans.payment, payment),
            (spans.followup if followup_on else NOWHERE, followup),
        ),
        deadline=spans.deadline,
        final_at=_final_at(order, created_ts, spans, zone.end_of_day, followup_on=followup_on),
        interest_from=interest_from,
        interest_until=interest_until,
    )


def _served(
    agent_id: str, pair: Pair, buyer_id: str, shop: Shop, profile: str, from_ts: int, until_ts: int
) -> Served:
    held: list[Reception] = []
    spoken: list[Message] = []
    for day, messages in receptions(pair, shop.zone, from_ts, until_ts):
        # A profile that the record of the day does not name reads as the official settings do.
        reading = shop.reading(day, profile)
        role = shop.role_on(agent_id, day, reading.unlisted)
        matched = filtered(
            messages,
            _first_transfer(pair, shop.zone.start_of(day), shop.zone.start_of(day + 1)),
            reading,
            role,
            own_account=shop.is_own_account(buyer_id, day),
            official_account=buyer_id in reading.official_accounts,
        )
        if matched is not None:
            held.append(Reception(day, messages, [], matched.value))
        elif role is not Role.PRESALE:
            held.append(Reception(day, messages, [], f"role_{role.value}"))
        else:
            mute = reading.mute
            counted = [one for one in messages if one.side == BUYER or not one.flags & mute]
            held.append(Reception(day, messages, counted, None))
            spoken += counted
    return Served(agent_id, held, spoken)


def _first_transfer(pair: Pair, from_ts: int, until_ts: int) -> int | None:
    if not pair.transfers:
        return None
    index = bisect_left(pair.transfers, (from_ts,))
    if index < len(pair.transfers) and pair.transfers[index][0] < until_ts:
        return pair.transfers[index][0]
    return None


def _within(messages: list[Message], interval: Interval) -> list[Message]:
    if interval.start >= interval.end:
        return []
    return messages[bisect_left(messages, (interval.start,)) : bisect_left(messages, (interval.end,))]


def _figures(messages: list[Message], products: frozenset[str]) -> Figures | None:
    """Return what messages come to; None if no effective agent message is among them."""
    rounds = 0
    before = AGENT
    spoke = False
    page = ordered = False
    for message in messages:
        if message.side == AGENT:
            spoke = True
            if before == BUYER:
                rounds += 1
        else:
            if message.flags & PRODUCT_PAGE:
                page = True
            if message.product_id is not None and message.product_id in products:
                ordered = True
        before = message.side
    if not spoke:
        return None
    return Figures(len(messages), rounds, messages[0].ts, messages[-1].ts, page, ordered)


def _candidates(
    served: list[Served], interval: Interval, products: frozenset[str], priority: ProductPriority
) -> dict[str, Figures]:
    found = {}
    for one in served:
        figures = _figures(_within(one.spoken, interval), products) if one.spoken else None
        if figures is not None:
            found[one.agent_id] = figures
    if priority is ProductPriority.OFF:
        return found
    by_page = priority is ProductPriority.PRODUCT_PAGE
    first = {
        agent_id: figures
        for agent_id, figures in found.items()
        if (figures.product_page if by_page else figures.ordered_product)
    }
    return first or found


def _pick(candidates: dict[str, Figures], rule: PickRule) -> Picked | None:
    if not candidates:
        return None
    key: Callable[[str], tuple[int, ...]]
    if rule is PickRule.MOST_ROUNDS:
        key = lambda agent_id: (candidates[agent_id].rounds, candidates[agent_id].last_ts)  # noqa: E731
    else:
        key = lambda agent_id: (candidates[agent_id].last_ts,)  # noqa: E731
    # Candidates stand in the order of their ids and max takes the first of equals: the smaller id.
    agent_id = max(candidates, key=key)
    figures = candidates[agent_id]
    return Picked(agent_id, rule.value, figures.last_ts, figures.rounds)


def _qualified(
    served: list[Served], interval: Interval, products: frozenset[str], rule: SilentFollowup
) -> dict[str, Figures]:
    found = {}
    for one in served:
        messages = _within(one.spoken, interval)
        figures = _figures(messages, products)
        if figures is None or all(message.side == AGENT for message in messages):
            continue
        by_buyer = messages[0].side == BUYER
        if rule.buyer_initiated if by_buyer else rule.agent_initiated:
            found[one.agent_id] = figures._replace(initiator="buyer" if by_buyer else "agent")
    return found


def _credit(
    rule: CreditRule, placing: Picked | None, payment: Picked | None, followup: dict[str, Figures]
) -> Credit | None:
    if followup:
        agent_id = min(followup, key=lambda one: (followup[one].first_ts, one))
        return Credit(agent_id, "followup", rule.value)
    if placing is not None and rule is not CreditRule.PAYMENT:
        return Credit(placing.agent_id, "placing", rule.value)
    if payment is not None and rule is not CreditRule.ORDER:
        return Credit(payment.agent_id, "payment", rule.value)
    return None


def _silence(placing: Picked | None, payment: Picked | None, *, paid: bool) -> str | None:
    if placing is not None:
        return "none"
    if not paid:
        return None
    return "full" if payment is None else "semi"


def _assists(
    served: list[Served],
    interval: Interval,
    candidates: Collection[str],
    placing: Picked | None,
    payment: Picked | None,
    credit: Credit | None,
    *,
    paid: bool,
) -> tuple[tuple[str, str], ...]:
    kind, holder = ("payment", payment) if paid else ("followup", placing)
    found = [
        ("order", agent_id) for agent_id in candidates if placing is None or agent_id != placing.agent_id
    ]
    found += [
        (kind, one.agent_id)
        for one in served
        if (holder is None or one.agent_id != holder.agent_id)
        and any(message.side == AGENT for message in _within(one.spoken, interval))
    ]
    return tuple(sorted(assist for assist in found if credit is None or assist[1] != credit.agent_id))


def _discarded(
    served: list[Served],
    placing: tuple[Interval, Collection[str]],
    payment: tuple[Interval, Collection[str]],
    followup: tuple[Interval, Collection[str]],
) -> tuple[Discarded, ...]:
    found = []
    looked_at = (placing, payment, followup)
    for agent_id, held, spoken in served:
        for day, messages, counted, reason in held:
            if not any(_within(messages, interval) for interval, _ in looked_at):
                continue
            if reason is None:
                if any(agent_id in chosen and _within(counted, interval) for interval, chosen in looked_at):
                    continue
                why = _why_not(counted, spoken, *(interval for interval, _ in looked_at))
            else:
                why = reason
            found.append(Discarded(agent_id, day, why))
    return tuple(found)


def _why_not(
    counted: list[Message], spoken: list[Message], placing: Interval, payment: Interval, followup: Interval
) -> str:
    if any(message.side == AGENT for span in (placing, payment) for message in _within(counted, span)):
        return "other_product"
    if any(message.side == AGENT for message in _within(counted, followup)):
        sides = {message.side for message in _within(spoken, followup)}
        return "followup_not_admitted" if len(sides) == 2 else "followup_one_sided"
    return "no_effective_message"


def _final_at(
    order: Order, created_ts: int, spans: Intervals, end_of_day: Callable[[int], int], *, followup_on: bool
) -> int:
    if order.paid is not None:
        return end_of_day(max(created_ts, spans.followup.end - 1 if followup_on else order.paid.ts))
    if order.cancelled_ts is not None and order.cancelled_ts < spans.deadline:
        return end_of_day(max(created_ts, order.cancelled_ts))
    return end_of_day(spans.deadline)
