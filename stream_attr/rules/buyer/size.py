"""How many bytes a buyer's facts take in state, estimated from above."""

from __future__ import annotations

from typing import Final

from stream_attr.rules.chat.message import Message
from stream_attr.rules.chat.reception import Rating
from stream_attr.rules.order.facts import RareFacts, Refund
from stream_attr.rules.order.order import Order

_MESSAGE_BYTES: Final = 20
_ORDER_BYTES: Final = 400
_ORDER_EVENT_BYTES: Final = 40
_RARE_FACTS_BYTES: Final = 500
_RECEPTION_BYTES: Final = 500


def bytes_of_text(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def bytes_of_message(message: Message) -> int:
    """Return what a message takes of state."""
    product_id = message.product_id
    return (
        _MESSAGE_BYTES
        + bytes_of_text(message.event_id)
        + (0 if product_id is None else 10 + bytes_of_text(product_id))
    )


def bytes_of_transfer(event_id: str) -> int:
    """Return what a transfer takes of state, with both agents."""
    return 2 * _MESSAGE_BYTES + bytes_of_text(event_id)


def bytes_of_rating(rating: Rating) -> int:
    """Return what a rating takes of state."""
    return 2 * _MESSAGE_BYTES + bytes_of_text(rating.event_id)


def bytes_in_receipt(agent_id: str) -> int:
    """Return what a reception of an agent takes of a decision's receipt."""
    return _RECEPTION_BYTES + 3 * bytes_of_text(agent_id)


def bytes_of_order(order: Order) -> int:
    """Return what an order takes of state, without the agents named in its emitted decisions."""
    placed = [one for one in (order.created, order.created_by_payment, *order.payments) if one is not None]
    return (
        _ORDER_BYTES
        + bytes_of_text(order.order_id)
        + sum([_ORDER_EVENT_BYTES + bytes_of_text(event_id) for event_id in order.event_ids])
        + sum([4 + bytes_of_text(product_id) for one in placed for product_id in one.product_ids])
        + sum([len(waiting.value) + len(waiting.key or b"") for waiting in order.waiting])
        + sum([_bytes_of_refund(refund) for refund in order.refunds])
        + (0 if order.rare is None else _bytes_of_rare_facts(order.rare))
    )


def _bytes_of_refund(refund: Refund) -> int:
    return _ORDER_EVENT_BYTES + bytes_of_text(refund.event_id) + bytes_of_text(refund.refund_id or "")


def _bytes_of_rare_facts(rare: RareFacts) -> int:
    payments = [
        _ORDER_EVENT_BYTES + 2 * bytes_of_text(payment_id) + bytes_of_text(payment.event_id)
        for payment_id, payment in rare.payments.items()
    ]
    closed = [2 + bytes_of_text(refund_id) for refund_id in rare.closed_refunds]
    ruling = rare.ruling
    ruled = [] if ruling is None else [ruling.event_id, ruling.agent_id or "", ruling.ruled_by]
    reviews = [_ORDER_EVENT_BYTES + bytes_of_text(review.event_id) for review in rare.reviews]
    times = [bytes_of_text(event_type) + 9 * len(some) for event_type, some in rare.times.items()]
    texts = sum([bytes_of_text(text) for text in ruled])
    return _RARE_FACTS_BYTES + sum(times) + sum(reviews) + sum(payments) + sum(closed) + texts
