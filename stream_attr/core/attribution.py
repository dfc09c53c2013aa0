"""Who placed, who brought the payment, who gets the credit, and the receipt for it (RULEBOOK 5, 10)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from operator import itemgetter
from typing import Final, NamedTuple, assert_never

from stream_attr.core.days import DAY_MS, HOUR_MS, MINUTE_MS
from stream_attr.core.decision import Candidate, Credit, Discarded, Figures, Judgement, Picked
from stream_attr.core.message import AGENT, BUYER, PRODUCT_PAGE, Message
from stream_attr.core.order import Order
from stream_attr.core.reception import Read, Reception
from stream_attr.core.settings import CreditRule, PickRule, ProductPriority, Settings, SilentFollowup
from stream_attr.core.shop import Shop

_LAST_CHAT: Final = PickRule.LAST_CHAT
_MOST_ROUNDS: Final = PickRule.MOST_ROUNDS
_ANY_PRODUCT: Final = ProductPriority.OFF
_PRODUCT_PAGE: Final = ProductPriority.PRODUCT_PAGE
_ORDERED_PRODUCT: Final = ProductPriority.ORDERED_PRODUCT
_PAYMENT_ONLY: Final = CreditRule.PAYMENT
_ORDER_ONLY: Final = CreditRule.ORDER
_ORDER_FIRST: Final = CreditRule.ORDER_FIRST
PAYMENT_LOOK_BACK_MS: Final = 20 * DAY_MS
"""How far before the payment a chat may have brought it about."""
LONG: Final = 16
"""Messages of a reception from which on what they come to is remembered."""


class Interval(NamedTuple):
    """``[start, end)``, epoch milliseconds."""

    start: int
    end: int


NOWHERE: Final = Interval(0, 0)


class Intervals(NamedTuple):
    """The stretches of time that an order's judgement looks at; ``NOWHERE`` where there is none."""

    placing: Interval
    payment: Interval
    followup: Interval
    assist: Interval
    """From creation to payment, or to the end of waiting for it."""
    deadline: int

    @property
    def earliest(self) -> int:
        """The first instant that any of them looks at; a payment may lie before the creation."""
        start = self.placing.start
        return start if self.followup is NOWHERE else min(start, self.followup.start)

    @property
    def latest(self) -> int:
        """The last instant that the assists or the follow-up look at."""
        return max(self.assist.end, self.followup.end - 1)

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


class Served(NamedTuple):
    """What one agent did for the buyer around an order."""

    agent_id: str
    receptions: list[tuple[int, Reception, Read]]
    """By day, how the order's profile reads them beside them."""
    spoken: list[Message]
    """The messages that count, of all of them, sorted."""


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
    served = _served(receptions, days, buyer_id, shop, profile)

    products = order.product_ids
    placing = _candidates(served, spans.placing, products, settings.product_priority)
    after = [one for one in served if _within(one.spoken, spans.assist)]
    if not paid:
        payment = {}
    elif not after and spans.placing.start == spans.payment.start and created_ts <= spans.payment.end:
        payment = placing  # nothing was said between order and payment
    else:
        payment = _candidates(served, spans.payment, products, settings.product_priority)
    placing_agent = _pick(placing, settings.placing_rule)
    payment_agent = _pick(payment, settings.payment_rule)
    full_silent = paid and placing_agent is None and payment_agent is None
    followup_on = full_silent and settings.silent_followup.on
    followup = _qualified(served, spans.followup, products, settings.silent_followup) if followup_on else {}
    credit = _credit(settings.credit_rule, placing_agent, payment_agent, followup) if paid else None
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
        assists=_assists(after, spans.assist, placing, placing_agent, payment_agent, credit, paid=paid),
        candidates=tuple(
            Candidate(
                one.agent_id, placing.get(one.agent_id), payment.get(one.agent_id), followup.get(one.agent_id)
            )
            for one in served
            if one.agent_id in placing or one.agent_id in payment or one.agent_id in followup
        ),
        discarded=_discarded(served, looked_at, spans.followup),
        deadline=spans.deadline,
        final_at=_final_at(order, created_ts, spans, zone.end_of_day, followup_on=followup_on),
        interest_from=zone.start_of(days.start),
        interest_until=zone.start_of(days.stop),
        quiet_from=_quiet_from(created_ts, spans, paid=paid, followup_on=followup_on),
    )


def changes_no_agent(order: Order, judgement: Judgement, agent_id: str, message: Message) -> bool:
    """Whether a message changes figures at most, and no agent of a judgement on its order.

    It is one of an agent's creditable reception, which remains so, and may lie in any interval. ``judgement``
    may lack messages of which this was true: who the candidates are, and not before when those picked spoke
    last, are what it is asked for.
    """
    ts = message.ts
    one = next((one for one in judgement.candidates if one.agent_id == agent_id), None)
    if ts < (order.created_ts or 0) and not _leaves_pick(
        judgement.placing, None if one is None else one.placing, order, agent_id, message
    ):
        return False
    paid_ts = order.paid_ts
    if paid_ts is None:
        return True
    if ts > paid_ts:
        followup = None if one is None else one.followup
        return judgement.silence != "full" or (followup is not None and followup.first_ts < ts)
    if not _leaves_pick(judgement.payment, None if one is None else one.payment, order, agent_id, message):
        return False
    if message.side == BUYER or ts < (order.created_ts or 0):
        return True
    holders = (judgement.payment, judgement.credit)
    return any(holder is not None and holder.agent_id == agent_id for holder in holders) or (
        ("payment", agent_id) in judgement.assists
    )


