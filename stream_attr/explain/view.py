"""A buyer's day as a view over output records: the last record of each key, and what the buyer contributes.

The records come from the output topics or from a replay of event files; figures are computed by `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson

from stream_attr.contract.records.agent_daily import AgentDaily
from stream_attr.contract.records.inquiry_outcome import InquiryOutcome
from stream_attr.contract.records.reception_fact import ReceptionFact
from stream_attr.contract.topics import AGENT_DAILY, DECISIONS, FACTS, INQUIRIES
from stream_attr.errors import UnusableError
from stream_attr.explain.timeline import TimelineEntry
from stream_attr.explain.verify import Decision, verify
from stream_attr.rules.buyer.emitted import Emitted
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.decision import Verdict
from stream_attr.rules.order.facts import Cancelled, Exclusion, Placed, Refund
from stream_attr.rules.order.intervals import Intervals
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.buyer_contribution import contributions_to
from stream_attr.rules.reports.contribution import Contribution
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.shop.days import Zone, day_name, day_number
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import EXCLUDED, FINAL

__all__ = [
    "BuyerDayView",
    "NoRecordsError",
    "Records",
    "contributions_of",
    "fact_of",
    "intervals_of",
    "refunds_of",
]

MAX_DAYS_SUGGESTED = 5
"""Days with records that the message names where the requested day has none."""

_fact = msgspec.json.Decoder(ReceptionFact)
_inquiry = msgspec.json.Decoder(InquiryOutcome)
_daily = msgspec.json.Decoder(AgentDaily)


class NoRecordsError(UnusableError):
    """There are no records of the buyer on the day; the message names days that have some."""


@dataclass(slots=True)
class Records:
    """The last records of one buyer, and the `agent-daily` figures of one day of the shop."""

    shop_id: str
    buyer_id: str
    day: str
    facts: dict[tuple[str, str], ReceptionFact] = field(default_factory=dict)
    """By day and agent id, as are inquiries."""
    inquiries: dict[tuple[str, str], InquiryOutcome] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    """By order id, as are orders."""
    orders: dict[str, Order] = field(default_factory=dict)
    """With what figures need of them."""
    unsupported: dict[str, list[str]] = field(default_factory=dict)
    """By order id: what `verify` finds in the decision."""
    figures: dict[str, AgentDaily] = field(default_factory=dict)
    """Of the day, by agent id."""

    def take(self, topic: str, value: bytes) -> None:
        """Keep a record that concerns the buyer and day; it replaces the earlier one of its key.

        Raises ValueError, KeyError or TypeError for a value that is not a record of its topic.
        """
        whose = self.shop_id, self.buyer_id
        if topic == FACTS:
            fact = _fact.decode(value)
            if (fact.shop_id, fact.buyer_id) == whose:
                self.facts[fact.day, fact.agent_id] = fact
        elif topic == INQUIRIES:
            inquiry = _inquiry.decode(value)
            if (inquiry.shop_id, inquiry.buyer_id) == whose:
                self.inquiries[inquiry.day, inquiry.agent_id] = inquiry
        elif topic == AGENT_DAILY:
            daily = _daily.decode(value)
            if (daily.shop_id, daily.day) == (self.shop_id, self.day):
                self.figures[daily.agent_id] = daily
        elif topic == DECISIONS:
            decision = orjson.loads(value)
            if (decision["shop_id"], decision["buyer_id"], decision["profile"]) == (*whose, OFFICIAL):
                order_id = decision["order_id"]
                self.decisions[order_id] = decision
                self.orders[order_id] = order_of(decision)
                self.unsupported[order_id] = verify(decision)


@dataclass(frozen=True, slots=True)
class BuyerDayView:
    """All that explains a buyer's day. Raises NoRecordsError if there is nothing."""

    records: Records
    zone: Zone
    contributions: Mapping[str, Contribution]
    """What the buyer adds to each agent's figures of the day; see `contributions_to`."""
    shop: Shop | None = None
    """The shop's settings and roster; None: not known."""
    timelines: Mapping[str, Sequence[TimelineEntry]] = field(default_factory=dict)
    """The messages of the day by agent id; empty: not known."""
    without_fact: Sequence[str] = ()
    """Agents of receptions whose fact has not been emitted yet."""
    mismatched: Sequence[str] = ()
    """Agents of receptions whose messages do not give the figures of the fact."""
    names: Mapping[str, str] = field(default_factory=dict)
    """The agents' names in the roster, by id."""

    def __post_init__(self) -> None:
        if not (self.receptions or self.orders or self.contributions or self.without_fact):
            raise NoRecordsError(self._no_records())

    @property
    def receptions(self) -> list[ReceptionFact]:
        """The facts of the day, the earliest first."""
        found = [fact for (day, _), fact in self.records.facts.items() if day == self.records.day]
        return sorted(found, key=lambda fact: (fact.first_ts, fact.agent_id))

    @property
    def orders(self) -> list[Decision]:
        """The decisions on the orders of the day and on those that one of its inquiries rests on."""
        day = day_number(self.records.day)
        named = {
            order_id
            for (name, _), inquiry in self.records.inquiries.items()
            if name == self.records.day
            for order_id in inquiry.order_ids
        }
        found = [
            decision
            for order_id, decision in self.records.decisions.items()
            if order_id in named or day in self._days_of(decision)
        ]
        return sorted(found, key=lambda one: (one["created_ts"], one["order_id"]))

    def _days_of(self, decision: Decision) -> set[int]:
        """Return the days of an order's events, as far as they are known."""
        times = [decision["created_ts"], decision["paid_ts"], decision["cancelled_ts"]]
        times += [refund["ts"] for refund in refunds_of(decision) or ()]
        return {self.zone.day_of(ts) for ts in times if ts is not None}

    def _no_records(self) -> str:
        records = self.records
        days = {day_number(day) for day, _ in records.facts}
        for decision in records.decisions.values():
            days |= self._days_of(decision)
        if not days:
            return (
                f"no records of buyer {records.buyer_id} of shop {records.shop_id}: "
                "check both ids, and that these are the right files"
            )
        requested = day_number(records.day)
        near = sorted(sorted(days, key=lambda day: (abs(day - requested), day))[:MAX_DAYS_SUGGESTED])
        return (
            f"no records of buyer {records.buyer_id} of shop {records.shop_id} on {records.day}; "
            f"there are some on {', '.join(map(day_name, near))}{' and other days' * (len(days) > len(near))}"
        )


