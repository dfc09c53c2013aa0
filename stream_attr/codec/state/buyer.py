"""One buyer's state as bytes: MessagePack arrays with a version in front.

Old versions stay readable: a change of the layout adds an upcast from the version before it, and a sample of
that version to the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Raw

from stream_attr.codec.state.columns import from_columns, to_columns, to_emitted, to_last_verdict
from stream_attr.codec.state.layout import EmittedReception, Header, Messages, State, StoredOrder
from stream_attr.codec.state.upcasts import to_version_2
from stream_attr.codec.versions import body_of, require_readable, versioned
from stream_attr.rules.buyer.balances import expect_balance
from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.shop.shop import Shop
from stream_attr.rules.vocabulary import FINAL

VERSION: Final = 2
_OWNER_VERSION: Final = 1

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(State).decode
_decode_messages: Final = msgspec.msgpack.Decoder(Messages).decode
_decode_header: Final = msgspec.msgpack.Decoder(Header).decode

_UPCASTS: Final[dict[int, Callable[[bytes], bytes]]] = {1: to_version_2}
"""By version: bytes of it to bytes of the next."""

_LONG_ARRAY: Final = 0xDC
"""First byte of a MessagePack array of more than 15 elements: two bytes of length follow."""


def read_header(data: bytes, key: bytes) -> Header:
    """Return the header of the state that lies under a key, of any version up to this program's.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    require_readable(data[3 if data[0] == _LONG_ARRAY else 1], VERSION, "buyer's state", key)
    return _decode_header(data)


def pending_decisions(buyer: Buyer) -> int:
    """Return how many official decisions of a buyer are pending."""
    count = 0
    for order in buyer.orders.values():
        emitted = order.emitted.get(OFFICIAL)
        if emitted is not None and emitted.verdict.status != FINAL:
            count += 1
    return count


def encode_buyer(buyer: Buyer) -> bytes:
    """Return a buyer's state as bytes."""
    return _encode(
        State(
            VERSION,
            buyer.due,
            pending_decisions(buyer),
            buyer.reports_due,
            {agent_id: _messages(buyer, agent_id, days) for agent_id, days in buyer.receptions.items()},
            {
                agent_id: found
                for agent_id, days in buyer.receptions.items()
                if (found := [transfer for day in sorted(days) for transfer in days[day].transfers])
            },
            [
                StoredOrder(
                    order.order_id,
                    order.created,
                    order.paid,
                    order.cancelled,
                    order.refunds,
                    _other_ids(order),
                    order.last_ts,
                    order.waiting,
                    {profile: to_last_verdict(emitted) for profile, emitted in order.emitted.items()},
                    order.horizon,
                    order.judged if order.sealed else None,
                    order.created_by_payment,
                    order.tasks,
                    order.rare,
                )
                for order in buyer.orders.values()
            ],
            {agent_id: emitted for agent_id, days in buyer.receptions.items() if (emitted := _emitted(days))},
            buyer.day_digests,
            buyer.pending_changes,
            {
                agent_id: times
                for agent_id, days in buyer.receptions.items()
                if (times := [ts for day in sorted(days) for ts in days[day].handed_over])
            },
            {
                agent_id: ratings
                for agent_id, days in buyer.receptions.items()
                if (ratings := [rating for day in sorted(days) for rating in days[day].ratings])
            },
        )
    )


def _messages(buyer: Buyer, agent_id: str, days: dict[int, Reception]) -> Raw:
    packed = buyer.packed.get(agent_id)
    if packed is None:
        messages = [message for day in sorted(days) for message in days[day].messages]
        packed = buyer.packed[agent_id] = _encode(to_columns(messages))
    return Raw(packed)


def _emitted(days: dict[int, Reception]) -> list[EmittedReception]:
    return [
        EmittedReception(day, one.closed_ts, one.last_emitted_fact, one.last_emitted_inquiry)
        for day, one in days.items()
        if one.last_emitted_fact or one.closed_ts
    ]


def decode_buyer(data: bytes, shop: Shop, buyer_id: str) -> Buyer:
    """Return a buyer from the bytes of its state.

    Raises:
        NewerVersionError: a newer program wrote them.
    """
    version = read_header(data, f"{shop.shop_id}|{buyer_id}".encode()).version
    while version < VERSION:
        data = _UPCASTS[version](data)
        version += 1
    state = _decode(data)
    buyer = Buyer(shop, buyer_id)
    for agent_id, packed in state.messages.items():
        messages = from_columns(_decode_messages(packed))
        buyer.restore(
            agent_id,
            messages,
            state.transfers.get(agent_id, ()),
            state.handed_over.get(agent_id, ()),
            state.ratings.get(agent_id, ()),
        )
        buyer.packed[agent_id] = bytes(packed)
    for stored in state.orders:
        order = buyer.orders[stored.order_id] = _order(stored)
        buyer.order_event_ids.update(order.event_ids)
        if order.rare is not None:
            expect_balance(buyer, order)
    for agent_id, some in state.emitted.items():
        for emitted in some:
            reception = buyer.receptions[agent_id].get(emitted.day)
            if reception is not None:  # its day may have been another one before the shop's zone was known
                reception.closed_ts = emitted.closed_ts
                reception.last_emitted_fact = emitted.fact
                reception.last_emitted_inquiry = emitted.inquiry
    buyer.day_digests = state.day_digests
    buyer.pending_changes = state.pending_changes
    buyer.reports_due = state.reports_due
    buyer.due = state.due
    return buyer


def encode_owner(buyer_id: str) -> bytes:
    """Return the record that maps an order to its buyer."""
    return versioned(_OWNER_VERSION, buyer_id.encode())


def decode_owner(data: bytes, key: bytes) -> str:
    """Return the id of an order's buyer.

    Raises:
        NewerVersionError: a newer program wrote it.
    """
    return body_of(data, _OWNER_VERSION, "record of an order's buyer", key).decode()


def _other_ids(order: Order) -> list[str]:
    named = {placed.event_id for placed in (order.created, order.paid) if placed is not None}
    return [event_id for event_id in order.event_ids if event_id not in named]


def _order(stored: StoredOrder) -> Order:
    order = Order(stored.order_id)
    order.created = stored.created
    order.paid = stored.paid
    order.cancelled = stored.cancelled
    order.refunds = stored.refunds
    named = [placed.event_id for placed in (stored.created, stored.paid) if placed is not None]
    order.event_ids = named + stored.event_ids
    order.last_ts = stored.last_ts
    order.waiting = stored.waiting
    order.emitted = {profile: to_emitted(last) for profile, last in stored.emitted.items()}
    order.horizon = stored.horizon
    order.created_by_payment = stored.created_by_payment
    order.tasks = stored.tasks
    order.rare = stored.rare
    if stored.sealed is not None:
        order.sealed = True
        order.judged = stored.sealed
    return order
