"""Decisions as JSON bytes (RULEBOOK 10)."""

from __future__ import annotations

from stream_attr.codec.encoding import encode_json
from stream_attr.contract.records import decision as record
from stream_attr.rules.buyer.verdicts import Revision
from stream_attr.rules.order.decision import Figures, Picked
from stream_attr.rules.order.order import Order
from stream_attr.rules.shop.days import day_name


def encode_decision(shop_id: str, buyer_id: str, revision: Revision, watermark: int) -> bytes:
    """Return a decision with its receipt. ``watermark``: the partition's, as of the decision.

    `Picked`, `Credit` and the figures have the fields of `stream_attr.rules.order.decision`, in their order.
    """
    judgement = revision.judgement
    emitted = revision.emitted
    verdict = emitted.verdict
    order = revision.order
    stem = f"{shop_id}|{order.order_id}|{revision.profile}|"
    credit = judgement.credit
    settings_from = judgement.settings_from
    return encode_json(
        record.Decision(
            f"{stem}{emitted.revision}",
            f"{stem}{emitted.revision - 1}" if emitted.revision > 1 else None,
            shop_id,
            order.order_id,
            buyer_id,
            revision.profile,
            judgement.preset,
            None if settings_from is None else day_name(settings_from),
            verdict.status,
            emitted.revision,
            emitted.reason,
            verdict.outcome,
            verdict.silence,
            _picked(judgement.placing),
            _picked(judgement.payment),
            None if credit is None else record.Credit(*credit),
            [record.Assist(agent_id, kind) for kind, agent_id in verdict.assists],
            verdict.amount,
            verdict.quantity,
            order.currency,
            sorted(order.product_ids)[: record.MAX_PRODUCTS],
            verdict.refund_requested,
            verdict.refund_completed,
            verdict.amount - verdict.refund_completed,
            verdict.created_ts,
            verdict.deposit_ts,
            None if order.deposit is None else order.deposit.amount,
            verdict.paid_ts,
            verdict.cancelled_ts,
            _ruling(revision),
            list(verdict.notices),
            _refunds(order) if order.refunds else [],
            len(order.refunds) > record.MAX_REFUNDS,
            verdict.final_at,
            watermark,
            [
                record.Candidate(
                    one.agent_id, _figures(one.placing), _figures(one.payment), _followup(one.followup)
                )
                for one in judgement.candidates
            ],
            [record.Discarded(one.agent_id, day_name(one.day), one.reason) for one in judgement.discarded],
        )
    )


def _refunds(order: Order) -> list[record.Refund]:
    first = sorted(order.refunds)[: record.MAX_REFUNDS]  # by `ts`, then event id
    return [record.Refund(one.refund_id, one.ts, one.amount, one.completed) for one in first]


def _ruling(revision: Revision) -> record.Ruling | None:
    """Return the ruling that holds; a profile other than the official has none."""
    if revision.emitted.verdict.ruling is None:
        return None
    ruling = revision.order.ruling
    assert ruling is not None
    return record.Ruling(ruling.agent_id, ruling.ruled_by, ruling.ts, ruling.event_id)


def _picked(picked: Picked | None) -> record.Picked | None:
    return None if picked is None else record.Picked(*picked)


def _figures(figures: Figures | None) -> record.Figures | None:
    return None if figures is None else record.Figures(*figures[:-1])


def _followup(figures: Figures | None) -> record.FollowupFigures | None:
    if figures is None:
        return None
    assert figures.initiator is not None  # of the follow-up window it is known
    return record.FollowupFigures(*figures[:-1], figures.initiator)
