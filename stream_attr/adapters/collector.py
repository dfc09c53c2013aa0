"""What one payload gives: events of the contract's types, and a counted reason for every part without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from msgspec import UNSET

from stream_attr.adapters.connection import Connection
from stream_attr.adapters.reading import checked_id
from stream_attr.adapters.skips import Reason, Skip, SkippedError
from stream_attr.codec.records.chat_event import shows_nothing
from stream_attr.codec.records.order_event import LONGEST_WAIT_FOR_PAYMENT_MS
from stream_attr.contract.records.chat_event import ChatEvent
from stream_attr.contract.records.fields import MAX_AMOUNT
from stream_attr.contract.records.order_event import OrderEvent
from stream_attr.rules.shop.days import MINUTE_MS
from stream_attr.rules.vocabulary import Entry, MessageKind, OrderEventType, Sender

__all__ = ["Adapted", "Answer", "Collector", "Order", "Talk", "Waiting", "products"]

LONGEST_TEXT: Final = 16_000
"""Characters of a message that are passed on; of a longer one its length is."""
RIGHT_AFTER_MS: Final = 15 * MINUTE_MS
"""How long after a change its first payload may come and still say when it was."""


class Waiting(NamedTuple):
    """A buyer's message to a shared inbox: it belongs to whoever answers next."""

    conversation: str
    event: ChatEvent
    """Its ``agent_id`` is who has it should nobody answer: the one it is assigned to, or ``""``."""


class Answer(NamedTuple):
    """Somebody, not a robot, wrote to the buyer of a conversation."""

    conversation: str
    agent_id: str
    ts: int


class Adapted(NamedTuple):
    """What a payload gives."""

    events: tuple[ChatEvent | OrderEvent, ...]
    skipped: tuple[Skip, ...]
    waiting: tuple[Waiting, ...] = ()
    answers: tuple[Answer, ...] = ()
    robots: tuple[tuple[str, str], ...] = ()
    """Shops and agents that are no people: their role in the roster is ``frozen``."""


class Order(NamedTuple):
    """What the events of one order share."""

    prefix: str
    """Of its event ids: the platform."""
    shop_id: str
    buyer_id: str
    order_id: str
    currency: str = "CNY"
    created_ts: int | None = None
    quantity: int | None = None
    product_ids: tuple[str, ...] = ()


class Talk(NamedTuple):
    """What the messages of one conversation share."""

    prefix: str
    shop_id: str
    buyer_id: str
    with_text: bool
    conversation: str | None = None
    """Of a shared inbox; None: every message says whose it is."""


