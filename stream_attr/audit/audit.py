"""Audits what was decoded of input files, line by line, and warns at the end (RULEBOOK 13)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Self

from stream_attr.audit.agents import Agents
from stream_attr.audit.buyers import MIN_ORDER_BUYERS, MIN_SHARE_WITH_CHAT, Buyers
from stream_attr.audit.event_ids import ChatCopies, EventIds, content_of
from stream_attr.audit.orders import Incomplete, Orders
from stream_attr.audit.time_order import TimeOrder
from stream_attr.audit.warning import AuditCode, AuditWarning, Place, Tally
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.contract.records.roster import RosterRecord
from stream_attr.contract.records.ruling import RulingEvent

MAX_OF_A_KIND: Final = 20
"""So many agents, buyers or shops are warned of one by one."""


class Audit:
    """The audits of the files of one check; a context manager.

    Add all lines, then call `finish` once, and read the warnings before the exit. Memory is bounded whatever
    the number of lines: what has to be compared across lines is written to temporary files and read in parts.
    """

    def __init__(self, files: Sequence[str], *, has_chat: bool, has_roster: bool) -> None:
        self._files = files
        self._has_chat = has_chat
        self._chat_ids, self._order_ids, self._ruling_ids = EventIds(), EventIds(), EventIds()
        self._copies = ChatCopies()
        self._orders = Orders()
        self._buyers = Buyers()
        self._agents = Agents(has_roster=has_roster)
        self._times = TimeOrder()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ids = (self._chat_ids, self._order_ids, self._ruling_ids)
        for one in (*ids, self._copies, self._orders, self._buyers):
            one.groups.close()

    def add_roster(self, record: RosterRecord) -> None:
        """Add a roster record."""
        self._agents.add_roster(record.shop_id, record.agent_id)

    def add_chat(self, event: ChatEvent, place: Place) -> None:
        """Add a chat event."""
        content = content_of(event)
        self._chat_ids.add(event, content, place)
        self._copies.add(event, content, place)
        self._buyers.add_chat(event.shop_id, event.buyer_id)
        self._agents.add_chat(event.shop_id, event.agent_id, place)
        if isinstance(event.to_agent_id, str):
            self._agents.add_chat(event.shop_id, event.to_agent_id, place)
        self._times.add(event.ts, place)

    def add_order(self, event: OrderEvent, place: Place) -> None:
        """Add an order event."""
        self._order_ids.add(event, content_of(event), place)
        self._orders.add(event, place)
        self._buyers.add_order(event.shop_id, event.buyer_id, event.order_id, place)
        self._times.add(event.ts, place)

    def add_ruling(self, event: RulingEvent, place: Place) -> None:
        """Add a ruling."""
        self._ruling_ids.add(event, content_of(event), place)
        self._orders.add_ruling(event, place)
        if isinstance(event.agent_id, str):
            self._agents.add_chat(event.shop_id, event.agent_id, place)
        self._times.add(event.ts, place)

    def finish(self) -> tuple[list[Incomplete], Iterator[AuditWarning]]:
        """Return the order events and rulings without a creation, and the warnings."""
        return self._orders.judge(), self._warnings()

    def _warnings(self) -> Iterator[AuditWarning]:
        for events, ids in (
            ("chat events", self._chat_ids),
            ("order events", self._order_ids),
            ("rulings", self._ruling_ids),
        ):
            same, other = ids.repeated()
            yield from self._one(
                AuditCode.REPEATED_EVENT_ID,
                same,
                f"{events} that repeat an event_id of the same file with other content",
            )
            yield from self._one(
                AuditCode.RESTARTED_EVENT_IDS,
                other,
                f"{events} that repeat an event_id of an earlier file with other content",
            )
        yield from self._one(
            AuditCode.REPEATED_CHAT,
            self._copies.repeated(),
            "chat events with the content of an earlier one under another event_id",
        )
        orders = self._orders
        yield from self._one(
            AuditCode.ORDER_OF_TWO_BUYERS, orders.of_two_buyers, "order ids under several buyers"
        )
        yield from self._one(
            AuditCode.OVER_REFUNDED, orders.over_refunded, "orders with completed refunds above their amount"
        )
        yield from self._one(
            AuditCode.SEVERAL_PAYMENTS,
            orders.several_payments,
            "payments that do not count, and differ from the one that does in amount or time",
        )
        yield from self._one(
            AuditCode.PAID_AND_CANCELLED,
            orders.paid_and_cancelled,
            "orders that are paid and cancelled, and not refunded in full",
        )
        yield from self._about_buyers()
        yield from self._about_agents()
        yield from self._one(
            AuditCode.TIME_JUMP, self._times.ahead, "lines more than 7 days after the line before"
        )
        yield from self._one(
            AuditCode.TIME_JUMP, self._times.back, "lines more than a day earlier than the line before"
        )

    def _about_buyers(self) -> Iterator[AuditWarning]:
        self._buyers.judge()
        if self._has_chat:
            yield from self._each(
                AuditCode.FEW_BUYERS_WITH_CHAT,
                "shops",
                [
                    (
                        f"shop {shop_id}: {shop.with_chat:,} of {shop.buyers:,} order buyers have any chat",
                        shop.without_chat,
                    )
                    for shop_id, shop in sorted(self._buyers.shops.items())
                    if shop.buyers >= MIN_ORDER_BUYERS and shop.with_chat < shop.buyers * MIN_SHARE_WITH_CHAT
                ],
            )
        yield from self._each(
            AuditCode.MANY_ORDERS,
            "buyers",
            [
                (
                    f"shop {one.shop_id}: buyer {one.buyer_id!r} has {one.orders.count:,} orders",
                    one.orders,
                )
                for one in self._buyers.many_orders
            ],
        )

    def _about_agents(self) -> Iterator[AuditWarning]:
        spelling, unlisted = [], []
        for agent in self._agents.odd():
            name = f"shop {agent.shop_id}: agent {agent.agent_id!r}"
            if agent.other_spelling is None:
                unlisted.append((f"{name} is not in the roster", agent.lines))
            else:
                text = f"{name} differs from {agent.other_spelling!r} by case or spaces alone"
                spelling.append((text, agent.lines))
        yield from self._each(AuditCode.AGENT_SPELLING, "agents", spelling)
        yield from self._each(AuditCode.AGENT_NOT_IN_ROSTER, "agents", unlisted)

    def _one(self, code: AuditCode, lines: Tally, found: str) -> Iterator[AuditWarning]:
        """Yield a warning about all lines together, if there are any."""
        if lines.count:
            yield self._warning(code, f"{found}: {lines.count:,}", lines)

    def _each(self, code: AuditCode, kind: str, found: Sequence[tuple[str, Tally]]) -> Iterator[AuditWarning]:
        """Yield a warning of each one, and one of all that are beyond `MAX_OF_A_KIND`."""
        for message, lines in found[:MAX_OF_A_KIND]:
            yield self._warning(code, message, lines)
        if others := found[MAX_OF_A_KIND:]:
            rest = Tally()
            for _, lines in others:
                rest.add(lines.places[0])
            yield self._warning(code, f"the same of {len(others):,} more {kind}", rest)

    def _warning(self, code: AuditCode, message: str, lines: Tally) -> AuditWarning:
        places = tuple(f"{self._files[place.file]}:{place.line}" for place in lines.places)
        return AuditWarning(code, message, places, lines.count)
