"""How much is kept of one buyer at most: state and receipts have to fit into Kafka records."""

from __future__ import annotations

from typing import Final

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.size import bytes_of_message, bytes_of_order, bytes_of_rating, bytes_of_transfer
from stream_attr.rules.order.order import Order

MAX_CHAT_BYTES: Final = 6_500_000
"""From this state size on no more chat is accepted: a buyer is one record of the changelog, at most 8 MiB."""
MAX_STATE_BYTES: Final = 7_500_000
"""From this state size on nothing more is accepted."""
MAX_RECEIPT_BYTES: Final = 800_000
"""No further reception is begun once a receipt that names each one takes so many bytes: a decision has to fit
into its topic."""
FEW_CHAT_EVENTS: Final = 400
"""So many chat events of a buyer are accepted in any case."""


def state_size(buyer: Buyer) -> int:
    """Return how many bytes the state takes, estimated from above: each order may name each agent."""
    order_bytes = buyer.order_bytes
    if order_bytes is None:
        order_bytes = 0
        for order in buyer.orders.values():
            order.size = bytes_of_order(order)
            order_bytes += order.size
        buyer.order_bytes = order_bytes
    chat_bytes = buyer.chat_bytes
    if chat_bytes is None:
        receptions = [one for days in buyer.receptions.values() for one in days.values()]
        chat_bytes = (
            sum([bytes_of_message(message) for one in receptions for message in one.messages])
            + sum([bytes_of_transfer(event_id) for one in receptions for _, event_id in one.transfers])
            + sum([bytes_of_rating(rating) for one in receptions for rating in one.ratings])
        )
        buyer.chat_bytes = chat_bytes
    return chat_bytes + order_bytes + len(buyer.orders) * (buyer.receipt_bytes // 8)


def has_room_for_chat(buyer: Buyer, agent_id: str, ts: int, event_id: str) -> bool:
    """Whether a chat event of an agent's day, that of ``ts``, can be accepted; a repeated one always can."""
    if len(buyer.chat_ids) < FEW_CHAT_EVENTS or (
        buyer.receipt_bytes < MAX_RECEIPT_BYTES and state_size(buyer) < MAX_CHAT_BYTES
    ):
        return True
    if event_id in buyer.chat_ids:
        return True
    return state_size(buyer) < MAX_CHAT_BYTES and buyer.shop.zone.day_of(ts) in buyer.receptions.get(
        agent_id, {}
    )


def has_room_for_order(buyer: Buyer, event_id: str) -> bool:
    """Whether an order event can be accepted; a repeated one always can."""
    return state_size(buyer) < MAX_STATE_BYTES or event_id in buyer.order_event_ids


def update_order_size(buyer: Buyer, order: Order) -> None:
    """Count an order's size again, after an event of it has been added."""
    if buyer.order_bytes is not None:
        before, order.size = order.size, bytes_of_order(order)
        buyer.order_bytes += order.size - before