def _leaves_pick(
    picked: Picked | None, figures: Figures | None, order: Order, agent_id: str, message: Message
) -> bool:
    """Whether an agent's message more in an interval leaves its candidates and the one picked as they are.

    ``figures``: the agent's in this interval; None: no candidate.
    """
    if message.flags & PRODUCT_PAGE and (figures is None or not figures.product_page):
        return False
    product_id = message.product_id
    ordered = product_id is not None and product_id in order.product_ids
    if ordered and (figures is None or not figures.ordered_product):
        return False
    if figures is None or picked is None:
        return message.side == BUYER
    if picked.agent_id == agent_id:
        return True  # a message more makes neither rounds fewer nor the last one earlier
    return picked.rule == _LAST_CHAT and message.ts < picked.last_ts


def _served(
    receptions: Mapping[str, Mapping[int, Reception]], days: range, buyer_id: str, shop: Shop, profile: str
) -> list[Served]:
    """Return what each agent with a reception on one of the days did, by agent id."""
    found = []
    for agent_id in sorted(receptions):
        held = [
            (day, reception, reception.read(buyer_id, agent_id, day, shop, profile))
            for day, reception in receptions[agent_id].items()
            if day in days and reception.messages
        ]
        if len(held) == 1:
            found.append(Served(agent_id, held, held[0][2].spoken))
        elif held:
            held.sort(key=itemgetter(0))
            found.append(Served(agent_id, held, [message for _, _, read in held for message in read.spoken]))
    return found


def _within(messages: list[Message], interval: Interval) -> list[Message]:
    start, end = interval
    if not messages or start >= end or messages[-1].ts < start or messages[0].ts >= end:
        return []
    if messages[0].ts >= start and messages[-1].ts < end:
        return messages
    return messages[bisect_left(messages, (start,)) : bisect_left(messages, (end,))]


def _figures(messages: list[Message], products: frozenset[str]) -> Figures | None:
    """Return what messages come to; None if no effective agent message is among them."""
    rounds = 0
    before = AGENT
    spoke = page = ordered = False
    for _, side, _, flags, _, product_id in messages:
        if side == AGENT:
            spoke = True
            if before == BUYER:
                rounds += 1
        else:
            if flags & PRODUCT_PAGE:
                page = True
            if product_id is not None and product_id in products:
                ordered = True
        before = side
    if not spoke:
        return None
    return Figures(len(messages), rounds, messages[0].ts, messages[-1].ts, page, ordered)


def _figures_within(one: Served, interval: Interval, products: frozenset[str]) -> Figures | None:
    """Return what an agent's messages of an interval come to; of a long reception it is remembered."""
    known = one.receptions[0][2].known if len(one.receptions) == 1 and len(one.spoken) >= LONG else None
    if known is None:
        return _figures(_within(one.spoken, interval), products)
    key = (interval.start, interval.end, products)
    if key not in known:
        known[key] = _figures(_within(one.spoken, interval), products)
    return known[key]


def _candidates(
    served: list[Served], interval: Interval, products: frozenset[str], priority: ProductPriority
) -> dict[str, Figures]:
    found = {}
    for one in served:
        figures = _figures_within(one, interval, products)
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
    # Candidates stand in the order of their ids and max takes the first of equals: the smaller id.
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


def _assists(
    after: list[Served],
    interval: Interval,
    candidates: Collection[str],
    placing: Picked | None,
    payment: Picked | None,
    credit: Credit | None,
    *,
    paid: bool,
) -> tuple[tuple[str, str], ...]:
    if not after and len(candidates) <= 1:
        return ()
    kind, holder = ("payment", payment) if paid else ("followup", placing)
    found = [
        ("order", agent_id) for agent_id in candidates if placing is None or agent_id != placing.agent_id
    ]
    found += [
        (kind, one.agent_id)
        for one in after
        if (holder is None or one.agent_id != holder.agent_id)
        and any(message.side == AGENT for message in _within(one.spoken, interval))
    ]
    return tuple(sorted(assist for assist in found if credit is None or assist[1] != credit.agent_id))


def _discarded(
    served: list[Served], looked_at: list[tuple[Interval, dict[str, Figures]]], followup: Interval
) -> tuple[Discarded, ...]:
    found = []
    for agent_id, held, spoken in served:
        if len(held) == 1 and any(agent_id in chosen for _, chosen in looked_at):
            continue
        for day, reception, read in held:
            if read.reason is None and any(
                agent_id in chosen and _within(read.spoken, interval) for interval, chosen in looked_at
            ):
                continue
            if any(_within(reception.messages, interval) for interval, _ in looked_at):
                reason = read.reason or _why_not(read.spoken, spoken, looked_at, followup)
                found.append(Discarded(agent_id, day, reason))
    return tuple(found)


def _why_not(
    counted: list[Message],
    spoken: list[Message],
    looked_at: list[tuple[Interval, dict[str, Figures]]],
    followup: Interval,
) -> str:
    """Return why a creditable reception made nobody a candidate; ``spoken``: with its agent's other days."""
    for interval, _ in looked_at:
        if any(message.side == AGENT for message in _within(counted, interval)):
            if interval != followup:
                return "other_product"
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


def _quiet_from(created_ts: int, spans: Intervals, *, paid: bool, followup_on: bool) -> int:
    """Return from when on no interval but that of the assists while unpaid is open."""
    if not paid:
        return created_ts
    return max(created_ts, spans.payment.end, spans.followup.end if followup_on else 0)
