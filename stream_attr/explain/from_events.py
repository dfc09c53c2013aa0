"""Decisions, and a buyer's day, from event files: a replay of the buyers concerned, in memory.

The files are read twice: first to find the buyers that matter, then through `replay` with those buyers only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from msgspec import UNSET

from stream_attr.codec.internal.records import BuyerDay, decode_buyer_day
from stream_attr.codec.records.chat_event import message_of
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
from stream_attr.explain.roster_names import names_from_files
from stream_attr.explain.timeline import TimelineEntry, reception_timelines
from stream_attr.explain.verify import Decision
from stream_attr.explain.view import BuyerDayView, Records, fact_of, intervals_of
from stream_attr.explain.why_not import AgentHistory, AgentReception
from stream_attr.files.inputs import Inputs
from stream_attr.files.jsonl import LinesFile
from stream_attr.processor import ShopRegistry
from stream_attr.processor.intake import apply_to_order
from stream_attr.processor.ports import AnyRecord, Output, Record
from stream_attr.replay.run import replay
from stream_attr.replay.sources import AT_ONCE, Block, Decoding, File, chunks, decode_all, foreign
from stream_attr.replay.steps import CHUNK
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.chat.message import AGENT
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.contribution import Contribution
from stream_attr.rules.shop.days import day_name, day_number
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import FINAL

__all__ = [
    "EventFiles",
    "OrderRevisions",
    "agent_history_from_events",
    "agents_from_events",
    "buyer_day_from_events",
    "decisions_from_events",
    "shop_from_files",
]


@dataclass(frozen=True, slots=True)
class EventFiles:
    """Event files to replay, and how far; see `replay`."""

    inputs: Inputs
    until: int | None
    allowed_lateness_ms: int
    wall_clock_ts: int | None = None
    progress: Callable[[int], None] = lambda _: None


class _Event(NamedTuple):
    """An event, and its file and line."""

    place: tuple[str, int]
    event: ChatEvent | OrderEvent


class OrderRevisions(NamedTuple):
    """All revisions of an order's decision under a profile, and the refused events of its buyers."""

    decisions: list[Decision]
    """The oldest first."""
    refused: dict[tuple[str, int], str]
    """Dead-letter codes by file and line."""
    facts: dict[str, Order]
    """What the accepted events say of the order, by buyer."""


def decisions_from_events(files: EventFiles, shop_id: str, order_id: str, profile: str) -> OrderRevisions:
    """Return what a replay of the files decides on an order. Raises UnusableFileError."""
    events = [
        (place, event)
        for place, event in _events(files, ORDERS)
        if isinstance(event, OrderEvent) and (event.shop_id, event.order_id) == (shop_id, order_id)
    ]
    found = OrderRevisions([], {}, {event.buyer_id: Order(order_id) for _, event in events})
    for output in _replayed(files, shop_id, found.facts, reports=False):
        if output.topic in (DECISIONS, COMPARISONS):
            decision = orjson.loads(output.value)
            if (decision["order_id"], decision["profile"]) == (order_id, profile):
                found.decisions.append(decision)
        elif output.topic == DEAD_LETTERS:
            letter = orjson.loads(output.value)
            found.refused[letter["file"], letter["line"]] = letter["code"]
    seen: set[str] = set()
    for place, event in events:
        if place not in found.refused and event.event_id not in seen:
            seen.add(event.event_id)
            apply_to_order(found.facts[event.buyer_id], event)
    return found


def agent_history_from_events(
    files: EventFiles,
    decision: Decision,
    refused: Mapping[tuple[str, int], str],
    agent_id: str,
    shop: Shop,
) -> AgentHistory:
    """Return an agent's receptions with the buyer of an order. ``refused``: see `OrderRevisions`.

    Raises UnusableFileError.
    """
    buyer_id = decision["buyer_id"]
    buyer = Buyer(shop, buyer_id)
    codes: Counter[str] = Counter()
    for place, event in _events(files, CHAT):
        if (event.shop_id, event.buyer_id) != (shop.shop_id, buyer_id) or not isinstance(event, ChatEvent):
            continue
        if place in refused:
            codes[refused[place]] += event.agent_id == agent_id
        elif event.type == "transfer":
            buyer.add_transfer(event.agent_id, str(event.to_agent_id), event.ts, event.event_id, touched=[])
        elif event.type == "message" and event.kind != "system":
            buyer.add_message(event.agent_id, message_of(event, shop), touched=[])
    receptions = []
    for day, reception in sorted(buyer.receptions.get(agent_id, {}).items()):
        times = [message.ts for message in reception.messages] or reception.handed_over
        if not times or not reception.has_reception(day, shop):
            continue
        result = reception.evaluate(buyer_id, agent_id, day, shop, decision["profile"])
        effective = [message.ts for message in result.spoken if message.side == AGENT]
        receptions.append(AgentReception(day_name(day), times[0], times[-1], result.reason, effective))
    return AgentHistory(receptions, intervals_of(decision, shop), sorted((+codes).items()))


