"""Who placed, who brought the payment, who gets the credit, and the receipt for it (RULEBOOK 5, 10)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, assert_never

from stream_attr.rules.chat.message import AGENT, BUYER
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.decision import Candidate, Credit, Figures, Judgement, Picked
from stream_attr.rules.order.intervals import Interval, Intervals
from stream_attr.rules.order.order import Order
from stream_attr.rules.order.receipt import discarded_of
from stream_attr.rules.order.served import (
    Served,
    figures_of,
    figures_within,
    handed_over_within,
    served_around,
    within,
)
from stream_attr.rules.shop.settings import SilentFollowup
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import CreditRule, PickRule, ProductPriority

_LAST_CHAT: Final = PickRule.LAST_CHAT
_MOST_ROUNDS: Final = PickRule.MOST_ROUNDS
_ANY_PRODUCT: Final = ProductPriority.OFF
_PRODUCT_PAGE: Final = ProductPriority.PRODUCT_PAGE
_ORDERED_PRODUCT: Final = ProductPriority.ORDERED_PRODUCT
_PAYMENT_ONLY: Final = CreditRule.PAYMENT
_ORDER_ONLY: Final = CreditRule.ORDER
_ORDER_FIRST: Final = CreditRule.ORDER_FIRST


def judge(
    order: Order, receptions: Mapping[str, Mapping[int, Reception]], buyer_id: str, shop: Shop, profile: str
) -> Judgement:
    """Judge an order whose creation is known, under one profile. ``receptions``: by agent id and day.

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
    days = range(zone.day_of(spans.earliest), zone.day_of(max(created_ts, spans.latest)) + 1)
    served = served_around(receptions, days, buyer_id, shop, profile)

    products = order.product_ids
    placing = _candidates(served, spans.placing, products, settings.product_priority)
    after = [one for one in served if within(one.spoken, spans.assist)]
    if not paid:
        payment = {}
    elif not after and spans.placing.start == spans.payment.start and created_ts <= spans.payment.end:
        payment = placing  # no message between order and payment
    else:
        payment = _candidates(served, spans.payment, products, settings.product_priority)
    placing_agent = _pick(placing, settings.placing_rule)
    payment_agent = _pick(payment, settings.payment_rule)
    full_silent = paid and placing_agent is None and payment_agent is None
    followup_on = full_silent and settings.silent_followup.on
    followup = _qualified(served, spans.followup, products, settings.silent_followup) if followup_on else {}
    credit = _credit(settings.credit_rule, placing_agent, payment_agent, followup) if paid else None
    helped = _helped(after, spans.assist, placing, placing_agent, payment_agent, paid=paid)
    credited = None if credit is None else credit.agent_id
    looked_at = [(spans.placing, placing)]
    if paid:
        looked_at.append((spans.payment, payment))
    if followup_on:
        looked_at.append((spans.followup, followup))

    return Judgement(
        preset=settings.preset,
        settings_from=None if record is None else record.effective_from,
        silence=_silence(placing_agent, payment_agent, paid=paid),
        placing=placing_agent,
        payment=payment_agent,
        credit=credit,
        assists=tuple([one for one in helped if one[1] != credited]) if helped else (),
        candidates=tuple(
            Candidate(
                one.agent_id, placing.get(one.agent_id), payment.get(one.agent_id), followup.get(one.agent_id)
            )
            for one in served
            if one.agent_id in placing or one.agent_id in payment or one.agent_id in followup
        ),
        discarded=discarded_of(served, looked_at, spans.followup),
        deadline=spans.deadline,
        final_at=_final_at(order, created_ts, spans, zone.end_of_day, followup_on=followup_on),
        interest_from=zone.start_of(days.start),
        interest_until=zone.start_of(days.stop),
        quiet_from=_quiet_from(created_ts, spans, paid=paid, followup_on=followup_on),
        withheld=tuple([one for one in helped if one[1] == credited]) if helped else (),
    )


