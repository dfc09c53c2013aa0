"""How much of one buyer is kept at most, in bytes: state and receipts have to fit into Kafka records."""

from __future__ import annotations

from typing import Final

from stream_attr.rules.chat.message import Message
from stream_attr.rules.order.order import Order

MAX_CHAT_BYTES: Final = 6_500_000
"""Bytes of facts from which on no more chat is taken of a buyer, all of whom is one record of the changelog,
which takes 8 MiB."""


MAX_STATE_BYTES: Final = 7_500_000
"""Bytes of facts from which on no more is taken at all."""


MAX_RECEIPT_BYTES: Final = 800_000
"""Bytes of a receipt that names each reception of a buyer, from which on no further reception is begun: a
decision has to fit into its topic."""


FEW_CHAT_EVENTS: Final = 400
"""Chat events of which there is room for in any case."""


MESSAGE_BYTES: Final = 20


_ORDER_BYTES: Final = 400


_ORDER_EVENT_BYTES: Final = 40


RECEPTION_BYTES: Final = 500


def bytes_of_text(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def bytes_of_message(message: Message) -> int:
    product_id = message.product_id
    return (
        MESSAGE_BYTES
        + bytes_of_text(message.event_id)
        + (0 if product_id is None else 10 + bytes_of_text(product_id))
    )


def bytes_of_order(order: Order) -> int:
    """Return what an order takes of state, about, but for the agents that were told of it."""
    placed = [one for one in (order.created, order.paid, order.created_by_payment) if one is not None]
    return (
        _ORDER_BYTES
        + bytes_of_text(order.order_id)
        + sum([_ORDER_EVENT_BYTES + bytes_of_text(event_id) for event_id in order.event_ids])
        + sum([4 + bytes_of_text(product_id) for one in placed for product_id in one.product_ids])
        + sum([len(waiting.value) + len(waiting.key or b"") for waiting in order.waiting])
    )
