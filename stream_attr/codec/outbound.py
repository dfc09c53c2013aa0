"""Decisions and dead letters as JSON bytes (RULEBOOK 10, 11)."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

import msgspec

from stream_attr.codec import shapes
from stream_attr.codec.refusal import Code, RefusedRecord
from stream_attr.core.buyer import Revision
from stream_attr.core.days import day_name
from stream_attr.core.decision import Figures, Picked

KEPT_OF_TOO_LARGE: Final = 64 * 1024
"""Bytes of a ``too_large`` record that its dead letter keeps."""

_dumps: Final = msgspec.json.Encoder().encode
"""As fast as orjson, whose bytes hold on to kilobytes apiece for as long as a batch keeps them."""


def encode_decision(shop_id: str, buyer_id: str, revision: Revision, watermark: int) -> bytes:
    """Return a decision with its receipt. ``watermark``: the partition's, as of the decision."""
    judgement = revision.judgement
    verdict = revision.verdict
    stem = f"{shop_id}|{revision.order.order_id}|{revision.profile}|"
    credit = judgement.credit
    settings_from = judgement.settings_from
    return _dumps(
        shapes.Decision(
            f"{stem}{revision.revision}",
            f"{stem}{revision.revision - 1}" if revision.revision > 1 else None,
            shop_id,
            revision.order.order_id,
            buyer_id,
            revision.profile,
            judgement.preset,
            None if settings_from is None else day_name(settings_from),
            verdict.status,
            revision.revision,
            revision.reason,
            verdict.outcome,
            verdict.silence,
            _picked(judgement.placing),
            _picked(judgement.payment),
            None if credit is None else shapes.Credit(credit.agent_id, credit.basis, credit.rule),
            [shapes.Assist(agent_id, kind) for kind, agent_id in verdict.assists],
            verdict.amount,
            verdict.quantity,
            revision.order.currency,
            verdict.refund_requested,
            verdict.refund_completed,
            verdict.amount - verdict.refund_completed,
            verdict.created_ts,
            verdict.paid_ts,
            verdict.cancelled_ts,
            verdict.final_at,
            watermark,
            [
                shapes.Candidate(
                    one.agent_id, _figures(one.placing), _figures(one.payment), _figures(one.followup)
                )
                for one in judgement.candidates
            ],
            [shapes.Discarded(one.agent_id, day_name(one.day), one.reason) for one in judgement.discarded],
        )
    )


def _picked(picked: Picked | None) -> shapes.Picked | None:
    if picked is None:
        return None
    return shapes.Picked(picked.agent_id, picked.rule, picked.last_ts, picked.rounds)


def _figures(figures: Figures | None) -> shapes.Figures | None:
    if figures is None:
        return None
    return shapes.Figures(
        figures.messages,
        figures.rounds,
        figures.first_ts,
        figures.last_ts,
        figures.product_page,
        figures.ordered_product,
        figures.initiator,
    )


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
