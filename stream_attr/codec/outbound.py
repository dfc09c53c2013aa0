"""Decisions and dead letters as JSON bytes (RULEBOOK 10, 11)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import msgspec

from stream_attr.codec.refusal import Code, RefusedRecord
from stream_attr.core.buyer import Revision
from stream_attr.core.days import day_name
from stream_attr.core.decision import Figures, Picked

KEPT_OF_TOO_LARGE = 64 * 1024
"""Bytes of a ``too_large`` record that its dead letter keeps."""

_dumps = msgspec.json.Encoder().encode
"""As fast as orjson, whose bytes hold on to kilobytes apiece for as long as a batch keeps them."""


def encode_decision(shop_id: str, buyer_id: str, revision: Revision, watermark: int) -> bytes:
    """Return a decision with its receipt. ``watermark``: the partition's, as of the decision."""
    judgement = revision.judgement
    verdict = revision.verdict
    stem = f"{shop_id}|{revision.order.order_id}|{revision.profile}|"
    credit = judgement.credit
    return _dumps(
        {
            "decision_id": f"{stem}{revision.revision}",
            "supersedes": f"{stem}{revision.revision - 1}" if revision.revision > 1 else None,
            "shop_id": shop_id,
            "order_id": revision.order.order_id,
            "buyer_id": buyer_id,
            "profile": revision.profile,
            "preset": judgement.preset,
            "settings_from": None if judgement.settings_from is None else day_name(judgement.settings_from),
            "status": verdict.status,
            "revision": revision.revision,
            "reason": revision.reason,
            "outcome": verdict.outcome,
            "silence": verdict.silence,
            "placing": _picked(judgement.placing),
            "payment": _picked(judgement.payment),
            "credit": None
            if credit is None
            else {"agent_id": credit.agent_id, "basis": credit.basis, "rule": credit.rule},
            "assists": [{"agent_id": agent_id, "kind": kind} for kind, agent_id in verdict.assists],
            "amount": verdict.amount,
            "quantity": verdict.quantity,
            "currency": revision.order.currency,
            "refund_requested": verdict.refund_requested,
            "refund_completed": verdict.refund_completed,
            "net_amount": verdict.amount - verdict.refund_completed,
            "created_ts": verdict.created_ts,
            "paid_ts": verdict.paid_ts,
            "cancelled_ts": verdict.cancelled_ts,
            "final_at": verdict.final_at,
            "watermark": watermark,
            "candidates": [
                {
                    "agent_id": one.agent_id,
                    "placing": _figures(one.placing),
                    "payment": _figures(one.payment),
                    "followup": _figures(one.followup),
                }
                for one in judgement.candidates
            ],
            "discarded": [
                {"agent_id": one.agent_id, "day": day_name(one.day), "reason": one.reason}
                for one in judgement.discarded
            ],
        }
    )


def _picked(picked: Picked | None) -> dict[str, Any] | None:
    if picked is None:
        return None
    return {
        "agent_id": picked.agent_id,
        "rule": picked.rule,
        "last_ts": picked.last_ts,
        "rounds": picked.rounds,
    }


def _figures(figures: Figures | None) -> dict[str, Any] | None:
    if figures is None:
        return None
    shown: dict[str, Any] = {
        "messages": figures.messages,
        "rounds": figures.rounds,
        "first_ts": figures.first_ts,
        "last_ts": figures.last_ts,
        "product_page": figures.product_page,
        "ordered_product": figures.ordered_product,
    }
    if figures.initiator is not None:
        shown["initiator"] = figures.initiator
    return shown


def encode_dead_letter(
    refusal: RefusedRecord,
    *,
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    file: str | None = None,
) -> bytes:
    """Return the dead letter of a refused record, which lay at an offset of a partition or a line of a file.

    With ``file`` given, ``offset`` is the line number, counted from 1.
    """
    kept = value if value is None or refusal.code != Code.TOO_LARGE else value[:KEPT_OF_TOO_LARGE]
    return _dumps(
        {
            "code": refusal.code.value,
            "message": refusal.message,
            "field": refusal.field,
            "topic": topic,
            "partition": partition if file is None else None,
            "offset": offset if file is None else None,
            "file": file,
            "line": None if file is None else offset,
            "key_base64": None if key is None else b64encode(key).decode(),
            "value_base64": None if kept is None else b64encode(kept).decode(),
            "length": None if value is None else len(value),
            "sha256": None if value is None else sha256(value).hexdigest(),
        }
    )