class Collector:
    """Gathers what one payload gives."""

    def __init__(self, connection: Connection, received_ts: int | None = None) -> None:
        self.connection = connection
        self._received_ts = received_ts
        self._events: list[ChatEvent | OrderEvent] = []
        self._skipped: list[Skip] = []
        self._waiting: list[Waiting] = []
        self._answers: list[Answer] = []
        self._robots: dict[tuple[str, str], None] = {}

    @contextmanager
    def part(self) -> Iterator[None]:
        """Read one part of a payload: what it lacks is counted, and the other parts are read."""
        try:
            yield
        except SkippedError as error:
            self._skipped.append(error.skip)

    def skip(self, reason: Reason, about: str) -> None:
        """Count a part that gives no event."""
        self._skipped.append(Skip(reason, about))

    def just_now(self, modified_ts: int | None, about: str) -> int:
        """Return when the payload came, for what the platform does not say when it happened.

        Only if it came right after the document's last change: the first payload that tells of it does. Later
        ones give the same event id, and the first counts.
        """
        received = self._received_ts
        if received is None or modified_ts is None or not 0 <= received - modified_ts <= RIGHT_AFTER_MS:
            raise SkippedError(Reason.NO_TIME, about)
        return received

    def arrival(self, about: str) -> int:
        """Return when the payload came, for a push that gives no time at all."""
        if self._received_ts is None:
            raise SkippedError(Reason.NO_TIME, about)
        return self._received_ts

    def done(self) -> Adapted:
        """Return what the payload gives: never nothing at all."""
        if not (self._events or self._skipped or self._waiting):
            self.skip(Reason.IGNORED, "nothing in it")
        return Adapted(
            tuple(self._events),
            tuple(self._skipped),
            tuple(self._waiting),
            tuple(self._answers),
            tuple(self._robots),
        )

    def order(
        self,
        order: Order,
        kind: OrderEventType,
        ts: int,
        amount: int | None = None,
        *,
        payment_id: str | None = None,
        refund_id: str | None = None,
        currency: str | None = None,
    ) -> None:
        """Add an order event; its id follows from the order, the payment or refund, and its type."""
        if refund_id is not None:
            key = f"r{refund_id}"
        else:
            key = order.order_id if payment_id is None else f"{order.order_id}:{payment_id}"
        placed = kind in {"created", "paid", "deposit_paid"}
        wait = ts - order.created_ts if order.created_ts is not None and kind == "paid" else -1
        if amount is not None and amount > MAX_AMOUNT:
            raise SkippedError(Reason.BAD_AMOUNT, "sum")
        self._events.append(
            OrderEvent(
                event_id=checked_id(f"{order.prefix}:{key}:{kind}", "event_id"),
                shop_id=order.shop_id,
                buyer_id=order.buyer_id,
                order_id=order.order_id,
                ts=ts,
                type=kind,
                amount=UNSET if amount is None else amount,
                quantity=(
                    order.quantity
                    if placed and order.quantity is not None and 0 < order.quantity <= MAX_AMOUNT
                    else UNSET
                ),
                currency=currency or order.currency,
                created_ts=(
                    order.created_ts
                    if order.created_ts is not None and 0 <= wait <= LONGEST_WAIT_FOR_PAYMENT_MS
                    else UNSET
                ),
                payment_id=UNSET if payment_id is None else payment_id,
                refund_id=UNSET if refund_id is None else refund_id,
                product_ids=order.product_ids if placed else (),
            )
        )

    def message(
        self,
        talk: Talk,
        key: str,
        ts: int,
        *,
        sender: Sender,
        agent_id: str | None,
        text: str | None = None,
        kind: MessageKind = "text",
        robot: bool = False,
        entry: Entry | None = None,
        product_id: str | None = None,
    ) -> None:
        """Add a message. ``agent_id``: who wrote it, or whose it is; None: nobody's yet."""
        if agent_id is None and talk.conversation is None:
            raise SkippedError(Reason.MISSING_FIELD, "agent")
        passed_on = text is not None and talk.with_text and len(text) <= LONGEST_TEXT
        event = ChatEvent(
            event_id=checked_id(f"{talk.prefix}:{key}", "event_id"),
            shop_id=talk.shop_id,
            buyer_id=talk.buyer_id,
            agent_id="" if agent_id is None else _agent(agent_id),
            ts=ts,
            sender=sender,
            kind="auto_reply" if robot else kind,
            text=text if passed_on and text is not None else UNSET,
            text_length=UNSET if text is None or passed_on else 0 if shows_nothing(text) else len(text),
            entry=entry if entry is not None and sender == "buyer" else UNSET,
            product_id=UNSET if product_id is None else product_id,
        )
        if sender == "buyer" and talk.conversation is not None:
            self._waiting.append(Waiting(f"{talk.shop_id}|{talk.conversation}", event))
            return
        self._events.append(event)
        if robot:
            self._robots[talk.shop_id, event.agent_id] = None
        elif sender == "agent" and kind != "broadcast" and talk.conversation is not None:
            self._answers.append(Answer(f"{talk.shop_id}|{talk.conversation}", event.agent_id, ts))

    def transfer(self, talk: Talk, key: str, ts: int, agent_id: str, to_agent_id: str) -> None:
        """Add a handover."""
        if agent_id == to_agent_id:
            raise SkippedError(Reason.IGNORED, "handed over to the same agent")
        self._events.append(
            ChatEvent(
                event_id=checked_id(f"{talk.prefix}:{key}", "event_id"),
                shop_id=talk.shop_id,
                buyer_id=talk.buyer_id,
                agent_id=_agent(agent_id),
                ts=ts,
                type="transfer",
                to_agent_id=_agent(to_agent_id),
            )
        )

    def rating(self, talk: Talk, key: str, ts: int, agent_id: str, score: int) -> None:
        """Add a rating of 1 to 5."""
        if not 1 <= score <= 5:
            raise SkippedError(Reason.BAD_VALUE, "score")
        self._events.append(
            ChatEvent(
                event_id=checked_id(f"{talk.prefix}:{key}", "event_id"),
                shop_id=talk.shop_id,
                buyer_id=talk.buyer_id,
                agent_id=_agent(agent_id),
                ts=ts,
                type="rating",
                score=score,
            )
        )


def _agent(agent_id: str) -> str:
    if agent_id == "*":  # stands for a shop's totals (RULEBOOK 2)
        raise SkippedError(Reason.BAD_ID, "agent")
    return checked_id(agent_id, "agent")


def products(ids: Iterable[str | None]) -> tuple[str, ...]:
    """Return the products that are named, once each."""
    return tuple(dict.fromkeys(one for one in ids if one is not None))
