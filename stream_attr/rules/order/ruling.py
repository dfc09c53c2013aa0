"""A person's ruling on an order's credit, over the rules (RULEBOOK 5, "Rulings")."""

from __future__ import annotations

from stream_attr.rules.order.decision import Credit, Judgement
from stream_attr.rules.order.order import Order
from stream_attr.rules.vocabulary import CreditRule


def ruled(order: Order, judgement: Judgement, rule: CreditRule) -> Judgement:
    """Return the official judgement on an order with the ruling that holds.

    Of an order that is not paid, or excluded, it is as it was.
    ``rule``: the credit rule of the order's settings. No chat is needed: rulings hold for sealed orders, too.
    """
    ruling = order.ruling_in_force
    if ruling is None or order.paid is None or order.is_excluded:
        return judgement
    assists = judgement.assists + judgement.withheld
    agent_id = ruling.agent_id
    return judgement._replace(
        credit=None if agent_id is None else Credit(agent_id, "ruling", rule.value),
        assists=tuple(sorted([assist for assist in assists if assist[1] != agent_id])),
    )
