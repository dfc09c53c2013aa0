"""Whether an event whose id is known has the same content as before, as far as that is kept (RULEBOOK 2).

It changes nothing either way: the first that was applied stays. Texts are not kept, nor are events of an
order that do not count, so of those nothing can be compared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.chat.message import TEXT_SHIFT, Message
from stream_attr.rules.chat.reception import Rating, Reception
from stream_attr.rules.order.facts import Cancelled, Deposit, Exclusion, Placed, Refund, Reviewed, Ruling
from stream_attr.rules.order.order import Order

OrderFact = Placed | Deposit | Cancelled | Refund | Exclusion | Reviewed | Ruling

_OF_CONTENT: Final = (1 << TEXT_SHIFT) - 1
"""The flags that do not depend on a shop's patterns, which may have changed since."""


def message_differs(buyer: Buyer, agent_id: str, message: Message) -> bool:
    """Whether a message whose event id is known is another one than is kept."""
    reception = _reception(buyer, agent_id, message.ts)
    if reception is None:
        return True
    place = bisect_left(reception.messages, message[:3])
    if place == len(reception.messages):
        return True
    return _content(reception.messages[place]) != _content(message)


def _content(message: Message) -> tuple[object, ...]:
    return (*message[:3], message.flags & _OF_CONTENT, message.characters, message.product_id)


def transfer_differs(buyer: Buyer, agent_id: str, to_agent_id: str, ts: int, event_id: str) -> bool:
    """Whether a transfer whose event id is known is another one than is kept."""
    giving, receiving = _reception(buyer, agent_id, ts), _reception(buyer, to_agent_id, ts)
    if giving is None or receiving is None:
        return True
    place = bisect_left(giving.transfers, (ts, event_id))
    return giving.transfers[place : place + 1] != [(ts, event_id)] or ts not in receiving.handed_over


def rating_differs(buyer: Buyer, agent_id: str, rating: Rating) -> bool:
    """Whether a rating whose event id is known is another one than is kept."""
    reception = _reception(buyer, agent_id, rating.rated_ts)
    return reception is None or rating not in reception.ratings


def order_event_differs(order: Order | None, event_id: str, fact: OrderFact | None) -> bool:
    """Whether an order event or ruling whose id is known is another one than is kept.

    ``order``: the one that it names now, if that is known. ``event_id``: as the order keeps it. ``fact``:
    what would be kept of it; None: nothing that has its id.
    """
    if order is None or event_id not in order.event_ids:
        return True
    if fact is None:
        return False
    kept = next((one for one in _facts(order) if one.event_id == fact.event_id), None)
    return kept is not None and kept != fact


def _reception(buyer: Buyer, agent_id: str, ts: int) -> Reception | None:
    buyer.follow_zone()
    return buyer.receptions.get(agent_id, {}).get(buyer.shop.zone.day_of(ts))


def _facts(order: Order) -> Iterator[OrderFact]:
    """Yield what is kept of an order's events."""
    rare = order.rare
    for one in (order.created, order.paid, order.created_by_payment, order.cancelled):
        if one is not None:
            yield one
    yield from order.refunds
    if rare is not None:
        yield from rare.payments.values()
        yield from rare.reviews
        for fact in (rare.deposit, rare.exclusion, rare.ruling):
            if fact is not None:
                yield fact