def _candidates(
    served: list[Served], interval: Interval, products: frozenset[str], priority: ProductPriority
) -> dict[str, Figures]:
    found = {}
    for one in served:
        figures = figures_within(one, interval, products)
        if figures is not None:
            found[one.agent_id] = figures
    if priority is _ANY_PRODUCT:
        return found
    if priority is _PRODUCT_PAGE:
        first = {agent_id: figures for agent_id, figures in found.items() if figures.product_page}
    elif priority is _ORDERED_PRODUCT:
        first = {agent_id: figures for agent_id, figures in found.items() if figures.ordered_product}
    else:
        assert_never(priority)
    return first or found


def _by_rounds(candidate: tuple[str, Figures]) -> tuple[int, int]:
    figures = candidate[1]
    return figures.rounds, figures.last_ts


def _by_last_ts(candidate: tuple[str, Figures]) -> tuple[int, int]:
    return candidate[1].last_ts, 0


def _pick(candidates: dict[str, Figures], rule: PickRule) -> Picked | None:
    if not candidates:
        return None
    # Candidates are ordered by id and max takes the first of equals: the smaller id.
    if rule is _LAST_CHAT:
        agent_id, figures = max(candidates.items(), key=_by_last_ts)
    elif rule is _MOST_ROUNDS:
        agent_id, figures = max(candidates.items(), key=_by_rounds)
    else:
        assert_never(rule)
    return Picked(agent_id, rule.value, figures.last_ts, figures.rounds)


def _qualified(
    served: list[Served], interval: Interval, products: frozenset[str], rule: SilentFollowup
) -> dict[str, Figures]:
    found = {}
    for one in served:
        messages = within(one.spoken, interval)
        figures = figures_of(messages, products, handed_over_within(one.handed_over, interval))
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
    if rule is _PAYMENT_ONLY:
        by_placing, by_payment = None, payment
    elif rule is _ORDER_ONLY:
        by_placing, by_payment = placing, None
    elif rule is _ORDER_FIRST:
        by_placing, by_payment = placing, payment
    else:
        assert_never(rule)
    if by_placing is not None:
        return Credit(by_placing.agent_id, "placing", rule.value)
    if by_payment is not None:
        return Credit(by_payment.agent_id, "payment", rule.value)
    return None


def _silence(placing: Picked | None, payment: Picked | None, *, paid: bool) -> str | None:
    if placing is not None:
        return "none"
    if not paid:
        return None
    return "full" if payment is None else "semi"


def _helped(
    after: list[Served],
    interval: Interval,
    candidates: Collection[str],
    placing: Picked | None,
    payment: Picked | None,
    *,
    paid: bool,
) -> list[tuple[str, str]]:
    """Return the assists, sorted, those of the agent who has the credit too."""
    if not after and len(candidates) <= 1:
        return []
    kind, holder = ("payment", payment) if paid else ("followup", placing)
    found = [
        ("order", agent_id) for agent_id in candidates if placing is None or agent_id != placing.agent_id
    ]
    found += [
        (kind, one.agent_id)
        for one in after
        if (holder is None or one.agent_id != holder.agent_id)
        and any(message.side == AGENT for message in within(one.spoken, interval))
    ]
    found.sort()
    return found


def _final_at(
    order: Order, created_ts: int, spans: Intervals, end_of_day: Callable[[int], int], *, followup_on: bool
) -> int:
    if order.paid is not None:
        return end_of_day(max(created_ts, spans.followup.end - 1 if followup_on else order.paid.ts))
    if order.cancelled is not None and order.cancelled.ts < spans.deadline:
        return end_of_day(max(created_ts, order.cancelled.ts))
    return end_of_day(max(created_ts, spans.deadline))


def _quiet_from(created_ts: int, spans: Intervals, *, paid: bool, followup_on: bool) -> int:
    """Return from when on no interval but that of the assists while unpaid is open."""
    if not paid:
        return created_ts
    return max(created_ts, spans.payment.end, spans.followup.end if followup_on else 0)
