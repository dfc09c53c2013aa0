"""Judgements on a buyer's orders, and the revisions of their verdicts (RULEBOOK 5, 6)."""

from __future__ import annotations

from typing import NamedTuple

from stream_attr.rules.buyer.buyer import Buyer
from stream_attr.rules.buyer.emitted import Emitted
from stream_attr.rules.order.attribution import judge
from stream_attr.rules.order.decision import Judgement
from stream_attr.rules.order.facts import Horizon
from stream_attr.rules.order.finality import deadlines, verdict, without_agents
from stream_attr.rules.order.order import Order
from stream_attr.rules.order.ruling import ruled
from stream_attr.rules.shop.settings import OFFICIAL
from stream_attr.rules.vocabulary import FINAL


class Revision(NamedTuple):
    """A new revision of an order's decision under one profile, with the judgement that it follows from."""

    order: Order
    profile: str
    judgement: Judgement
    emitted: Emitted


def judgements(buyer: Buyer, order: Order) -> dict[str, Judgement]:
    """Return the judgements on an order whose creation is known, by profile, without its ruling."""
    if order.rare is not None and order.is_excluded:
        return _excluded(buyer, order, _judged(buyer, order))
    return _judged(buyer, order)


def _judged(buyer: Buyer, order: Order) -> dict[str, Judgement]:
    """Return the judgements on an order as if it was not excluded."""
    shop = buyer.shop
    if not order.sealed and (order.stale or not order.judged or order.judged_version != shop.version):
        buyer.follow_zone()
        created_ts = order.created_ts
        assert created_ts is not None
        judged = {
            profile: judge(order, buyer.receptions, buyer.buyer_id, shop, profile)
            for profile in shop.profiles_on(shop.zone.day_of(created_ts))
        }
        order.judged = judged
        order.judged_version = shop.version
        order.stale = False
        counted = _excluded(buyer, order, judged) if order.is_excluded else judged
        order.horizon = Horizon(
            min([one.interest_from for one in judged.values()]),
            max([one.interest_until for one in judged.values()]),
            tuple(sorted({due for one in counted.values() for due in deadlines(order, one)})),
        )
        buyer.reindex(order)
    return order.judged


def _excluded(buyer: Buyer, order: Order, judged: dict[str, Judgement]) -> dict[str, Judgement]:
    """Return the judgements on an excluded order; it may be included again, so the others are kept."""
    created_ts = order.created_ts
    assert created_ts is not None
    final_at = buyer.shop.zone.end_of_day(created_ts)
    return {profile: without_agents(judgement, final_at) for profile, judgement in judged.items()}


def with_ruling(buyer: Buyer, order: Order, judgement: Judgement) -> Judgement:
    """Return the official judgement on an order with the ruling that holds, where one does."""
    if order.ruling is None:
        return judgement
    created_ts = order.created_ts
    assert created_ts is not None
    settings = buyer.shop.settings_on(buyer.shop.zone.day_of(created_ts), OFFICIAL)
    return ruled(order, judgement, settings.credit_rule)


def horizon_of(buyer: Buyer, order: Order) -> Horizon:
    """Return which events may still bear on an order whose creation is known."""
    if order.horizon is None:
        judgements(buyer, order)
    assert order.horizon is not None
    return order.horizon


def revise(buyer: Buyer, order: Order, watermark: int, reason: str, *, late: bool = False) -> list[Revision]:
    """Return the revisions of an order whose creation is known, by profile, and record them as emitted.

    ``late``: the cause is an event older than the watermark; where it changes a final verdict, the reason is
    ``late_event``.
    """
    revisions = []
    for profile, by_rules in judgements(buyer, order).items():
        judgement, ruling = by_rules, None
        if order.rare is not None and order.ruling is not None and profile == OFFICIAL:
            judgement, ruling = with_ruling(buyer, order, by_rules), order.ruling_in_force
        new = verdict(order, judgement, watermark, ruling)
        last = order.emitted.get(profile)
        if last is not None and last.verdict == new:
            continue
        if last is None:
            emitted = Emitted(1, reason, new)
        else:
            was_final = last.verdict.status == FINAL
            emitted = Emitted(last.revision + 1, "late_event" if late and was_final else reason, new)
        order.emitted[profile] = emitted
        buyer.reindex(order)
        revisions.append(Revision(order, profile, judgement, emitted))
    return revisions
