"""Which verdicts a new message may change: most change none, and no order is judged again (RULEBOOK 5)."""

from __future__ import annotations

from typing import Final

from stream_attr.rules.chat.message import BUYER, PRODUCT_PAGE, Message
from stream_attr.rules.chat.reception import Reception
from stream_attr.rules.order.attribution import _LAST_CHAT
from stream_attr.rules.order.decision import Figures, Judgement, Picked
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.shop import Shop

NOTHING: Final = 0
RECEIPT: Final = 1
VERDICT: Final = 2
"""What a new message may change of the decision that was emitted on an order."""


def bearing(
    order: Order, message: Message, reception: Reception, agent_id: str, day: int, buyer_id: str, shop: Shop
) -> int:
    """Return what a message, not yet added to its reception, may change of an order.

    It changes nothing when all intervals but that of the assists lie before it, unless it makes earlier
    messages of its reception count, or no longer count.
    """
    if not order.judged or order.judged_version != shop.version:
        return VERDICT
    ts = message.ts
    messages = reception.messages
    if reception.handed_over and not messages:
        return VERDICT
    first_ts = min(ts, messages[0].ts) if messages else ts
    found = NOTHING
    for profile, judgement in order.judged.items():
        outside = ts >= judgement.quiet_from
        if not shop.is_presale(agent_id, day, profile):
            if not outside or first_ts < judgement.quiet_from:
                found = RECEIPT
            continue
        closed = _closed_from(order, judgement)
        if first_ts >= closed:
            continue
        if messages:
            result = reception.evaluate(buyer_id, agent_id, day, shop, profile)
            if not reception.stays_creditable(result, message):
                return VERDICT
            if not outside:
                if not changes_no_agent(order, judgement, agent_id, message):
                    return VERDICT
                found = RECEIPT
                continue
        elif not outside:
            return VERDICT
        if (
            message.side != BUYER
            and ts < closed
            and not message.flags & shop.reception_rules(day, profile).ineffective_flags
            and not _serves(agent_id, judgement)
        ):
            return VERDICT
    return found


def changes_no_agent(order: Order, judgement: Judgement, agent_id: str, message: Message) -> bool:
    """Whether a message changes figures at most, and no agent of a judgement on its order.

    The message is of a creditable reception that stays creditable, and may lie in any interval. ``judgement``
    may lack earlier messages of which this was true: its candidates hold, and those picked spoke last at the
    time given or later.
    """
    ts = message.ts
    one = next((one for one in judgement.candidates if one.agent_id == agent_id), None)
    if ts < (order.created_ts or 0) and not _leaves_pick(
        judgement.placing, None if one is None else one.placing, order, agent_id, message
    ):
        return False
    paid_ts = order.paid_ts
    if paid_ts is None:
        return True
    if ts > paid_ts:
        followup = None if one is None else one.followup
        return judgement.silence != "full" or (followup is not None and followup.first_ts < ts)
    if not _leaves_pick(judgement.payment, None if one is None else one.payment, order, agent_id, message):
        return False
    if message.side == BUYER or ts < (order.created_ts or 0):
        return True
    # By a ruling the agent who has the credit by the rules may be an assist.
    holders = (judgement.payment, judgement.credit if order.ruling is None else None)
    return any(holder is not None and holder.agent_id == agent_id for holder in holders) or (
        ("payment", agent_id) in judgement.assists
    )


def _leaves_pick(
    picked: Picked | None, figures: Figures | None, order: Order, agent_id: str, message: Message
) -> bool:
    """Whether one more message of an agent in an interval changes neither its candidates nor the picked one.

    ``figures``: the agent's in this interval; None: not a candidate.
    """
    if message.flags & PRODUCT_PAGE and (figures is None or not figures.product_page):
        return False
    product_id = message.product_id
    ordered = product_id is not None and product_id in order.product_ids
    if ordered and (figures is None or not figures.ordered_product):
        return False
    if figures is None or picked is None:
        return message.side == BUYER
    if picked.agent_id == agent_id:
        return True  # one more message makes neither the rounds fewer nor the last message earlier
    return picked.rule == _LAST_CHAT and message.ts < picked.last_ts


def _closed_from(order: Order, judgement: Judgement) -> int:
    """Return from when on no interval of an order is open, not even that of the assists."""
    if order.paid is not None:
        return judgement.quiet_from
    end = judgement.deadline if order.cancelled is None else min(judgement.deadline, order.cancelled.ts)
    return max(judgement.quiet_from, end)


def _serves(agent_id: str, judgement: Judgement) -> bool:
    """Whether an agent is placing agent or follow-up assist of an unpaid order already."""
    placing = judgement.placing
    if placing is not None and placing.agent_id == agent_id:
        return True
    return ("followup", agent_id) in judgement.assists
