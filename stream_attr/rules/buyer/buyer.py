"""One buyer's state: the facts known of a buyer in a shop, what was said of the orders, and what is due.

Nothing here depends on the order in which events came. Facts are kept for `Retention`, and longer only where
a living order's verdict rests on them: no verdict moves because its grounds were forgotten (RULEBOOK 6).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stream_attr.rules.buyer.capacity import (
    FEW_CHAT_EVENTS,
    MAX_CHAT_BYTES,
    MAX_RECEIPT_BYTES,
    MAX_STATE_BYTES,
    MESSAGE_BYTES,
    RECEPTION_BYTES,
    bytes_of_message,
    bytes_of_order,
    bytes_of_text,
)
from stream_attr.rules.buyer.emitted import Emitted, PendingChanges
from stream_attr.rules.buyer.order_index import DueOf, OrderIndex
from stream_attr.rules.buyer.relevance import (
    NOTHING,
    RECEIPT,
    VERDICT,
    changes_no_agent,
    closed_from,
    serves,
)
from stream_attr.rules.buyer.retention import FORGET_EVERY_MS, Retention, can_be_sealed, orders_kept_ms
from stream_attr.rules.buyer.verdicts import Revision
from stream_attr.rules.chat.message import BUYER, Message
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.attribution import judge
from stream_attr.rules.order.decision import FINAL, Judgement
from stream_attr.rules.order.facts import Horizon, Waiting
from stream_attr.rules.order.finality import deadlines, verdict
from stream_attr.rules.order.order import Order
from stream_attr.rules.reports.inquiry import inquiry_of, is_recorded
from stream_attr.rules.reports.measures import Fact, Inquiry
from stream_attr.rules.reports.reception_fact import fact_of
from stream_attr.rules.reports.service_task import reminder_dues
from stream_attr.rules.shop.days import END_OF_TIME, Zone
from stream_attr.rules.shop.shop import Shop

_FEW_ORDERS: Final = 16
"""Up to so many orders, walking over them is quicker than an index."""


Look = tuple[str, int, Reception]
"""A reception with its agent id and day."""


class Buyer:
    """The state of one buyer in one shop."""

    __slots__ = (
        "_chat_bytes",
        "_ends",
        "_expiry",
        "_forget_at",
        "_index",
        "_oldest_day",
        "_order_bytes",
        "_zone",
        "buyer_id",
        "chat_ids",
        "day_digests",
        "due",
        "looks",
        "looks_version",
        "order_event_ids",
        "orders",
        "packed",
        "pending_changes",
        "receipt_bytes",
        "receptions",
        "reports_due",
        "shop",
        "touched_agents",
    )

    def __init__(self, shop: Shop, buyer_id: str) -> None:
        self.shop = shop
        self.buyer_id = buyer_id
        self.receptions: dict[str, dict[int, Reception]] = {}
        """By agent id and day."""
        self.orders: dict[str, Order] = {}
        self.chat_ids: set[str] = set()
        self.order_event_ids: set[str] = set()
        self.due: int | None = None
        """The next watermark at which something has to be done; None until :meth:`reschedule` finds it."""
        self.pending_changes: PendingChanges | None = None
        """What has changed of facts, inquiries and figures since they were last told."""
        self.reports_due: int | None = None
        """The watermark at which they are told next."""
        self.packed: dict[str, bytes] = {}
        """By agent id, messages as they are stored, of those of whom none has come since."""
        self.touched_agents: set[str] = set()
        """Agents of whose receptions something has come since they were last told."""
        self.looks: list[Look] | None = None
        """The receptions of which something is still to be told; None: to be found anew."""
        self.looks_version = -1
        """The shop's version that they were last looked at under."""
        self.day_digests: dict[int, int] = {}
        """Digest of what was last told of what the buyer adds to a day's figures."""
        self.receipt_bytes = 0
        """Bytes of a receipt that names each reception, about and at most."""
        self._chat_bytes: int | None = None
        self._order_bytes: int | None = None
        """Both of them None: to be found anew."""
        self._oldest_day: int | None = None
        """The earliest day of which chat is known."""
        self._forget_at = 0
        """No chat has to go before this watermark; not kept, so 0 until it is derived anew."""
        self._expiry = 0
        """No fact has to go before this watermark; not kept, so 0 until it is derived anew."""
        self._ends = False
        """Whether no more events can come."""
        self._index: OrderIndex | None = None
        """Where there are many orders."""
        self._zone: Zone = shop.zone

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be kept."""
        return not self.receptions and not self.orders

    # Room

    @property
    def size(self) -> int:
        """Bytes that the state takes, about and at most; each order may name each agent."""
        if self._order_bytes is None:
            self._order_bytes = 0
            for order in self.orders.values():
                order.size = 0
                self.weigh(order)
        if self._chat_bytes is None:
            receptions = [one for days in self.receptions.values() for one in days.values()]
            self._chat_bytes = sum(
                [bytes_of_message(message) for one in receptions for message in one.messages]
            ) + sum(
                [
                    MESSAGE_BYTES + bytes_of_text(event_id)
                    for one in receptions
                    for _, event_id in one.transfers
                ]
            )
        return self._chat_bytes + self._order_bytes + len(self.orders) * (self.receipt_bytes // 8)

    def has_room_for_chat(self, agent_id: str, ts: int, event_id: str) -> bool:
        """Whether there is room for a chat event; there is for one that is known."""
        if len(self.chat_ids) < FEW_CHAT_EVENTS or (
            self.receipt_bytes < MAX_RECEIPT_BYTES and self.size < MAX_CHAT_BYTES
        ):
            return True
        if event_id in self.chat_ids:
            return True
        return self.size < MAX_CHAT_BYTES and self.shop.zone.day_of(ts) in self.receptions.get(agent_id, {})

    def has_room_for_order(self, event_id: str) -> bool:
        """Whether there is room for an order event; there is for one that is known."""
        return self.size < MAX_STATE_BYTES or event_id in self.order_event_ids

    def weigh(self, order: Order) -> None:
        """Count what an order takes now that an event of it has been learnt."""
        if self._order_bytes is not None:
            before, order.size = order.size, bytes_of_order(order)
            self._order_bytes += order.size - before

    # Facts

    def add_message(self, agent_id: str, message: Message, *, touched: list[Order]) -> bool:
        """Learn of a message; return False if its event is known already.

        The orders whose verdict it may change are added to ``touched``.
        """
        event_id = message.event_id
        if event_id in self.chat_ids:
            return False
        self.chat_ids.add(event_id)
        if self._chat_bytes is not None:
            self._chat_bytes += bytes_of_message(message)
        if self._zone is not self.shop.zone:
            self._follow_zone()
        day = self.shop.zone.day_of(message.ts)
        reception = self._reception(agent_id, day)
        self.touched_agents.add(agent_id)
        self.packed.pop(agent_id, None)
        for order in self._orders_around(message.ts):
            bearing = self._bearing(order, agent_id, day, reception, message)
            if bearing == NOTHING:
                continue
            order.stale = True
            if bearing == VERDICT:
                touched.append(order)
        reception.add(message)
        return True

    def add_transfer(self, agent_id: str, ts: int, event_id: str, *, touched: list[Order]) -> bool:
        """Learn that an agent handed the buyer over; see :meth:`add_message`."""
        if event_id in self.chat_ids:
            return False
        self.chat_ids.add(event_id)
        if self._chat_bytes is not None:
            self._chat_bytes += MESSAGE_BYTES + bytes_of_text(event_id)
        if self._zone is not self.shop.zone:
            self._follow_zone()
        for order in self._orders_around(ts):
            touched.append(order)
            order.stale = True
        self._reception(agent_id, self.shop.zone.day_of(ts)).add_transfer(ts, event_id)
        self.touched_agents.add(agent_id)
        return True

    def restore(
        self, agent_id: str, messages: Iterable[Message], transfers: Iterable[tuple[int, str]]
    ) -> None:
        """Put stored facts back, in their order."""
        day_of = self.shop.zone.day_of
        self._chat_bytes = None
        self.looks = None
        for message in messages:
            self.chat_ids.add(message.event_id)
            self._reception(agent_id, day_of(message.ts)).messages.append(message)
        for transfer in transfers:
            self.chat_ids.add(transfer[1])
            self._reception(agent_id, day_of(transfer[0])).transfers.append(transfer)

    def _reception(self, agent_id: str, day: int) -> Reception:
        days = self.receptions.get(agent_id)
        if days is None:
            days = self.receptions[agent_id] = {}
        reception = days.get(day)
        if reception is None:
            reception = days[day] = Reception()
            if self.looks is not None:
                self.looks.append((agent_id, day, reception))
            self.receipt_bytes += RECEPTION_BYTES + 3 * bytes_of_text(agent_id)
            if self._oldest_day is None or day < self._oldest_day:
                self._oldest_day = day
                self.due = None
        return reception

    def _follow_zone(self) -> None:
        """Divide the facts into days anew if the shop's first settings record came after them."""
        if self._zone is not self.shop.zone:
            self._zone = self.shop.zone
            known, self.receptions = self.receptions, {}
            self._oldest_day = None
            self.receipt_bytes = 0
            for agent_id, days in known.items():
                for day in sorted(days):
                    self.restore(agent_id, days[day].messages, days[day].transfers)
                for day, reception in self.receptions.get(agent_id, {}).items():
                    if day in days:  # what was told of a day goes on counting
                        reception.last_emitted_fact = days[day].last_emitted_fact
                        reception.last_emitted_inquiry = days[day].last_emitted_inquiry

    def order_of(self, order_id: str, event_id: str, ts: int) -> Order | None:
        """Return the order that a new order event belongs to; None if the event is known already."""
        if event_id in self.order_event_ids:
            return None
        self.order_event_ids.add(event_id)
        order = self.orders.get(order_id)
        if order is None:
            order = self.orders[order_id] = Order(order_id)
        order.event_ids.append(event_id)
        order.last_ts = max(order.last_ts, ts)
        if self._index is not None:
            self._index.change(order)
        return order

    # Facts, inquiries, figures

    def fact(self, agent_id: str, day: int, reception: Reception) -> Fact:
        """Return the figures of a reception, of which there are messages."""
        fact = reception.known_fact(self.shop)
        if fact is None:
            fact = reception.fact = fact_of(reception, self.buyer_id, agent_id, day, self.shop)
        return fact

    def inquiry(self, agent_id: str, day: int, reception: Reception, watermark: int) -> Inquiry | None:
        """Return what became of a reception at a watermark; None where no inquiry is recorded of it."""
        fact = self.fact(agent_id, day, reception)
        if not is_recorded(fact):
            return None
        days = self.receptions[agent_id]
        following = days.get(day + 1)
        after = (
            self.fact(agent_id, day + 1, following) if following is not None and following.messages else None
        )
        soon = {order.order_id: order for one in (day, day + 1) for order in self.orders_on(one)}
        return inquiry_of(
            agent_id, day, fact, days, after, soon.values(), self.orders.values(), self.shop, watermark
        )

    def waits(self, watermark: int) -> bool:
        """Whether something told of a day that is over waits for a closing."""
        return any(
            reception.last_emitted_fact is not None
            and not reception.last_emitted_fact.final
            and self.shop.zone.start_of(day + 1) <= watermark
            for days in self.receptions.values()
            for day, reception in days.items()
        )

    def mark_dirty(self, since: int, reason: str, *, late: bool = False, orders: bool = True) -> None:
        """Note a change that bears on a day and what follows it, to be told; see `PendingChanges`."""
        known = self.pending_changes
        if known is None:
            self.pending_changes = PendingChanges(since, reason, late, orders)
        elif since < known.since or reason != known.reason or late > known.late or orders > known.orders:
            self.pending_changes = PendingChanges(
                min(since, known.since), reason, late or known.late, orders or known.orders
            )

    # Verdicts

    def judgements(self, order: Order) -> dict[str, Judgement]:
        """Return the judgements on an order whose creation is known, by profile."""
        shop = self.shop
        if not order.sealed and (order.stale or not order.judged or order.judged_version != shop.version):
            self._follow_zone()
            created_ts = order.created_ts
            assert created_ts is not None
            judged = {
                profile: judge(order, self.receptions, self.buyer_id, shop, profile)
                for profile in shop.profiles_on(shop.zone.day_of(created_ts))
            }
            order.judged = judged
            order.judged_version = shop.version
            order.stale = False
            order.horizon = Horizon(
                min([one.interest_from for one in judged.values()]),
                max([one.interest_until for one in judged.values()]),
                tuple(sorted({due for one in judged.values() for due in deadlines(order, one)})),
            )
            if self._index is not None:
                self._index.change(order)
        return order.judged

    def _horizon(self, order: Order) -> Horizon:
        if order.horizon is None:
            self.judgements(order)
        assert order.horizon is not None
        return order.horizon

    def _orders_around(self, ts: int) -> list[Order]:
        """Return the orders on which chat at ``ts`` may bear at all."""
        index = self._order_index()
        around = []
        for order in self.orders.values() if index is None else index.around(ts):
            if order.horizon is not None and not order.sealed:
                interest_from, interest_until, _ = order.horizon
                if interest_from <= ts < interest_until:
                    around.append(order)
        return around

    def _bearing(self, order: Order, agent_id: str, day: int, reception: Reception, message: Message) -> int:
        """Return what a message, not yet added, may change of an order.

        It changes nothing when all intervals but that of the assists lie before it, unless it makes earlier
        messages of its reception count, or no longer count.
        """
        if not order.judged or order.judged_version != self.shop.version:
            return VERDICT
        ts = message.ts
        first_ts = min(ts, reception.messages[0].ts) if reception.messages else ts
        bearing = NOTHING
        for profile, judgement in order.judged.items():
            outside = ts >= judgement.quiet_from
            if not self.shop.is_presale(agent_id, day, profile):
                if not outside or first_ts < judgement.quiet_from:
                    bearing = RECEIPT
                continue
            settled = closed_from(order, judgement)
            if first_ts >= settled:
                continue
            if reception.messages:
                result = reception.result(self.buyer_id, agent_id, day, self.shop, profile)
                if not reception.remains(result, message):
                    return VERDICT
                if not outside:
                    if not changes_no_agent(order, judgement, agent_id, message):
                        return VERDICT
                    bearing = RECEIPT
                    continue
            elif not outside:
                return VERDICT
            if (
                message.side != BUYER
                and ts < settled
                and not message.flags & self.shop.reception_rules(day, profile).mute
                and not serves(agent_id, judgement)
            ):
                return VERDICT
        return bearing

    def revise(self, order: Order, watermark: int, reason: str, *, late: bool = False) -> list[Revision]:
        """Return what has to be said anew of an order whose creation is known, and take it as said.

        ``late``: the cause is an event older than the watermark; where it changes a final verdict, that is
        the reason given.
        """
        revisions = []
        for profile, judgement in self.judgements(order).items():
            new = verdict(order, judgement, watermark)
            known = order.emitted.get(profile)
            if known is not None and known.verdict == new:
                continue
            if known is None:
                revision = Emitted(1, reason, new)
            else:
                was_final = known.verdict.status == FINAL
                revision = Emitted(known.revision + 1, "late_event" if late and was_final else reason, new)
            order.emitted[profile] = revision
            if self._index is not None:
                self._index.change(order)
            revisions.append(Revision(order, profile, judgement, new, revision.revision, revision.reason))
        return revisions

    # Orders by time

    def _order_index(self) -> OrderIndex | None:
        """Return the index of the orders; None where there are few."""
        if len(self.orders) <= _FEW_ORDERS:
            self._index = None
            return None
        index, shop = self._index, self.shop
        if index is None or index.zone is not shop.zone or index.version != shop.version:
            index = self._index = OrderIndex(self.orders, shop.zone, shop.version)
        return index

    def orders_on(self, day: int) -> list[Order]:
        """Return the orders that were placed, paid or refunded on a day, and perhaps others."""
        index = self._order_index()
        return list(self.orders.values()) if index is None else index.on(day)

    def order_days(self) -> Iterable[int]:
        """Return the days on which an order was placed, paid or refunded."""
        index = self._order_index()
        if index is not None:
            return index.days()
        day_of = self.shop.zone.day_of
        return {day_of(ts) for order in self.orders.values() for ts in order.instants()}

    def due_orders(self, watermark: int, retention: Retention, *, tasks: bool = False) -> list[Order]:
        """Return the orders of which something may be due at a watermark at which the buyer is due.

        Those that have changed since the last call are among them: their tasks may have.
        """
        index = self._order_index()
        if index is None:
            return list(self.orders.values())
        return index.take_due(watermark, self._due_of(retention, tasks=tasks))

    def _due_of(self, retention: Retention, *, tasks: bool) -> DueOf:
        orders_ms = orders_kept_ms(retention, self.shop)

        def due_of(order: Order, watermark: int) -> int:
            """Return when something of an order is due next, past a watermark."""
            is_placed = order.created_ts is not None
            first = END_OF_TIME
            if not (is_placed and self._ends):
                due = order.last_ts + orders_ms
                if due > watermark:
                    first = due
            if is_placed and not order.sealed:
                for due in self._horizon(order).deadlines:
                    if watermark < due < first:
                        first = due
            if tasks and not self._ends:
                for due in reminder_dues(order, self.shop):
                    if watermark < due < first:
                        first = due
            return first

        return due_of

    # Deadlines and expiry

    def reschedule(self, watermark: int, retention: Retention, *, tasks: bool = False) -> int | None:
        """Find the next watermark, past this one, at which something is due; None if nothing is.

        ``tasks``: whether service tasks are, too.
        """
        self._follow_zone()
        first = expiry = END_OF_TIME
        oldest = self._oldest_day
        if oldest is not None and not self._ends:
            forget_at = self.shop.zone.start_of(oldest + 1) + retention.chat_ms + FORGET_EVERY_MS
            while forget_at <= watermark:  # an order still rests on it: ask again later
                forget_at += FORGET_EVERY_MS
            first = expiry = self._forget_at = forget_at
        if self.orders:
            due_of = self._due_of(retention, tasks=tasks)
            index = self._order_index()
            if index is None:
                last_ts = min([order.last_ts for order in self.orders.values()])
                due = min([due_of(order, watermark) for order in self.orders.values()])
            else:
                last_ts = index.first_last_ts()
                due = index.first_due(watermark, due_of)
            expiry = min(expiry, last_ts + orders_kept_ms(retention, self.shop))
            first = min(first, due)
        reports_due = self.reports_due
        if reports_due is not None and watermark < reports_due < first:
            first = reports_due
        self._expiry = expiry if expiry < END_OF_TIME else 0
        self.due = first if first < END_OF_TIME else None
        return self.due

    def expire(self, watermark: int, retention: Retention, *, answered: bool = False) -> list[Order]:
        """Forget what is older than its retention; return the orders that are forgotten.

        Nothing goes while something waits for a closing, which has to find all as it was; ``answered``: one
        has come.
        """
        if (watermark < self._expiry and not answered) or self.waits(watermark):
            return []
        gone = self._take_last_before(watermark - orders_kept_ms(retention, self.shop))
        for order in gone:
            del self.orders[order.order_id]
            if self._index is not None:
                self._index.remove(order)
            if self._order_bytes is not None:
                self._order_bytes -= order.size
            self.order_event_ids.difference_update(order.event_ids)
        if watermark >= self._forget_at or answered:
            self._forget_chat(watermark - retention.chat_ms)
        return gone

    def _take_last_before(self, ts: int) -> list[Order]:
        """Return the orders whose last event is of ``ts`` or before; of many orders, each once."""
        index = self._order_index()
        if index is not None:
            return index.take_last_before(ts)
        return [order for order in self.orders.values() if order.last_ts <= ts]

    def _seal_orders(self, cutoff: int) -> int:
        """Keep the verdicts of orders that chat from ``cutoff`` on cannot change in place of their chat.

        Returns from when on chat is still needed, ``cutoff`` at the latest.
        """
        needed_from = cutoff
        for order in self.orders.values():
            if order.created_ts is not None and not order.sealed:
                horizon = self._horizon(order)
                if can_be_sealed(order) and horizon.interest_until <= cutoff:
                    self.judgements(order)
                    order.sealed = True
                    if self._index is not None:
                        self._index.change(order)
                else:
                    needed_from = min(needed_from, horizon.interest_from)
        return needed_from

    def flush_at_end(self, watermark: int, retention: Retention) -> list[Waiting]:
        """Flush at a watermark when no more events can come: there is nothing to be kept for.

        It is due again when something is still to be emitted. Returns the records whose orders' creation
        never came.
        """
        if not self._ends:
            self._ends = True
            self._index = None
        lost: list[Waiting] = []
        for order in self._take_last_before(watermark - orders_kept_ms(retention, self.shop)):
            if order.created_ts is None:
                lost += order.waiting
                order.waiting = []
        self.reschedule(watermark, retention)
        return lost

    def _forget_chat(self, cutoff: int) -> None:
        """Forget the days of chat that end by ``cutoff`` and on which no order's verdict rests."""
        self._follow_zone()
        zone, oldest = self.shop.zone, self._oldest_day
        if oldest is None or zone.start_of(oldest + 1) > cutoff:
            return
        needed_from = self._seal_orders(cutoff)
        if zone.start_of(oldest + 1) > needed_from:
            return
        before_day = zone.day_of(needed_from)
        self._chat_bytes = None
        self.looks = None
        self.packed.clear()
        for agent_id, days in list(self.receptions.items()):
            for day in [day for day in days if day < before_day]:
                gone = days.pop(day)
                self.receipt_bytes -= RECEPTION_BYTES + 3 * bytes_of_text(agent_id)
                self.chat_ids.difference_update([one.event_id for one in gone.messages])
                self.chat_ids.difference_update([event_id for _, event_id in gone.transfers])
            if not days:
                del self.receptions[agent_id]
        self._oldest_day = min([day for days in self.receptions.values() for day in days], default=None)