def agents_from_events(files: EventFiles, shop_id: str) -> set[str]:
    """Return the ids of all agents whom a shop's chat events name. Raises UnusableFileError."""
    agents: set[str] = set()
    for _, event in _events(files, CHAT):
        if isinstance(event, ChatEvent) and event.shop_id == shop_id:
            agents.add(event.agent_id)
            if event.type == "transfer":
                agents.add(str(event.to_agent_id))
    return agents


def buyer_day_from_events(files: EventFiles, shop_id: str, buyer_id: str, day: str) -> BuyerDayView:
    """Return a buyer's day with its messages. Raises UnusableFileError and NoRecordsError."""
    shop = shop_from_files(files.inputs, shop_id)
    number = day_number(day)
    days = {number, number + 1}  # the next day decides whether an inquiry is exempt as `overnight`
    buyers = {buyer_id}
    own: list[_Event] = []
    for place, event in _events(files, CHAT, ORDERS):
        if event.shop_id == shop_id:
            if event.buyer_id == buyer_id:
                own.append(_Event(place, event))
            if not days.isdisjoint(_days_of(event, shop)):
                buyers.add(event.buyer_id)
    records = Records(shop_id, buyer_id, day)
    contributions: dict[str, Contribution] = {}
    refused = set()
    if own:
        for output in _replayed(files, shop_id, buyers, reports=True):
            if output.topic == BUYER_DAYS:
                buyer_day = decode_buyer_day(output.value)
                if isinstance(buyer_day, BuyerDay) and (buyer_day.buyer_id, buyer_day.day) == (
                    buyer_id,
                    number,
                ):
                    contributions = buyer_day.contributions
            elif output.topic == DEAD_LETTERS:
                letter = orjson.loads(output.value)
                refused.add((letter["file"], letter["line"]))
            else:
                records.take(output.topic, output.value)
    accepted = [event for place, event in own if place not in refused]
    chat = [event for event in accepted if isinstance(event, ChatEvent)]
    timelines: dict[str, list[TimelineEntry]] = {}
    without_fact, mismatched = [], []
    for agent_id, timeline in reception_timelines(chat, number, shop).items():
        record = records.facts.get((day, agent_id))
        if record is None:
            without_fact.append(agent_id)
            continue
        contribution = contributions.get(agent_id)
        closed_ts = None if contribution is None else contribution.closed_ts
        timelines[agent_id], matches = timeline.entries(
            buyer_id, closed_ts, fact_of(record), final=record.status == FINAL
        )
        if not matches:
            mismatched.append(agent_id)
    names = names_from_files(files.inputs.roster, shop_id)
    return BuyerDayView(records, shop.zone, contributions, shop, timelines, without_fact, mismatched, names)


def shop_from_files(inputs: Inputs, shop_id: str) -> Shop:
    """Return a shop by the settings and roster files. Raises UnusableFileError."""
    names = inputs.names
    registry = ShopRegistry(names)
    for topic in (SETTINGS, ROSTER):
        for index, name in enumerate(names[topic]):
            with LinesFile(name) as lines:
                for number, value in lines:
                    registry.apply(Record(topic, index, number, 0, None, value))
    return registry.shop(shop_id)


def _events(files: EventFiles, *topics: str) -> Iterator[tuple[tuple[str, int], ChatEvent | OrderEvent]]:
    """Yield the events of these topics with file and line, in the order of a replay."""
    names = files.inputs.names
    count = 0
    with ExitStack() as stack:
        open_files = {
            topic: [stack.enter_context(LinesFile(name)) for name in names[topic]] for topic in topics
        }
        for records, _ in chunks(open_files, CHUNK, files.wall_clock_ts):
            for record in records:
                if isinstance(record, Record) and isinstance(record.event, ChatEvent | OrderEvent):
                    yield (names[record.topic][record.partition], record.offset), record.event
            count += len(records)
            files.progress(count)


def _days_of(event: ChatEvent | OrderEvent, shop: Shop) -> set[int]:
    """Return the days whose figures an event can change."""
    days = {shop.zone.day_of(event.ts)}
    if isinstance(event, OrderEvent) and event.created_ts is not UNSET:
        days.add(shop.zone.day_of(event.created_ts))
    return days


def _replayed(files: EventFiles, shop_id: str, buyers: Iterable[str], *, reports: bool) -> Iterator[Output]:
    outputs = replay(
        files.inputs,
        until=files.until,
        wall_clock_ts=files.wall_clock_ts,
        allowed_lateness_ms=files.allowed_lateness_ms,
        reports=reports,
        decoding=_decoding_of(shop_id, frozenset(buyers)),
        internal=True,
        progress=files.progress,
    )
    with closing(outputs):
        yield from outputs


def _decoding_of(shop_id: str, buyers: frozenset[str]) -> Decoding:
    """Return what leaves of the events of others no more than their times."""

    def decode(file: File, latest: int) -> Iterator[Block]:
        for block in decode_all(file, latest):
            yield Block(block.times, list(map(own, block.times, block.records)))

    def own(ts: int, record: AnyRecord) -> AnyRecord:
        event = record.event if isinstance(record, Record) else None
        if event is None or ts == AT_ONCE or (event.shop_id == shop_id and event.buyer_id in buyers):
            return record
        return foreign(record.topic, event)

    return decode
