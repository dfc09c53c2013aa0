"""Events judged anew for the sake of one question: what became of an order, or of a buyer's day.

The files are read twice: once to see whose events bear on the question, then judged as `replay` judges them,
those buyers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from msgspec import UNSET

from stream_attr.codec.internal.records import BuyerDay, decode_buyer_day
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.topics import (
    BUYER_DAYS,
    CHAT,
    COMPARISONS,
    DEAD_LETTERS,
    DECISIONS,
    ORDERS,
    ROSTER,
    SETTINGS,
)
from stream_attr.explain.timeline import Heard, receptions_of
from stream_attr.explain.verify import Decision
from stream_attr.explain.view import Known, Records, Refund, fact_of
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import Share, ShopRegistry
from stream_attr.processor.ports import Output, Record
from stream_attr.replay.run import replay
from stream_attr.replay.sources import chunks
from stream_attr.replay.steps import CHUNK
from stream_attr.rules.reports.contribution import Contribution
from stream_attr.rules.shop.days import day_number
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import FINAL

__all__ = ["Asked", "decisions_from_events", "known_from_events", "shop_of"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Files to judge, and how far; see `replay`."""

    inputs: Inputs
    until: int | None
    allowed_lateness_ms: int
    progress: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class _Only(Share):
    """Buyers named by their keys."""

    keys: frozenset[bytes] = frozenset()

    def has(self, key: bytes) -> bool:
        """Whether a buyer is named."""
        return key in self.keys


class _Event(NamedTuple):
    """An event, and which line of which file it is."""

    place: tuple[str, int]
    event: ChatEvent | OrderEvent


def decisions_from_events(asked: Asked, shop_id: str, order_id: str, profile: str) -> list[Decision]:
    """Return all decisions on an order under a profile, the oldest first. Raises UnusableFileError."""
    buyers = {
        event.buyer_id
        for _, event in _events(asked, ORDERS)
        if isinstance(event, OrderEvent) and (event.shop_id, event.order_id) == (shop_id, order_id)
    }
    found = []
    for output in _judged(asked, shop_id, buyers, reports=False):
        if output.topic in (DECISIONS, COMPARISONS):
            decision = orjson.loads(output.value)
            if (decision["order_id"], decision["profile"]) == (order_id, profile):
                found.append(decision)
    return found


def known_from_events(asked: Asked, shop_id: str, buyer_id: str, day: str) -> Known:
    """Return what is known of a buyer's day. Raises UnusableFileError and NothingKnownError."""
    shop = shop_of(asked.inputs, shop_id)
    number = day_number(day)
    concerned = {number, number + 1}  # the next for `overnight`, which asks what counts of it
    buyers = {buyer_id}
    own: list[_Event] = []
    for place, event in _events(asked, CHAT, ORDERS):
        if event.shop_id == shop_id:
            if event.buyer_id == buyer_id:
                own.append(_Event(place, event))
            if not concerned.isdisjoint(_days_of(event, shop)):
                buyers.add(event.buyer_id)
    records = Records(shop_id, buyer_id, day)
    contributions: dict[str, Contribution] = {}
    refused = set()
    if own:
        for output in _judged(asked, shop_id, buyers, reports=True):
            if output.topic == BUYER_DAYS:
                stated = decode_buyer_day(output.value)
                if isinstance(stated, BuyerDay) and (stated.buyer_id, stated.day) == (buyer_id, number):
                    contributions = stated.contributions
            elif output.topic == DEAD_LETTERS:
                letter = orjson.loads(output.value)
                refused.add((letter["file"], letter["line"]))
            else:
                records.take(output.topic, output.value)
    taken = [event for place, event in own if place not in refused]
    chat = [event for event in taken if isinstance(event, ChatEvent)]
    heard: dict[str, list[Heard]] = {}
    untold, astray = [], []
    for agent_id, said in receptions_of(chat, number, shop).items():
        told = records.facts.get((day, agent_id))
        if told is None:
            untold.append(agent_id)
            continue
        contribution = contributions.get(agent_id)
        closed_ts = None if contribution is None else contribution.closed_ts
        heard[agent_id], as_said = said.heard(buyer_id, closed_ts, fact_of(told), final=told.status == FINAL)
        if not as_said:
            astray.append(agent_id)
    refunds = _refunds(one for one in taken if isinstance(one, OrderEvent))
    return Known(records, shop.zone, contributions, shop, heard, refunds, untold, astray)


def shop_of(inputs: Inputs, shop_id: str) -> Shop:
    """Return a shop as settings and roster of files tell it. Raises UnusableFileError."""
    names = inputs.names
    registry = ShopRegistry(names)
    for topic in (SETTINGS, ROSTER):
        for index, name in enumerate(names[topic]):
            with LinesFile(name) as lines:
                for number, value in lines:
                    registry.apply(Record(topic, index, number, 0, None, value))
    return registry.shop(shop_id)


def _events(asked: Asked, *topics: str) -> Iterator[tuple[tuple[str, int], ChatEvent | OrderEvent]]:
    """Yield the events of files in the order in which they are judged."""
    names = asked.inputs.names
    taken = 0
    with ExitStack() as stack:
        files = {topic: [stack.enter_context(LinesFile(name)) for name in names[topic]] for topic in topics}
        for records, _ in chunks(files, CHUNK):
            for record in records:
                if record.event is not None:
                    yield (names[record.topic][record.partition], record.offset), record.event
            taken += len(records)
            asked.progress(taken)


def _days_of(event: ChatEvent | OrderEvent, shop: Shop) -> set[int]:
    """Return the days to whose figures an event adds."""
    days = {shop.zone.day_of(event.ts)}
    if isinstance(event, OrderEvent) and event.created_ts is not UNSET:
        days.add(shop.zone.day_of(event.created_ts))
    return days


def _judged(asked: Asked, shop_id: str, buyers: Iterable[str], *, reports: bool) -> Iterator[Output]:
    keys = frozenset(f"{shop_id}|{buyer_id}".encode() for buyer_id in buyers)
    outputs = replay(
        asked.inputs,
        until=asked.until,
        allowed_lateness_ms=asked.allowed_lateness_ms,
        reports=reports,
        share=_Only(0, 1, keys),
        internal=True,
        progress=asked.progress,
    )
    with closing(outputs):
        yield from outputs


def _refunds(orders: Iterable[OrderEvent]) -> dict[str, Sequence[Refund]]:
    """Return the refunds by order id; of events with one id the first counts."""
    known: set[str] = set()
    found: dict[str, list[Refund]] = {}
    for event in orders:
        if event.event_id in known:
            continue
        known.add(event.event_id)
        if event.type in ("refund_requested", "refund_completed"):
            amount = 0 if event.amount is UNSET else event.amount
            refund = Refund(event.ts, amount, event.type == "refund_completed")
            found.setdefault(event.order_id, []).append(refund)
    return {order_id: sorted(some) for order_id, some in found.items()}