def contributions_of(records: Records, zone: Zone) -> dict[str, Contribution]:
    """Return what the buyer adds to the figures of the day, by its last records."""
    shop = Shop(records.shop_id)
    shop.zone = zone
    receptions = []
    for (day, agent_id), fact in sorted(records.facts.items()):
        if day == records.day:
            inquiry = records.inquiries.get((day, agent_id))
            found = None if inquiry is None else _inquiry_of(inquiry)
            receptions.append((agent_id, fact_of(fact), Reception(), found))
    return contributions_to(day_number(records.day), receptions, records.orders.values(), shop)


def fact_of(record: ReceptionFact) -> Fact:
    """Return the figures of a reception-fact record; fields that it does not have stay empty."""
    return Fact(
        first_ts=record.first_ts,
        last_ts=record.last_ts,
        by_buyer=record.initiator == "buyer",
        buyer_messages=record.buyer_messages,
        agent_messages=record.agent_messages,
        agent_characters=record.agent_characters,
        rounds=record.rounds,
        replied=record.replied,
        first_response_ms=record.first_response_ms,
        response_ms_sum=record.response_ms_sum,
        response_count=record.response_count,
        slow=record.slow,
        product_page=record.product_page,
        transferred=record.transferred,
        filtered=record.filtered,
        role=record.role,
        last_effective_ts=None,
        may_be_offline=False,
        presence=tuple(bound for interval in record.presence for bound in interval),
        handed_over=record.handed_over,
        rating=record.rating,
    )


def _inquiry_of(record: InquiryOutcome) -> Inquiry:
    return Inquiry(
        record.kind,
        record.outcome,
        record.exempt,
        record.order_ids,
        record.final_at,
        record.status == FINAL,
    )


def intervals_of(decision: Decision, shop: Shop) -> Intervals:
    """Return the intervals that an order's decision looked at, by the settings of the day of its creation."""
    created_ts = decision["created_ts"]
    settings = shop.settings_on(shop.zone.day_of(created_ts), decision["profile"])
    return Intervals.of(order_of(decision), created_ts, settings, shop)


def refunds_of(decision: Decision) -> Sequence[Mapping[str, Any]] | None:
    """Return the refunds of an order that count; None: its decision does not name them all."""
    return None if decision.get("refunds_cut", True) else decision["refunds"]


def order_of(decision: Decision) -> Order:
    """Return an order with the facts that its last decision has."""

    def agent(role: str) -> str | None:
        picked = decision[role]
        agent_id: str | None = None if picked is None else picked["agent_id"]
        return agent_id

    def placed(ts: int) -> Placed:
        return Placed(ts, "", decision["amount"], decision["quantity"], decision["currency"], ())

    order = Order(decision["order_id"])
    order.created = placed(decision["created_ts"])
    order.paid = None if decision["paid_ts"] is None else placed(decision["paid_ts"])
    cancelled_ts = decision["cancelled_ts"]
    order.cancelled = None if cancelled_ts is None else Cancelled(cancelled_ts, "", None)
    if decision["outcome"] == EXCLUDED:
        order.add_exclusion(Exclusion(decision["created_ts"], "", excluded=True))
    for one in refunds_of(decision) or ():
        order.add_refund(Refund(one["ts"], "", one["amount"], one["completed"]))
    credit = decision["credit"]
    verdict = Verdict(
        decision["status"],
        decision["outcome"],
        decision["silence"],
        agent("placing"),
        agent("payment"),
        agent("credit"),
        None if credit is None else credit["basis"],
        tuple((one["kind"], one["agent_id"]) for one in decision["assists"]),
        decision["amount"],
        decision["quantity"],
        decision["refund_requested"],
        decision["refund_completed"],
        decision["created_ts"],
        decision["paid_ts"],
        decision["cancelled_ts"],
        decision["final_at"],
        decision.get("deposit_ts"),  # decisions of the first edition have none
        tuple(decision.get("notices", ())),
    )
    order.emitted[OFFICIAL] = Emitted(decision["revision"], decision["reason"], verdict)
    return order
